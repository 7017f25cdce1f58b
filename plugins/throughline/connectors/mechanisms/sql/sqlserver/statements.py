"""The statements asked of a SQL Server source, around one declared query.

Fence W1. A rowversion is given out when a row is written, not when its transaction commits.
`MIN_ACTIVE_ROWVERSION()` is the lowest one in a transaction that is still open. It is read first, then the rows below
it. Between the two questions nothing can slip in: what was below it is over, so its rows are visible or never will be;
a row that is changed now gets a rowversion above it and is read at the next look, which begins at this bound.

Values never enter a statement's text: all go as parameters of `sp_executesql`, which the server binds. The driver
writes them as literals (it doubles quotes; a backslash means nothing to SQL Server), the statement itself is one of
them. Names come from the profile only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from throughline.connectors.mechanisms.sql.dialects import Dialect
from throughline.connectors.mechanisms.sql.profile import Lines, SqlObject, WrittenColumn
from throughline.connectors.mechanisms.sql.queries import ANY_COLUMN, columns_of
from throughline.connectors.mechanisms.sql.speech import Horizon, Reached
from throughline.connectors.mechanisms.sql.sqlserver.rowversions import packed

HEADER, LINE = "header", "line"
HORIZON = (
    "SELECT seen.name AS name, seen.service_broker_guid AS broker, seen.create_date AS made, "
    "seen.is_read_only AS frozen, DATABASEPROPERTYEX(DB_NAME(), N'Updateability') AS updateability, "
    "MIN_ACTIVE_ROWVERSION() AS bound, @@DBTS AS last FROM sys.databases AS seen WHERE seen.database_id = DB_ID()"
)
MOST_TEXT = 4000


@dataclass
class Asked:
    """A statement with its values, each under a name of ours, and the types they are bound as."""

    text: str = ""
    types: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any) -> str:
        """Take a value in; its place in the statement."""
        name = f"p{len(self.values)}"
        self.types[name], self.values[name] = _type_of(value), value
        return f"@{name}"


class SqlServerStatements:
    """The statements of one kind of document."""

    def __init__(self, declared: SqlObject, zone: ZoneInfo) -> None:
        self._declared, self._zone = declared, zone
        self._from = _selected(HEADER, declared.query)
        self._keys = [_column(HEADER, name) for name in declared.key]
        self.watches_lines = any(lines.changes for lines in declared.lines.values())

    def changed(self, reached: Reached | None, horizon: Horizon) -> Asked:
        """Rows written since and below the bound, oldest first where the order can be kept."""
        changes = self._declared.changes
        assert changes is not None  # noqa: S101 - the profile refuses W1 without it
        asked = Asked()
        where = self._window(changes, reached, asked.bind(packed(horizon.bound)), asked)
        if reached is None or reached.first:
            where = f"({where} OR {_column(HEADER, changes.column)} IS NULL)"
        order = self._keys if self.watches_lines else [_column(HEADER, changes.column), *self._keys]
        asked.text = f"{self._from} WHERE {where} ORDER BY {', '.join(order)}"
        return asked

    def _window(self, changes: WrittenColumn, reached: Reached | None, bound: str, asked: Asked) -> str:
        """Written between two rowversions, in the header or in a line that is watched."""
        column = _column(HEADER, changes.column)
        if reached is None:
            return f"{column} < {bound}"
        since = asked.bind(packed(reached.position))
        where = [f"({column} >= {since} AND {column} < {bound})"]
        where += [self._lines_between(each, since, bound) for each in self._declared.lines.values() if each.changes]
        return f"({' OR '.join(where)})"

    def _lines_between(self, lines: Lines, since: str, bound: str) -> str:
        assert lines.changes is not None  # noqa: S101 - asked before
        column = _column(LINE, lines.changes.column)
        inside = _around(LINE, lines.query, _column(LINE, lines.parent))
        return f"{self._keys[0]} IN ({inside} WHERE {column} >= {since} AND {column} < {bound})"

    def _behind(self, after: Sequence[Any], asked: Asked) -> str:
        """(k1, k2) > (a, b), which SQL Server cannot compare at once."""
        values = [asked.bind(value) for value in after]
        told = []
        for place, key in enumerate(self._keys):
            same = [f"{earlier} = {value}" for earlier, value in zip(self._keys[:place], values, strict=False)]
            told.append(f"({' AND '.join([*same, f'{key} > {values[place]}'])})")
        return f"({' OR '.join(told)})"

    def everything(self, after: Sequence[Any] | None) -> Asked:
        """All rows by their key, or those behind a key.

        From the beginning where the key is text: `varchar` columns of some collations are sorted by other rules than
        our Unicode value is compared by, and "behind" would leave rows out.
        """
        asked = Asked()
        if after is not None and any(isinstance(part, str) for part in after):
            after = None
        where = "1 = 1" if after is None else self._behind(after, asked)
        asked.text = f"{self._from} WHERE {where} ORDER BY {', '.join(self._keys)}"
        return asked

    def these(self, their_ids: Sequence[str]) -> Asked:
        """The rows with these ids. Compared as text, so that an id of another kind of value is no error."""
        asked = Asked()
        parts = [f"CONVERT(nvarchar({MOST_TEXT}), {key})" for key in self._keys]
        between = ", N'/', "
        told = parts[0] if len(parts) == 1 else f"CONCAT({between.join(parts)})"
        asked.text = f"{self._from} WHERE {told} IN ({', '.join(asked.bind(each) for each in their_ids) or 'NULL'})"
        return asked

    def inside(self, since: Any, until: Any) -> Asked:
        """Rows changed inside a window; all rows where the source does not say when they changed."""
        if self._declared.changed_at is None:
            return self.everything(None)
        asked, column = Asked(), _column(HEADER, self._declared.changed_at)
        ends = [(since, ">="), (until, "<")]
        where = [
            f"{column} {sign} CAST({asked.bind(self._local(end))} AS datetime2(7))" for end, sign in ends if end
        ] or ["1 = 1"]  # fmt: skip
        asked.text = f"{self._from} WHERE {' AND '.join(where)} ORDER BY {', '.join([column, *self._keys])}"
        return asked

    def _local(self, moment: datetime) -> str:
        """By the source's own clock; in the one spelling that means the same under every language setting."""
        return moment.astimezone(self._zone).replace(tzinfo=None).isoformat(timespec="microseconds")

    def nothing(self) -> Asked:
        """The query without a row: whether its tables and columns are there for us."""
        return Asked(f"{self._from} WHERE 1 = 0")

    def lines(self, declared: Lines, parents: Sequence[Any]) -> Asked:
        """The lines of these headers in their declared order."""
        asked = Asked()
        places = ", ".join(asked.bind(parent) for parent in parents) or "NULL"
        order = ", ".join(_column(LINE, name) for name in declared.order_by)
        where = f"{_column(LINE, declared.parent)} IN ({places})"
        asked.text = f"{_selected(LINE, declared.query)} WHERE {where} ORDER BY {order}"
        return asked


