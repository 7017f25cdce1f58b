"""From declared queries to captured records: pages of rows, each header with its lines, all of one moment."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

from throughline.connectors.contract import Captured
from throughline.connectors.mechanisms.sql.profile import Lines, SqlObject
from throughline.connectors.mechanisms.sql.session import Moment, Row
from throughline.connectors.mechanisms.sql.statements import Horizon, Reached, Statements
from throughline.errors import Invalid

Records = tuple[Captured, ...]
Place = Mapping[str, Any]


class Reader:
    """Reads one kind of document."""

    def __init__(self, document: str, declared: SqlObject) -> None:
        self._document, self._declared = document, declared
        self._statements = Statements(declared)
        self.fenced = declared.changes is not None

    async def changed(
        self, moment: Moment, reached: Reached | None, horizon: Horizon
    ) -> AsyncGenerator[tuple[Records, Place | None], None]:
        """What was written since, and after each page how far that is; None where the order does not say."""
        assert self._declared.changes is not None  # noqa: S101 - asked only where fenced
        column, full = self._declared.changes.column, _Full(self._declared.changes.kind, horizon)
        async with aclosing(moment.pages(self._statements.changed(reached, horizon))) as pages:
            async for rows in pages:
                last = None if self._statements.watches_lines else full(rows[-1][column])
                place = None if last is None else {"xid": str(last), "after": self._key(rows[-1])}
                yield await self._records(moment, rows), place

    async def everything(
        self, moment: Moment, after: Sequence[Any] | None
    ) -> AsyncGenerator[tuple[Records, list[Any]], None]:  # fmt: skip
        """All rows behind a key, and the last key of each page."""
        async with aclosing(moment.pages(self._statements.everything(after))) as pages:
            async for rows in pages:
                yield await self._records(moment, rows), self._key(rows[-1])

    async def inside(
        self, moment: Moment, since: datetime | None, until: datetime | None
    ) -> AsyncGenerator[Records, None]:
        """Rows the source says were changed in a window."""
        async with aclosing(moment.pages(self._statements.inside(since, until))) as pages:
            async for rows in pages:
                yield await self._records(moment, rows)

    async def these(self, moment: Moment, their_ids: Sequence[str]) -> Records:
        """The rows with these ids."""
        return await self._records(moment, await moment.rows(self._statements.these(their_ids)))

    async def try_out(self, moment: Moment) -> None:
        """Ask for nothing, to see whether the queries may be asked."""
        await moment.rows(self._statements.nothing())
        for lines in self._declared.lines.values():
            await moment.rows(self._statements.lines(lines, []))

    async def _records(self, moment: Moment, rows: list[Row]) -> Records:
        for name, lines in self._declared.lines.items():
            await self._attach(moment, name, lines, rows)
        return tuple(self._captured(row) for row in rows)

    async def _attach(self, moment: Moment, name: str, lines: Lines, rows: list[Row]) -> None:
        key = self._declared.key[0]
        belonging: dict[Any, list[Row]] = {row[key]: [] for row in rows}
        if belonging:
            for line in await moment.rows(self._statements.lines(lines, list(belonging))):
                belonging[line[lines.parent]].append(_without(line, lines.changes.column if lines.changes else None))
        for row in rows:
            row[name] = belonging[row[key]]

    def _captured(self, row: Row) -> Captured:
        declared = self._declared
        key = self._key(row)
        if any(part is None or part == "" for part in key):
            raise Invalid(f"a {self._document} row without {', '.join(declared.key)} cannot be known again")
        written = declared.changes.column if declared.changes else None
        return Captured(
            document=self._document, their_id="/".join(map(str, key)), raw=_without(row, written),
            number=_words(row, declared.number), revision=_words(row, declared.revision or written) or "",
            changed_at=_moment(row, declared.changed_at),
            deleted=declared.deleted is not None and row[declared.deleted] is True,
        )  # fmt: skip

    def _key(self, row: Row) -> list[Any]:
        return [row[name] for name in self._declared.key]


class _Full:
    """The full id of the transaction in a column; the same reckoning as in `statements`."""

    def __init__(self, kind: str, horizon: Horizon) -> None:
        self._kind, self._last = kind, horizon.following - 1

    def __call__(self, told: Any) -> int | None:
        if told is None or self._kind == "xid8":
            return None if told is None else int(told)
        return self._last - ((self._last - int(told)) & 0xFFFFFFFF)


def _without(row: Row, column: str | None) -> Row:
    """A row without the transaction that wrote it: content is what it says, not when it was saved."""
    return {name: value for name, value in row.items() if name != column}


def _words(row: Row, column: str | None) -> str | None:
    return None if column is None or row[column] is None else str(row[column])


def _moment(row: Row, column: str | None) -> datetime | None:
    """The source's own stamp; one that no calendar knows counts as none."""
    try:
        told = datetime.fromisoformat(str(row[column])) if column and row[column] else None
    except ValueError:
        return None
    return None if told is None else told.replace(tzinfo=told.tzinfo or UTC)
