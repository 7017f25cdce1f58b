"""Where to read on from, and how far behind that to look again for records that appear late.

A stored cursor is `{"at": moment, "deep": moment}`: the newest change stamp seen, and when the last deep look back was
taken. It never runs ahead of our own clock, so one record from the future cannot hide the present.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from throughline.connectors.contract import Captured
from throughline.connectors.mechanisms.http.declared_objects import Cursor
from throughline.connectors.mechanisms.http.stamps import EPOCH, smallest_step
from throughline.errors import Misconfigured


@dataclass
class Window:
    """The stretch of time one poll reads, and the cursor it leads to.

    `since` and `until` are what is asked for; `begin` is where the stored cursor was, `newest` how far we have come.
    """

    since: datetime
    until: datetime
    begin: datetime
    newest: datetime
    deep: datetime
    now: datetime

    def take(self, records: tuple[Captured, ...]) -> None:
        """Move on to the newest of these records, but never beyond our own clock."""
        for record in records:
            if record.changed_at is not None and record.changed_at > self.newest:
                self.newest = min(record.changed_at, self.now)

    def finished(self) -> dict[str, str]:
        """The cursor once all of this window is stored."""
        return {"at": max(self.newest, self.begin).isoformat(), "deep": self.deep.isoformat()}

    def underway(self, *, in_order: bool) -> dict[str, str]:
        """The cursor while pages are still to come; an unfinished look back does not count as taken."""
        at = self.newest if in_order else self.begin
        return {"at": at.isoformat(), "deep": EPOCH.isoformat()}


def open_window(declared: Cursor, stored: Mapping[str, Any] | None, now: datetime) -> Window:
    """The window to read now: from the stored cursor, less its overlap, until now."""
    if not stored:
        return Window(EPOCH, now, EPOCH, EPOCH, now, now)
    try:
        at = datetime.fromisoformat(stored["at"])
        deep = datetime.fromisoformat(stored.get("deep", EPOCH.isoformat()))
    except (KeyError, TypeError, ValueError):
        raise Misconfigured("the stored cursor was written for another kind of cursor", cursor=dict(stored)) from None
    back, deep = _look_back(declared, deep, now)
    since = max(EPOCH, at - back) - smallest_step(declared.format)
    return Window(max(EPOCH, since), now, at, at, deep, now)


def backfill_window(declared: Cursor, since: datetime | None, until: datetime | None, now: datetime) -> Window:
    """Exactly [since, until): the moments asked for include both ends, what lies outside is left out afterwards."""
    begin, end = since or EPOCH, until or now
    return Window(max(EPOCH, begin - smallest_step(declared.format)), end, begin, begin, EPOCH, max(now, end))


def _look_back(declared: Cursor, deep: datetime, now: datetime) -> tuple[timedelta, datetime]:
    if declared.overlap is None:
        return timedelta(0), now
    if not timedelta(0) <= now - deep < timedelta(seconds=declared.overlap.every):  # a clock set back takes one too
        return timedelta(seconds=declared.overlap.seconds), now
    return timedelta(seconds=min(declared.overlap.between, declared.overlap.seconds)), deep
