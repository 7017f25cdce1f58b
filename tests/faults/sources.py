"""Simulated systems that are asked what changed: rows with a change stamp, some of which appear late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Row:
    """One version of one record, and from when on anybody can see it."""

    id: str
    changed: int
    visible: float
    body: dict[str, Any]


class Source:
    """The records of one kind. A change is stamped when it is made, and seen when its transaction ends."""

    def __init__(self, now: Callable[[], float], millis: Callable[[float], int], grain: int) -> None:
        self._now, self._millis, self._grain = now, millis, grain
        self._versions: dict[str, list[Row]] = {}
        self.stale_until = 0.0
        """until then a replica answers that has not heard of the newest versions"""

    def commit(self, record_id: str, body: dict[str, Any], *, after: float = 0.0) -> Row:
        """A version stamped now, visible after so many seconds."""
        stamp = self._millis(self._now()) // self._grain * self._grain
        row = Row(record_id, stamp, self._now() + after, {**body, "changed": stamp})
        self._versions.setdefault(record_id, []).append(row)
        return row

    def seen(self) -> list[Row]:
        """The newest visible version of every record, in the order of stamp and id."""
        now, rows = self._now(), []
        stale = now < self.stale_until
        for versions in self._versions.values():
            visible = [row for row in versions if row.visible <= now]
            if visible:
                rows.append(visible[-2] if stale and len(visible) > 1 else visible[-1])
        return sorted(rows, key=lambda row: (row.changed, row.id))

    def changed(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One page, as the question wants it: after a stamp, or of a stamp after an id, or by page number."""
        rows = self.seen()
        if "at" in asked:
            rows = [row for row in rows if row.changed == int(asked["at"]) and row.id > str(asked["id"])]
        elif "until" in asked:
            rows = [row for row in rows if int(asked["after"]) < row.changed <= int(asked["until"])]
        else:
            rows = [row for row in rows if row.changed > int(asked["after"])]
        size, first = int(asked["size"]), int(asked.get("page", 1)) - 1
        page = rows[first * size : (first + 1) * size]
        return {"code": 0, "data": {"list": [row.body for row in page], "total": len(rows)}}
