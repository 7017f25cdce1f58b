"""From declared queries to captured records: pages of rows, each header with its lines, all of one moment."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from throughline.connectors.contract import Captured
from throughline.connectors.mechanisms.sql.profile import Lines, SqlObject
from throughline.connectors.mechanisms.sql.speech import Horizon, Moment, Reached, Row, Speech
from throughline.errors import Invalid, Misconfigured

Records = tuple[Captured, ...]
Place = Mapping[str, Any]
MOST_KEYS = 1000


class Reader:
    """Reads one kind of document."""

    def __init__(self, document: str, declared: SqlObject, speech: Speech, zone: ZoneInfo) -> None:
        self._document, self._declared, self._speech, self._zone = document, declared, speech, zone
        self._statements = speech.statements(declared)
        self.fenced = declared.changes is not None

    async def changed(
        self, moment: Moment, reached: Reached | None, horizon: Horizon
    ) -> AsyncGenerator[tuple[Records, Place | None], None]:
        """What was written since, and after each page how far that is; None where the order does not say."""
        assert self._declared.changes is not None  # noqa: S101 - asked only where fenced
        column, position_of = (
            self._declared.changes.column,
            self._speech.position_of(self._declared.changes.kind, horizon),
        )
        async with aclosing(moment.pages(self._statements.changed(reached, horizon))) as pages:
            async for rows in pages:
                last = None if self._statements.watches_lines else position_of(rows[-1][column])
                yield await self._records(moment, rows), None if last is None else self._place(last, rows[-1])

    def _place(self, position: int, row: Row) -> Place:
        return {self._speech.position: self._speech.written(position), "after": self._key(row)}

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
        _decoded(rows, self._declared.texts)
        for name, lines in self._declared.lines.items():
            await self._attach(moment, name, lines, rows)
        return tuple(self._captured(row) for row in rows)

    async def _attach(self, moment: Moment, name: str, lines: Lines, rows: list[Row]) -> None:
        key = self._declared.key[0]
        belonging: dict[Any, list[Row]] = {row[key]: [] for row in rows}
        for some in _in_portions(list(belonging)):
            for line in _decoded(await moment.rows(self._statements.lines(lines, some)), lines.texts):
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
            changed_at=_moment(row, declared.changed_at, self._zone),
            deleted=declared.deleted is not None and row[declared.deleted] is True,
        )  # fmt: skip

    def _key(self, row: Row) -> list[Any]:
        return [row[name] for name in self._declared.key]


def _in_portions(keys: list[Any]) -> Iterator[list[Any]]:
    """So many at a time as every database takes values in one question (SQL Server: 2,100)."""
    for first in range(0, len(keys), MOST_KEYS):
        yield keys[first : first + MOST_KEYS]


def _decoded(rows: list[Row], texts: Mapping[str, str]) -> list[Row]:
    """Columns that came as bytes (`0x…`) as text; what is none is kept in a form no field table takes for text."""
    for row in rows:
        for column, code_page in texts.items():
            if row[column] is not None:
                row[column] = _text(str(row[column]), code_page)
    return rows


def _text(told: str, code_page: str) -> str | dict[str, str]:
    if not told.startswith("0x"):
        raise Misconfigured(f"a column under `texts` is to be given as bytes (convert(varbinary(200), …)): {told!r}")
    try:
        return bytes.fromhex(told[2:]).decode(code_page)
    except UnicodeDecodeError:
        return {f"not {code_page}": told}


def _without(row: Row, column: str | None) -> Row:
    """A row without the transaction that wrote it: content is what it says, not when it was saved."""
    return {name: value for name, value in row.items() if name != column}


def _words(row: Row, column: str | None) -> str | None:
    return None if column is None or row[column] is None else str(row[column])


def _moment(row: Row, column: str | None, zone: ZoneInfo) -> datetime | None:
    """The source's own stamp, by its own clock where it names no zone; one that no calendar knows counts as none."""
    try:
        told = datetime.fromisoformat(str(row[column])) if column and row[column] else None
    except ValueError:
        return None
    return None if told is None else told.replace(tzinfo=told.tzinfo or zone)
