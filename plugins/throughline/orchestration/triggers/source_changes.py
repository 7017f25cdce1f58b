"""Watches a system for changes the ledger does not know yet, without occupying a worker.

It asks exactly what capture would ask, from the watermark on and with the profile's overlap, and compares contents by
hash: so it speaks until the ledger has caught up, and is silent as soon as it has.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from throughline.errors import Misconfigured
from throughline.orchestration import credentials
from throughline.orchestration.triggers.pacing import Look, announce_through_failures
from throughline.orchestration.troubles import Place, reading

if TYPE_CHECKING:
    from throughline.connectors.contract import Captured, Connector
    from throughline.ledger import Ledger

Cursors = dict[str, Mapping[str, Any] | None]
UNREAD, PENDING = "unread messages", "untranslated"


class SourceChangesTrigger(BaseEventTrigger):  # type: ignore[misc]  # Airflow is not typed here
    """Says that a system has news: changed documents, messages it sent us, contents that can be translated by now."""

    def __init__(
        self, *, role: str, every: float = 1.0, again: float = 5.0, ledger_conn_id: str = credentials.LEDGER
    ) -> None:
        super().__init__()
        self.role, self.every, self.again, self.ledger_conn_id = role, every, again, ledger_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What the triggerer needs to make this watcher again."""
        return f"{__name__}.SourceChangesTrigger", {
            "role": self.role,
            "every": self.every,
            "again": self.again,
            "ledger_conn_id": self.ledger_conn_id,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """An event whenever there is something new, and again while it is not in the ledger."""
        async for news in announce_through_failures(self._opened, every=self.every, again=self.again):
            kinds = sorted({str(mark[0]) if isinstance(mark, tuple) else str(mark) for mark in news})
            yield TriggerEvent({"system": self.role, "news": kinds})

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Look]:
        from throughline.orchestration import composition  # heavy: only a running trigger needs it

        ledger = await composition.aopen_ledger(self.ledger_conn_id)
        place = Place(ledger, reading(self.role), self.role)
        try:
            async with await composition.aopen_system(self.role) as connector:
                documents = composition.polled_documents(self.role, connector)

                async def look() -> frozenset[Hashable]:
                    return await news_of(self.role, documents, connector, ledger)

                await look()
                await asyncio.to_thread(place.works)
                yield look
        except Misconfigured as error:
            await asyncio.to_thread(place.troubled, error)
            raise


async def news_of(role: str, documents: tuple[str, ...], connector: Connector, ledger: Ledger) -> frozenset[Hashable]:
    """Everything of this system the ledger has not taken in yet (the first page of it is enough)."""
    cursors, waiting = await asyncio.to_thread(_remembered, ledger, role, documents)
    found = await asyncio.gather(*(_unknown(role, name, cursors[name], connector, ledger) for name in documents))
    return frozenset(waiting).union(*found)


def _remembered(ledger: Ledger, role: str, documents: tuple[str, ...]) -> tuple[Cursors, set[str]]:
    with ledger.transaction() as books:
        cursors: Cursors = {document: books.watermarks.get(role, document) for document in documents}
        waiting = {UNREAD} if books.inbox.has_unread(role) else set()
        return cursors, waiting | ({PENDING} if books.records.has_pending(role) else set())


async def _unknown(
    role: str, document: str, cursor: Mapping[str, Any] | None, connector: Connector, ledger: Ledger
) -> frozenset[Hashable]:
    async for page in connector.changes(document, cursor):
        unknown = await asyncio.to_thread(_compare, ledger, role, document, page.records)
        if unknown:
            return frozenset((document, their_id, digest) for their_id, digest in unknown)
    return frozenset()


def _compare(ledger: Ledger, role: str, document: str, records: tuple[Captured, ...]) -> set[tuple[str, str]]:
    from throughline.ledger import content_hash  # heavy: only a running trigger needs it

    told = {(record.their_id, content_hash(record.raw)) for record in records}
    if not told:
        return set()
    with ledger.transaction() as books:
        known = books.records.known(role, document, told)
    return {(their_id, digest) for their_id, digest in told if their_id not in known}
