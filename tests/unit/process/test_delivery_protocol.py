from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from throughline.connectors.contract import Operation, Tier
from throughline.errors import InDoubt, Transient
from throughline.ledger.work_entries import Delivery
from throughline.process.backoff import Patience
from throughline.process.delivery import _sent_again
from throughline.process.delivery_jobs import Result, still_meant
from throughline.process.delivery_protocol import DOUBTED, Move, asks_a_person, next_move
from throughline.process.delivery_records import Entries, Recording
from throughline.process.effect_keys import Effect

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ROW = Delivery(
    1, "k", 1, "s", "", 1, "erp", "sales_order", "create", "sales_order:crm:SO-1", "T1", "SO-1", {}, "d", "sent", None,
    1, None, None, None, None, None, None, NOW, NOW, None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("state", "tier", "findable", "move"),
    [
        ("intended", Tier.T4, False, Move.SEND),
        ("rejected", Tier.T4, False, Move.SEND),
        ("sent", Tier.T1, False, Move.SEND),
        ("in_doubt", Tier.T1, True, Move.SEND),
        ("sent", Tier.T2, True, Move.FIND),
        ("in_doubt", Tier.T2, False, Move.SEND),
        ("sent", Tier.T3, True, Move.WAIT),
        ("sent", Tier.T3, False, Move.ASK),
        ("sent", Tier.T4, False, Move.ASK),
        ("in_doubt", Tier.T4, False, Move.ASK),
        ("confirmed", Tier.T1, True, Move.NOTHING),
        ("resolved", Tier.T3, True, Move.NOTHING),
    ],
)
def test_the_next_move_follows_from_state_and_tier(state: str, tier: Tier, findable: bool, move: Move) -> None:
    operation = Operation("create", tier, late_execution=60, findable=findable)
    assert next_move(replace(ROW, state=state), operation, NOW + timedelta(seconds=59)) is move


def test_a_searchable_target_is_searched_once_late_execution_has_passed() -> None:
    operation = Operation("create", Tier.T3, late_execution=60, findable=True)
    assert next_move(ROW, operation, NOW + timedelta(seconds=60)) is Move.FIND
    assert not asks_a_person(operation)
    assert asks_a_person(Operation("create", Tier.T4))


def test_the_wait_begins_when_the_call_can_have_been_made_last() -> None:
    """A worker that died told nobody when it called; one that heard nothing wrote down from when on to look."""
    operation = Operation("create", Tier.T3, late_execution=60, findable=True)
    lease, later = timedelta(seconds=108), NOW + timedelta(seconds=100)
    assert next_move(ROW, operation, later, called_for=lease) is Move.WAIT
    assert next_move(ROW, operation, NOW + timedelta(seconds=168), called_for=lease) is Move.FIND
    heard = replace(ROW, state="in_doubt", not_before=NOW + timedelta(seconds=140))
    assert next_move(heard, operation, later, called_for=lease) is Move.WAIT
    assert next_move(heard, operation, NOW + timedelta(seconds=140), called_for=lease) is Move.FIND


def test_a_doubt_outlives_a_later_call_that_was_surely_not_carried_out() -> None:
    """Found by seeded faults: in doubt, then "busy", then the order changed: it was written anew, and there twice."""
    again = _sent_again(replace(ROW, state="in_doubt", tier="T1"), NOW)
    assert (again.state, again.attempts, again.signature) == ("sent", 2, DOUBTED)
    recording = Recording(
        {"create": Operation("create", Tier.T1)}, Patience(), Random(1), "worker", goes_on_refused=False
    )
    busy, entries = Transient("busy", system="crm"), Entries()
    ending = recording._settle(entries, Result(again, "transient", busy), NOW)
    assert ([row.delivery_id for row in entries.doubt], entries.deferred) == ([ROW.id], [])
    assert isinstance(ending.error, InDoubt)
    fresh = Entries()
    recording._settle(fresh, Result(_sent_again(replace(ROW, state="intended"), NOW), "transient", busy), NOW)
    assert ([row.delivery_id for row in fresh.deferred], fresh.doubt) == ([ROW.id], [])


def test_a_refused_write_that_was_meant_anew_since_is_not_sent_again_with_it() -> None:
    """Found by seeded faults: refused, corrected, in doubt: then both were sent, and the order was there twice."""
    refused, anew = replace(ROW, id=1, state="rejected"), replace(ROW, id=2, state="in_doubt", effect_key="k2")
    other = replace(ROW, id=3, state="rejected", canonical_id="sales_order:crm:SO-2", effect_key="k3")
    assert still_meant([refused, anew, other]) == [anew, other]


def test_effect_keys_differ_in_every_part_and_never_run_together() -> None:
    parts = ["flow", "step", "erp", "create", "doc", "item", "crm", "id", "rev"]
    same, other = Effect(*parts).key, Effect(*parts).key
    assert same == other
    assert len(same) == 64
    keys = {Effect(*[*parts[:place], part + "x", *parts[place + 1 :]]).key for place, part in enumerate(parts)}
    assert len(keys | {same}) == len(parts) + 1
    assert Effect("ab", "c", *parts[2:]).key != Effect("a", "bc", *parts[2:]).key


def test_the_pause_grows_is_spread_and_honours_the_target() -> None:
    patience, rng = Patience(first=1, longest=60), Random(7)
    pauses = [patience.pause(4, rng).total_seconds() for _ in range(500)]
    assert 0 <= min(pauses) < 2
    assert 14 < max(pauses) <= 16
    assert max(patience.pause(30, rng).total_seconds() for _ in range(500)) <= 60
    assert 30 <= patience.pause(1, rng, at_least=30).total_seconds() <= 31
