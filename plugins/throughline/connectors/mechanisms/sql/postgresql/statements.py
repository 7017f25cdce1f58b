"""The statements asked of a PostgreSQL source, around one declared query. Values are bound, names are quoted.

Fence W1. All rows and their upper bound come from one snapshot. The bound is `pg_snapshot_xmin`: every transaction
below it was over when the snapshot was taken, so what it wrote is visible or never will be. The next look begins where
this one ended: no row is lost, however long its transaction took, and none is read twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal, Placeholder

from throughline.connectors.mechanisms.sql.profile import Lines, SqlObject, WrittenColumn
from throughline.connectors.mechanisms.sql.speech import Horizon, Reached

Asked = tuple[Composed, dict[str, Any]]
HEADER, LINE = "header", "line"

HORIZON = SQL(
    "select (select system_identifier from pg_control_system())::text || '/' || current_database(),"
    " pg_snapshot_xmin(seen)::text::bigint, pg_snapshot_xmax(seen)::text::bigint from pg_current_snapshot() as seen"
    " where %(always)s"
)
_LOW_HALF = 0xFFFFFFFF


class PostgresStatements:
    """The statements of one kind of document."""

    def __init__(self, declared: SqlObject) -> None:
        self._declared = declared
        self._from = SQL("select * from ({query}) as header").format(query=_text(declared.query))
        self._keys = SQL(", ").join(_column(HEADER, name) for name in declared.key)
        self._their_id = SQL("concat_ws('/', {})").format(self._keys)
        self.watches_lines = any(lines.changes for lines in declared.lines.values())

    def changed(self, reached: Reached | None, horizon: Horizon) -> Asked:
        """Rows written since, by transactions that are over, oldest first where the order can be kept."""
        changes = self._declared.changes
        assert changes is not None  # noqa: S101 - the profile refuses W1 without it
        values = _values(reached, horizon)
        told = self._window(changes, reached, values)
        if reached is None or reached.first:
            told = SQL("({} or {})").format(told, _from_elsewhere(changes))
        order = self._keys if self.watches_lines else SQL("{}, {}").format(_number(HEADER, changes), self._keys)
        return SQL("{} where {} order by {}").format(self._from, told, order), values

    def _window(self, changes: WrittenColumn, reached: Reached | None, values: dict[str, Any]) -> Composed:
        """Written by a transaction of this window, in the header or in a line that is watched."""
        if reached is None:
            return SQL("{} < %(bound)s::xid8").format(_number(HEADER, changes))
        lines = [each for each in self._declared.lines.values() if each.changes]
        where = [_between(HEADER, changes), *(_lines_between(each, self._declared.key[0]) for each in lines)]
        told = SQL("({})").format(SQL(" or ").join(where))
        if reached.after is None:
            return told
        later = SQL("({} > %(from)s::xid8 or ({}) > ({}))").format(
            _number(HEADER, changes), self._keys, _bound_list(reached.after, values)
        )
        return SQL("({} and {})").format(told, later)

    def everything(self, after: Sequence[Any] | None) -> Asked:
        """All rows by their key, or those behind a key."""
        values: dict[str, Any] = {"always": True}
        where = SQL("%(always)s")
        if after is not None:
            where = SQL("({}) > ({})").format(self._keys, _bound_list(after, values))  # type: ignore[assignment]
        return SQL("{} where {} order by {}").format(self._from, where, self._keys), values

    def these(self, their_ids: Sequence[str]) -> Asked:
        """The rows with these ids."""
        return SQL("{} where {} = any(%(ids)s)").format(self._from, self._their_id), {"ids": list(their_ids)}

    def inside(self, since: Any, until: Any) -> Asked:
        """Rows changed inside a window; all rows where the source does not say when they changed."""
        if self._declared.changed_at is None:
            return self.everything(None)
        column = _column(HEADER, self._declared.changed_at)
        told = SQL("{} where (%(since)s::timestamptz is null or {} >= %(since)s)").format(self._from, column)
        told += SQL(" and (%(until)s::timestamptz is null or {} < %(until)s) order by {}").format(column, self._keys)
        return told, {"since": since, "until": until}

    def nothing(self) -> Asked:
        """The query without a row: whether its tables and columns are there for us."""
        return SQL("{} where not %(always)s").format(self._from), {"always": True}

    @staticmethod
    def lines(declared: Lines, parents: Sequence[Any]) -> Asked:
        """The lines of these headers in their declared order."""
        order = SQL(", ").join(_column(LINE, name) for name in declared.order_by)
        told = SQL("select * from ({}) as line where {} = any(%(parents)s) order by {}").format(
            _text(declared.query), _column(LINE, declared.parent), order
        )
        return told, {"parents": list(parents)}


def _text(query: str) -> SQL:
    """The declared query as it stands; the profile's parser has read it as one SELECT."""
    return SQL(query.strip().rstrip(";").replace("%", "%%") + "\n")


def _column(row: str, name: str) -> Composed:
    return SQL("{}.{}").format(Identifier(row), Identifier(name))


def _values(reached: Reached | None, horizon: Horizon) -> dict[str, Any]:
    values = {"bound": str(horizon.bound), "following": str(horizon.following), "last": horizon.following - 1}
    return values if reached is None else {**values, "from": str(reached.position)}


def _number(row: str, changes: WrittenColumn) -> Composable:
    """The transaction of a row, in a form that compares with `%s::xid8`.

    `xmin` has only 32 bits and begins anew every four thousand million transactions. The newest full id with these bits
    that is not beyond the snapshot is the right one for every row that is not frozen; the transaction of a frozen row
    was over long ago, and at worst the row is read once more after such a turn.
    """
    column = _column(row, changes.column)
    if changes.kind == "xid8":
        return column
    low = SQL("((%(last)s::bigint - {}::text::bigint) & {})").format(column, Literal(_LOW_HALF))
    return SQL("(%(last)s::bigint - {})::text::xid8").format(low)


def _between(row: str, changes: WrittenColumn) -> Composed:
    return SQL("({0} >= %(from)s::xid8 and {0} < %(bound)s::xid8)").format(_number(row, changes))


def _from_elsewhere(changes: WrittenColumn) -> Composed:
    """Rows with ids this cluster has not given out yet (restored from another one) or with none.

    Whoever sees them in a snapshot knows that they are committed; the first look takes them.
    """
    return SQL("({0} >= %(following)s::xid8 or {0} is null)").format(_number(HEADER, changes))


def _lines_between(lines: Lines, key: str) -> Composed:
    assert lines.changes is not None  # noqa: S101 - asked before
    return SQL("{} in (select {} from ({}) as line where {})").format(
        _column(HEADER, key), _column(LINE, lines.parent), _text(lines.query), _between(LINE, lines.changes)
    )


def _bound_list(after: Sequence[Any], values: dict[str, Any]) -> Composed:
    names = [f"after_{place}" for place in range(len(after))]
    values |= dict(zip(names, after, strict=True))
    return SQL(", ").join(Placeholder(name) for name in names)
