"""Bugs in the ledger's bookkeeping: waking, parking, the audit, the switches, the end of a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg

from tests.faults.planted.planting import Bug, Swap, bug
from throughline.errors import Transient
from throughline.ledger import audit, breakers, replays
from throughline.ledger import books as ledger_books
from throughline.ledger.breakers import Breakers
from throughline.ledger.connections import Connections
from throughline.ledger.identities import Identities
from throughline.ledger.steps import Steps
from throughline.process import delivery
from throughline.process.delivery_records import Recording


@bug("a system that was left alone is never tried again")
def breaker_never_closes() -> list[Swap]:
    def allow(self: Any, role: str) -> Any:
        state = self.states().get(role, "closed")
        return (
            breakers.Passage(True)
            if state == "closed"
            else breakers.Passage(False, until=self._session.now + timedelta(hours=1))
        )

    return [(Breakers, "allow", allow), (breakers, "_SUCCEEDED", "select %s::timestamptz, %s::text")]


@bug("what waits for a name is not woken when the name becomes known")
def nobody_is_woken() -> list[Swap]:
    return [(Identities, "wake", lambda self, names=None: 0)]


@bug("parked work that is let go on leaves the parking lot and is forgotten")
def parked_work_forgotten_on_replay() -> list[Swap]:
    return [(replays, "_STEPS_AGAIN", replays._STEPS_AGAIN.replace("s.state = 'parked'", "s.state = 'nowhere'"))]


@bug("a document is parked without being listed")
def parked_unseen() -> list[Swap]:
    original = Recording.write

    def write(self: Any, books: Any, entries: Any) -> None:
        entries.cases.clear()
        original(self, books, entries)

    return [(Recording, "write", write)]


@bug("what was found at the target after a doubt is not audited")
def audit_entry_skipped() -> list[Swap]:
    original = Recording._carried

    def carried(self: Any, entries: Any, result: Any, told: Any) -> None:
        before = list(entries.audit)
        original(self, entries, result, told)
        if result.kind == "resolved":
            entries.audit = before

    return [(Recording, "_carried", carried)]


@bug("an effect is audited once for each try")
def audited_twice() -> list[Swap]:
    original = Recording._carried

    def carried(self: Any, entries: Any, result: Any, told: Any) -> None:
        before = len(entries.audit)
        original(self, entries, result, told)
        if result.delivery.attempts > 1:
            entries.audit += entries.audit[before:]

    return [(Recording, "_carried", carried)]


@bug("a line of the audit is sealed without the one before")
def seal_without_its_predecessor() -> list[Swap]:
    name = "seal_of" if "seal_of" in vars(audit) else "_seal"
    original = vars(audit)[name]
    return [(audit, name, lambda before, *content: original("0" * 64, *content))]


@bug("a commit that was lost is taken for done")
def lost_commit_taken_for_done() -> list[Swap]:
    original = Connections.transaction

    @contextmanager
    def transaction(self: Any) -> Iterator[Any]:
        try:
            with original(self) as connection:
                yield connection
        except Transient as error:
            if not isinstance(error.__cause__, psycopg.OperationalError | psycopg.InterfaceError):
                raise

    return [(Connections, "transaction", transaction)]


@bug("the steps that follow are made ready in a transaction of their own")
def consequences_in_another_transaction() -> list[Swap]:
    original = delivery.advance_processes

    def advance(books: Any, loader: Any, states: Any, actor: str) -> int:
        connection = books.records._session.connection
        ledger_books.write_audit(books.records._session)
        connection.execute("commit")
        connection.execute("begin")
        return original(books, loader, states, actor)

    return [(delivery, "advance_processes", advance)]


@bug("a step that is to be tried again is never due")
def retries_are_never_due() -> list[Swap]:
    original = Steps.change

    def change(self: Any, changes: Any) -> None:
        from dataclasses import replace

        late = timedelta(days=30)
        original(self, [
            replace(one, ready_at=one.ready_at + late) if one.state == "retrying" and one.ready_at else one
            for one in changes
        ])  # fmt: skip

    return [(Steps, "change", change)]


BUGS: list[Bug] = [
    breaker_never_closes, nobody_is_woken, parked_work_forgotten_on_replay, parked_unseen, audit_entry_skipped,
    audited_twice, seal_without_its_predecessor, lost_commit_taken_for_done, consequences_in_another_transaction,
    retries_are_never_due,
]  # fmt: skip
