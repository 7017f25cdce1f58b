"""What an emulator remembers: documents, their change stamps in milliseconds, numbering, unique fields.

One SQLite file per emulator. A committed document survives a kill of the process (WAL); it is not forced to the disk
for every call (synchronous=OFF), because a benchmark sends 500 calls a second.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.plant.emulators import exact_json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (kind TEXT, id TEXT, number TEXT, parent TEXT, status TEXT, created INTEGER,
  changed INTEGER, body TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_change ON documents (kind, changed, id);
CREATE INDEX IF NOT EXISTS by_number ON documents (kind, number);
CREATE INDEX IF NOT EXISTS by_parent ON documents (kind, parent);
CREATE INDEX IF NOT EXISTS by_status ON documents (kind, status, changed, id);
CREATE TABLE IF NOT EXISTS uniques (kind TEXT, field TEXT, value TEXT, id TEXT, PRIMARY KEY (kind, field, value))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;
"""
# Few kinds, few documents for each number or parent: told beforehand, because a planner that has to guess reads a whole
# kind in the order of its keys instead.
_STATISTICS = {
    "documents": "1000000 100000 1", "by_change": "1000000 100000 4 1", "by_number": "1000000 100000 1",
    "by_parent": "1000000 100000 3", "by_status": "1000000 100000 20000 4 1",
}  # fmt: skip
_COLUMNS = "kind, id, number, parent, status, created, changed, body"


def wall_milliseconds() -> int:
    """The time of day in milliseconds since 1970, as these vendors stamp their changes."""
    return time.time_ns() // 1_000_000


class Duplicate(Exception):
    """A value that has to be unique is there already."""

    def __init__(self, field: str, value: str, holder: str) -> None:
        super().__init__(f"{field} {value} is already used by {holder}")
        self.field, self.value, self.holder = field, value, holder


@dataclass(slots=True)
class Record:
    """One stored document: what every system keeps about it, and its own fields in `body`."""

    kind: str
    key: str
    number: str
    parent: str
    status: str
    created: int
    changed: int
    body: dict[str, Any]


class DocumentStore:
    """The one file behind an emulator; used from one thread."""

    def __init__(self, path: Path, clock: Callable[[], int] = wall_milliseconds) -> None:
        self.clock = clock
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=OFF", "temp_store=MEMORY", "cache_size=-65536"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.executescript(_SCHEMA)
        self._tell_planner()

    def _tell_planner(self) -> None:
        self.connection.execute("ANALYZE")
        self.connection.execute("DELETE FROM sqlite_stat1 WHERE tbl='documents'")
        rows = [("documents", index, numbers) for index, numbers in _STATISTICS.items()]
        self.connection.executemany("INSERT INTO sqlite_stat1 VALUES (?,?,?)", rows)
        self.connection.execute("ANALYZE sqlite_schema")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: what is written inside is committed together, or not at all when something is refused."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def insert(
        self, kind: str, key: str, body: Mapping[str, Any], *, number: str = "", parent: str = "", status: str = "",
        unique: Mapping[str, str] | None = None,
    ) -> Record:  # fmt: skip
        """Add a document; `Duplicate` when its key or one of its unique fields is there already."""
        for field, value in (unique or {}).items():
            self._claim(kind, field, value, key)
        now = self.clock()
        record = Record(kind, key, number, parent, status, now, now, dict(body))
        try:
            self.connection.execute(
                "INSERT INTO documents VALUES (?,?,?,?,?,?,?,?)",
                (kind, key, number, parent, status, now, now, exact_json.dumps(body)),
            )
        except sqlite3.IntegrityError:
            raise Duplicate("id", key, key) from None
        return record

    def _claim(self, kind: str, field: str, value: str, key: str) -> None:
        try:
            self.connection.execute("INSERT INTO uniques VALUES (?,?,?,?)", (kind, field, value, key))
        except sqlite3.IntegrityError:
            raise Duplicate(field, value, self.holder(kind, field, value) or "?") from None

    def holder(self, kind: str, field: str, value: str) -> str | None:
        """The key of the document that holds this unique value."""
        found = self.connection.execute(
            "SELECT id FROM uniques WHERE kind=? AND field=? AND value=?", (kind, field, value)
        ).fetchone()
        return found[0] if found else None

    def save(self, record: Record) -> None:
        """Write a changed document back with a new change stamp."""
        record.changed = self.clock()
        self.connection.execute(
            "UPDATE documents SET number=?, parent=?, status=?, changed=?, body=? WHERE kind=? AND id=?",
            (record.number, record.parent, record.status, record.changed, exact_json.dumps(record.body), record.kind,
             record.key),
        )  # fmt: skip

    def remove(self, record: Record) -> None:
        """Delete a document and free its unique values; no trace is left, as in these systems."""
        self.connection.execute("DELETE FROM documents WHERE kind=? AND id=?", (record.kind, record.key))
        self.connection.execute("DELETE FROM uniques WHERE kind=? AND id=?", (record.kind, record.key))

    def get(self, kind: str, key: str) -> Record | None:
        """The document with this key."""
        return self._first("kind=? AND id=?", (kind, key))

    def numbered(self, kind: str, number: str) -> Record | None:
        """The document with this business number."""
        return self._first("kind=? AND number=?", (kind, number))

    def children(self, kind: str, parent: str) -> list[Record]:
        """The lines of a document, oldest first."""
        return self.select(kind, "parent=?", (parent,), order="created, id")

    def _first(self, where: str, values: Sequence[Any]) -> Record | None:
        row = self.connection.execute(f"SELECT {_COLUMNS} FROM documents WHERE {where}", values).fetchone()  # noqa: S608 - our own text
        return _record(row) if row else None

    def select(
        self, kind: str, where: str = "1", values: Sequence[Any] = (), *, order: str = "changed, id", limit: int = -1,
        offset: int = 0,
    ) -> list[Record]:  # fmt: skip
        """Documents of a kind that meet a condition; condition and order are SQL written by the facades."""
        text = f"SELECT {_COLUMNS} FROM documents WHERE kind=? AND ({where}) ORDER BY {order} LIMIT ? OFFSET ?"  # noqa: S608 - values are bound
        return [_record(row) for row in self.connection.execute(text, (kind, *values, limit, offset))]

    def count(self, kind: str, where: str = "1", values: Sequence[Any] = ()) -> int:
        """How many documents of a kind meet a condition."""
        text = f"SELECT count(*) FROM documents WHERE kind=? AND ({where})"  # noqa: S608 - values are bound
        return int(self.connection.execute(text, (kind, *values)).fetchone()[0])

    def counts(self) -> dict[str, int]:
        """How many documents there are of each kind."""
        return dict(self.connection.execute("SELECT kind, count(*) FROM documents GROUP BY kind"))

    def next_number(self, name: str) -> int:
        """1, 2, 3 … for each name, without gaps unless the transaction is taken back."""
        text = "INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"
        return int(self.connection.execute(text, (name,)).fetchone()[0])

    def clear(self) -> None:
        """Forget everything."""
        tables = [row[0] for row in self.connection.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        for table in tables:
            if not table.startswith("sqlite_"):
                self.connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the file itself

    def close(self) -> None:
        """Close the file."""
        self.connection.close()


def _record(row: tuple[Any, ...]) -> Record:
    return Record(row[0], row[1], row[2], row[3], row[4], row[5], row[6], exact_json.loads(row[7]))
