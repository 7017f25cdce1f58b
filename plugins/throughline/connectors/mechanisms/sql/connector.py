"""A database as the rest of the hub sees it: what changed, everything there is, and nothing to write to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from types import ModuleType
from typing import Any, NoReturn

from throughline.connectors.contract import Captured, Carried, Connection, ObjectKind, Page, WholePage
from throughline.connectors.fences import fence_words
from throughline.connectors.mechanisms.sql.profile import SqlProfile
from throughline.connectors.mechanisms.sql.reading import Reader
from throughline.connectors.mechanisms.sql.speech import Horizon, Reached, Speech, speech_of
from throughline.errors import Misconfigured
from throughline.secrecy import Masker, shared

MOST_IDS = 500
"""How many single records one question may ask for."""


class SqlConnector:
    """One database whose tables we may read."""

    inbound: ModuleType | None = None

    def __init__(self, profile: SqlProfile, role: str, connection: Connection, *, masker: Masker = shared) -> None:
        self.role, self.product = role, profile.product
        self._profile, self._host = profile, connection.host
        masker.learn(connection.password)
        self._speech = speech_of(profile)
        self._source = self._speech.source(role, connection, profile.limits)
        self._readers = {
            name: Reader(name, declared, self._speech, profile.zone_info) for name, declared in profile.objects.items()
        }

    def objects(self) -> Mapping[str, ObjectKind]:
        """What is declared, by canonical document kind; all of it is asked for, none of it written."""
        return {
            name: ObjectKind(name, polled=True, fences=fence_words(declared.fence))
            for name, declared in self._profile.objects.items()
        }

    async def changes(
        self, document: str, cursor: Mapping[str, Any] | None = None, *, since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[Page]:  # fmt: skip
        """Pages of what was committed since the cursor, or inside [since, until) by the source's own stamp."""
        reader = self._reader(document)
        if since is not None or until is not None:
            pages = self._inside(reader, cursor, since, until)
        elif reader.fenced:
            pages = self._committed(reader, cursor)
        else:
            pages = self._inside(reader, cursor, None, None)
        async with aclosing(pages):
            async for page in pages:
                yield page

    async def _committed(self, reader: Reader, stored: Mapping[str, Any] | None) -> AsyncGenerator[Page, None]:
        async with self._source.moment() as moment:
            horizon = await moment.horizon()
            reached = reached_in(stored, horizon, self._speech)
            begun = {"first": True} if reached is None or reached.first else {}
            finished = {"source": horizon.source, self._speech.position: self._speech.written(horizon.bound)}
            if reached == Reached(horizon.bound):
                return
            waiting: tuple[Captured, ...] = ()
            under_way: Mapping[str, Any] = {}
            async with aclosing(reader.changed(moment, reached, horizon)) as pages:
                async for records, last in pages:
                    if waiting:
                        yield Page(waiting, under_way)
                    waiting = records
                    under_way = stored or {} if last is None else {"source": horizon.source, **last, **begun}
            yield Page(waiting, finished)

    async def _inside(
        self, reader: Reader, stored: Mapping[str, Any] | None, since: datetime | None, until: datetime | None
    ) -> AsyncGenerator[Page, None]:
        async with self._source.moment() as moment, aclosing(reader.inside(moment, since, until)) as pages:
            async for records in pages:
                yield Page(records, dict(stored or {}))

    async def whole(self, document: str, position: Mapping[str, Any] | None = None) -> AsyncIterator[WholePage]:
        """Every row by its key; a reading taken up again sees a later moment of the rest."""
        reader = self._reader(document)
        after = position["after"] if position else None
        async with self._source.moment() as moment, aclosing(reader.everything(moment, after)) as pages:
            async for records, last in pages:
                yield WholePage(records, {"after": last})

    async def again(self, document: str, their_ids: Sequence[str]) -> Mapping[str, Captured] | None:
        """Those of these rows that are there now."""
        reader, found = self._reader(document), dict[str, Captured]()
        async with self._source.moment() as moment:
            for first in range(0, len(their_ids), MOST_IDS):
                records = await reader.these(moment, their_ids[first : first + MOST_IDS])
                found |= {record.their_id: record for record in records}
        return found

    async def find(self, document: str, reference: str) -> Carried | None:
        """A database is only read; nothing of ours is in it to be found."""
        self._only_read(document, reference)

    async def send(
        self, document: str, operation: str, payload: Mapping[str, Any], *, reference: str, key: str,
    ) -> Carried:  # fmt: skip
        """Refused: another system's tables are not written."""
        del operation, payload, key
        self._only_read(document, reference)

    async def test(self) -> str:
        """Ask every declared query for no rows: login, rights, tables and columns are all tried."""
        async with self._source.moment() as moment:
            await moment.horizon()
            for reader in self._readers.values():
                await reader.try_out(moment)
        return f"{self._profile.title} answers at {self._host} and lets us read {', '.join(self._readers)}"

    async def __aenter__(self) -> SqlConnector:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._source.close()

    def _reader(self, document: str) -> Reader:
        if document not in self._readers:
            raise Misconfigured(f"{self.product} declares no {document}", where=f"system {self.role}")
        return self._readers[document]

    def _only_read(self, document: str, reference: str) -> NoReturn:
        raise Misconfigured(
            f"the tables of {self.product} are only read; {document} {reference} must go through an interface",
            where=f"system {self.role}",
        )


def reached_in(stored: Mapping[str, Any] | None, horizon: Horizon, speech: Speech) -> Reached | None:
    """Where to read on; from the beginning where it was another database, or a later state that was taken back."""
    if not stored or stored.get("source") != horizon.source:
        return None
    try:
        reached = Reached(speech.read(stored[speech.position]), stored.get("after"), bool(stored.get("first")))
    except (KeyError, TypeError, ValueError):
        raise Misconfigured("the stored cursor was written for another kind of cursor", cursor=dict(stored)) from None
    return None if reached.position > horizon.bound else reached
