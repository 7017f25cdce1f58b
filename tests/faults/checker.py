"""Judges a schedule by what the systems saw and what stands in the ledger. It shares no code with the hub, on purpose.

    violations = judge(case, read_ledger(connection))

Every rule answers sentences that name what was wronged; each carries the invariant (I1–I10 of the promise) it breaks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.faults import checking_books, checking_conduct, checking_effects, checking_ledger
from tests.faults.checking_case import Case

Rule = Callable[[Case], Iterator[str]]
RULES: tuple[tuple[str, Rule], ...] = (
    ("I1", checking_effects.nothing_is_lost),
    ("I1", checking_effects.what_was_accepted_is_kept),
    ("I2", checking_effects.nothing_twice),
    ("I3", checking_effects.never_backwards),
    ("I4", checking_books.books_agree),
    ("I4", checking_books.warehouse_agrees),
    ("I5", checking_books.amounts_agree),
    ("I5", checking_ledger.records_are_accounted_for),
    ("I6", checking_ledger.nothing_is_stuck),
    ("I6", checking_conduct.the_hub_did_not_break),
    ("I7", checking_ledger.every_effect_is_audited),
    ("I7", checking_ledger.the_chain_holds),
    ("I8", checking_books.texts_and_moments_agree),
    ("I9", checking_conduct.nobody_waits_for_poison),
    ("I9", checking_conduct.who_asked_for_a_pause_gets_it),
    ("I10", checking_conduct.it_recovers_in_time),
)


@dataclass(frozen=True)
class Violation:
    """An invariant that did not hold, and of what."""

    invariant: str
    sentence: str


def judge(case: Case) -> list[Violation]:
    """Everything that is wrong with a schedule's end."""
    return [Violation(invariant, sentence) for invariant, rule in RULES for sentence in rule(case)]


_TABLES = {
    "inbox": "select id, role, message_kind, message_id, read_at, problem from inbox",
    "versions": """select v.id, v.role, v.document, v.state, v.awaited, r.their_id, r.number, v.canonical_id, v.deleted
        from record_versions v join source_records r on r.id = v.record_id""",
    "processes": "select id, flow, key, state, lease_holder from processes",
    "steps": "select process_id, step, item, state, signature, awaited from steps",
    "deliveries": """select id, effect_key, process_id, step, item, role, document, operation, reference, state
        from deliveries""",
    "parked": """select id, version_id, process_id, step, item, subject, error_kind, reason from parked
        where replayed_at is null""",
    "audit": """select seq, at, actor, action, subject, process_id, details::text as details, prev_hash, hash
        from audit order by seq""",
    "breakers": "select role, state from breakers",
}


def read_ledger(connection: Any) -> dict[str, list[dict[str, Any]]]:
    """The ledger's tables, by plain SQL."""
    ledger = {}
    for name, statement in _TABLES.items():
        cursor = connection.execute(statement)
        columns = [column.name for column in cursor.description]
        ledger[name] = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return ledger