def _selected(row: str, query: str) -> str:
    """The declared query with its columns spelled as it names them."""
    names = columns_of(query, Dialect.SQLSERVER)
    columns = f"{row}.*"
    if ANY_COLUMN not in names:
        columns = ", ".join(f"{_column(row, name)} AS {_quoted(name)}" for name in sorted(names))
    return _around(row, query, columns)


def _around(row: str, query: str, columns: str) -> str:
    """The declared query as it stands: the profile's parser has read it as one SELECT."""
    inside = query.strip().rstrip(";")
    return f"SELECT {columns} FROM ({inside}\n) AS {row}"  # noqa: S608 - words of the profile, never of data


def _column(row: str, name: str) -> str:
    return f"{row}.{_quoted(name)}"


def _quoted(name: str) -> str:
    return f"[{name.replace(']', ']]')}]"


def _type_of(value: Any) -> str:
    if isinstance(value, bytearray):
        return "binary(8)"
    if isinstance(value, bool):
        return "bit"
    if isinstance(value, int):
        return "bigint" if -(2**63) <= value < 2**63 else "decimal(38, 0)"
    if isinstance(value, Decimal):
        return f"decimal(38, {max(0, -int(value.as_tuple().exponent))})"
    return f"nvarchar({MOST_TEXT})" if len(str(value)) <= MOST_TEXT // 2 else "nvarchar(max)"
