"""Asks a product what changed, page by page, and gives each page with the cursor to store beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from throughline.connectors.contract import Captured, Page
from throughline.connectors.mechanisms.http.child_records import ChildReader, DetailReader
from throughline.connectors.mechanisms.http.cursors import Window, backfill_window, open_window
from throughline.connectors.mechanisms.http.declared_objects import Poll
from throughline.connectors.mechanisms.http.paging import PageOfRecords, Pager, Records
from throughline.connectors.mechanisms.http.stamps import EPOCH
from throughline.connectors.mechanisms.http.talk import Talk

MOST_REREADS = 5


@dataclass(frozen=True)
class Poller:
    """Polling of one kind of document, compiled."""

    poll: Poll
    pager: Pager
    capture: Callable[[Mapping[str, Any]], Captured]
    write_stamp: Callable[[datetime], Any]
    children: tuple[ChildReader, ...]
    details: tuple[DetailReader, ...] = ()

    @property
    def by_stamp(self) -> bool:
        """Whether pages come in the order of change; by ids alone they come from inside a window of time."""
        return self.poll.paging.kind == "keyset" and len(self.poll.paging.keys) == 2

    def changes(
        self, talk: Talk, stored: Mapping[str, Any] | None, since: datetime | None, until: datetime | None
    ) -> AsyncIterator[Page]:
        """Pages of changes after the stored cursor, or inside [since, until)."""
        backfill = since is not None or until is not None
        kind = self.poll.cursor.kind
        if kind == "modified_time" and not backfill:
            return self._by_time(talk, stored, open_window(self.poll.cursor, stored, talk.wire.clock()))
        if kind == "id_greater" and not backfill:
            return self._by_id(talk, stored)
        return self._inside(talk, stored, backfill_window(self.poll.cursor, since, until, talk.wire.clock()))

    async def _by_time(self, talk: Talk, stored: Mapping[str, Any] | None, window: Window) -> AsyncIterator[Page]:
        steady = False
        waiting: tuple[Captured, ...] | None = None
        for _ in range(MOST_REREADS):
            totals: set[int | None] = set()
            async for page in self._walk(talk, window):
                if waiting is not None:
                    window.take(waiting)
                    yield Page(waiting, window.underway(in_order=self.by_stamp))
                waiting = await self.captured(talk, page, window.since)
                totals.add(page.total)
            if steady := len(totals) <= 1:
                break
        window.take(waiting or ())
        cursor = window.finished() if steady else window.underway(in_order=False)
        if waiting or cursor != stored:
            yield Page(waiting or (), cursor)

    async def _by_id(self, talk: Talk, stored: Mapping[str, Any] | None) -> AsyncIterator[Page]:
        newest = (stored or {}).get("id")
        at = newest - self.poll.cursor.overlap_ids if isinstance(newest, int) else newest
        async for page in self.pager.walk(talk, talk.wire.scope(), at):
            if not page.records:
                continue
            last = self.pager.last_key(page)
            newest = last if newest is None or last > newest else newest
            yield Page(await self.captured(talk, page), {"id": newest})

    async def _inside(self, talk: Talk, stored: Mapping[str, Any] | None, window: Window) -> AsyncIterator[Page]:
        """A backfill or a snapshot: everything inside the window; the stored cursor stays as it is."""
        async for page in self._walk(talk, window):
            records = await self.captured(talk, page, window.since)
            inside = tuple(record for record in records if _is_inside(record, window))
            if inside:
                yield Page(inside, dict(stored or {}))
            if not inside and records and self.by_stamp and _is_past(records[0], window):
                return

    def _walk(self, talk: Talk, window: Window) -> AsyncIterator[PageOfRecords]:
        if self.poll.cursor.kind == "id_greater":
            return self.pager.walk(talk, talk.wire.scope(), None)
        since = self.write_stamp(window.since)
        scope = talk.wire.scope(since=since, until=self.write_stamp(window.until))
        return self.pager.walk(talk, scope, since if self.by_stamp else None)

    async def captured(self, talk: Talk, page: PageOfRecords, since: datetime = EPOCH) -> tuple[Captured, ...]:
        """A page as captured records, with their details and children; without what changed before `since`."""
        records = self._new(page.records, since) if self.details else page.records
        for details in self.details:
            records = await details.attach(talk, records)
        for children in self.children:
            records = await children.attach(talk, records)
        return tuple(map(self.capture, records))

    def _new(self, records: Records, since: datetime) -> Records:
        """Without what changed before: a question by whole days tells much again, and each detail is one more call."""
        stamps = [self.capture(record).changed_at for record in records]
        return [record for record, at in zip(records, stamps, strict=True) if at is None or at >= since]


def _is_inside(record: Captured, window: Window) -> bool:
    return record.changed_at is None or window.begin <= record.changed_at < window.until


def _is_past(record: Captured, window: Window) -> bool:
    return record.changed_at is not None and record.changed_at >= window.until
