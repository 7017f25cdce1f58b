"""One transaction's hands: run statements, fill entries, remember what must happen when it commits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any, TypeVar

import psycopg
from psycopg.rows import class_row

from throughline.ledger.entries import AuditEntry
from throughline.ledger.exact_json import dumps

T = TypeVar("T")
CHANNEL = "throughline_ready"
"""Where PostgreSQL tells listeners that there is work."""
BATCH = 5_000
"""Rows that travel in one parameter: enough to be quick, few enough to stay far below what jsonb can hold."""


class Session:
    """A transaction on one connection, with the moment it takes place (asked once, so that its rows agree)."""

    def __init__(self, connection: psycopg.Connection[Any], clock: Callable[[], datetime]) -> None:
        self.connection = connection
        self.now = clock()
        self.news: set[str] = set()
        """What became ready here, told to listeners at commit."""
        self.names: set[str] = set()
        """What was registered or is awaited here: looked at once more after the commit, see `identities`."""
        self.audited: list[AuditEntry] = []
        """Audit entries, written last so that the chain's lock is held for a moment only."""

    def run(self, statement: str, *parameters: Any) -> int:
        """Run one statement; answers how many rows it touched."""
        return self.connection.execute(statement, parameters).rowcount

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The answer as plain rows."""
        return self.connection.execute(statement, parameters).fetchall()

    def value(self, statement: str, *parameters: Any) -> Any:
        """The first column of the first row, or None."""
        row = self.connection.execute(statement, parameters).fetchone()
        return row[0] if row else None

    def entries(self, kind: type[T], statement: str, *parameters: Any) -> list[T]:
        """The answer as entries; the statement's columns are the entry's fields."""
        with self.connection.cursor(row_factory=_entry_maker(kind)) as cursor:
            return cursor.execute(statement, parameters).fetchall()


def _entry_maker(kind: type[T]) -> Callable[[psycopg.Cursor[Any]], Callable[[Sequence[Any]], T]]:
    """Rows as entries: by position, which is quicker, where the columns stand like the fields; otherwise by name."""

    def maker(cursor: psycopg.Cursor[Any]) -> Callable[[Sequence[Any]], T]:
        result = cursor.pgresult
        names = _names(kind)  # type: ignore[arg-type]  # a class is hashable, whatever mypy thinks of type[T]
        if result is None or [result.fname(place) for place in range(result.nfields)] != names:
            return class_row(kind)(cursor)
        return lambda values: kind(*values)

    return maker


@cache
def _names(kind: type[Any]) -> list[bytes]:
    return [field.name.encode() for field in fields(kind)]


def as_rows(rows: Iterable[dict[str, Any]]) -> str:
    """Rows as the one parameter of a statement that reads them `from jsonb_to_recordset(%s) as x(…)`."""
    return dumps(list(rows))


def batches(rows: Sequence[T], size: int = BATCH) -> Iterator[list[T]]:
    """The rows in handy portions."""
    remaining = iter(rows)
    while portion := list(islice(remaining, size)):
        yield portion
