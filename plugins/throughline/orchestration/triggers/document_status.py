"""Waits in the triggerer until a document has come far enough, or never will."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from throughline.orchestration import credentials, sightings
from throughline.orchestration.reaching import Reach
from throughline.orchestration.triggers.pacing import announce_through_failures


class DocumentStatusTrigger(BaseTrigger):  # type: ignore[misc]  # Airflow is not typed here
    """Looks into the ledger every few seconds; fires once."""

    def __init__(self, *, sought: dict[str, Any], ledger_conn_id: str = credentials.LEDGER, every: float = 2.0) -> None:
        super().__init__()
        self.sought, self.ledger_conn_id, self.every = sought, ledger_conn_id, every

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What the triggerer needs to make this watcher again."""
        kwargs = {"sought": self.sought, "ledger_conn_id": self.ledger_conn_id, "every": self.every}
        return f"{__name__}.DocumentStatusTrigger", kwargs

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire when the answer is final."""
        seen: list[sightings.Sighting] = []
        async for _ in announce_through_failures(lambda: self._opened(seen), every=self.every, again=self.every):
            yield TriggerEvent(seen[-1].described())
            return

    @asynccontextmanager
    async def _opened(self, seen: list[sightings.Sighting]) -> AsyncIterator[Any]:
        from throughline.orchestration.composition import ledger_at  # heavy: only a running trigger needs it

        ledger = ledger_at(credentials.dsn_of(await credentials.afind(self.ledger_conn_id)))
        sought = sightings.Sought.from_description(self.sought)

        async def look() -> frozenset[str]:
            sighting = await asyncio.to_thread(sightings.sight, ledger, sought)
            seen[:] = [sighting]
            return frozenset() if sighting.reach is Reach.NOT_YET else frozenset({str(sighting.reach)})

        yield look
