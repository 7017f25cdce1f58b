"""The person who mends causes, looks into systems and lets parked work go on, as the guides say."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.faults.business import Business
from tests.faults.hub import Hub, Process

ROUNDS = 6


class Person:
    """Comes when everything else is quiet."""

    def __init__(self, hub: Hub, business: Business) -> None:
        self._hub, self._business = hub, business
        self._rounds = 0

    def at_rest(self) -> bool:
        """Whether the ledger has nothing left to do by itself."""
        (left,) = self._hub.bench.database.connection.execute(_LEFT).fetchone() or (0,)
        return not left

    async def answers(self) -> bool:
        """Deal with what is parked; true when something may go on because of it."""
        self._rounds += 1
        if self._rounds > ROUNDS:
            return False
        self._business.mended = True
        rows = self._hub.bench.database.connection.execute(_CASES).fetchall()
        again = [row for row in rows if row[1] not in ("Late", "Invalid")]
        if not again:
            return False
        await asyncio.sleep(600)  # whatever was on its way has arrived by then
        process = Process(self._hub, f"person-{self._rounds}")
        for number, kind, step, item in again:
            arrived = self._arrived(number) if kind == "InDoubt" else None
            self._hub.history.note("person", "lets go on", step=step, item=item, kind=kind, arrived=arrived)
            await asyncio.to_thread(lambda n=number, a=arrived: process.engine.replay(ids=[n], by="person", arrived=a))
        return True

    def _arrived(self, case: int) -> bool | None:
        """Look into the target: is what we meant to write there?"""
        rows: list[Any] = self._hub.bench.database.connection.execute(_DOUBTS, [case]).fetchall()
        targets = self._hub.plant.targets
        found = [bool(targets[role].held[document].get(reference)) for role, document, reference in rows]
        return all(found) if found else None


_LEFT = """
select (select count(*) from steps s join processes p on p.id = s.process_id
        where s.state in ('ready', 'retrying', 'running') and p.state = 'running')
    + (select count(*) from record_versions where state = 'pending')
    + (select count(*) from inbox where read_at is null)
    + (select count(*) from processes where lease_until is not null)
"""

_CASES = "select id, error_kind, step, item from parked where replayed_at is null order by id"

_DOUBTS = """
select d.role, d.document, d.reference from deliveries d join parked c
    on c.process_id = d.process_id and c.step = d.step and c.item = d.item
where c.id = %s and d.state in ('sent', 'in_doubt')
"""
