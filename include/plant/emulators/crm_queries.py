"""The CRM's `search_query_info`, with its three hard limits, turned into SQL."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from include.plant.emulators.calls import Refused
from include.plant.emulators.crm_schema import WRONG_VALUE, CrmObject
from include.plant.emulators.document_store import DocumentStore, Record

_UNIQUE = "id IN (SELECT u.id FROM uniques u WHERE u.kind=? AND u.field=? AND u.value=?)"
_SHOWN_BY = "changed + (unicode(substr(id, -1)) * 7 % 8) * ? / 7 <= ?"
"""Records show in another order than they were stamped: each by the last digit of its id."""
_COMPARISONS = {"EQ": "=", "N": "<>", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="}


class CrmQuery:
    """One query: an object, filters, an order and a page."""

    def __init__(
        self, kind: CrmObject, data: Mapping[str, Any], not_after: int | None, late: tuple[int, int] | None = None
    ) -> None:
        self._kind = kind
        told = data.get("search_query_info")
        self._told: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
        self.limit, self.offset = self._page()
        self._where: list[str] = []
        self._values: list[Any] = []
        for each in self._told.get("filters") or []:
            self._add(each)
        if not_after is not None:
            self._where.append("changed <= ?")
            self._values.append(not_after)
        if late is not None:
            self._where.append(_SHOWN_BY)
            self._values.extend(late)
        self.wants_total = data.get("find_explicit_total_num", True) is not False

    def _page(self) -> tuple[int, int]:
        limit, offset = self._told.get("limit", 20), self._told.get("offset", 0)
        if not isinstance(limit, int) or not 1 <= limit <= 100:
            raise Refused(WRONG_VALUE, "limit 必须在 1 到 100 之间")
        if not isinstance(offset, int) or offset < 0 or offset % limit:
            raise Refused(WRONG_VALUE, "offset 必须为 limit 的整数倍")
        if offset > 10000:
            raise Refused(WRONG_VALUE, "offset 不能大于 10000")
        return limit, offset

    def _add(self, told: Mapping[str, Any]) -> None:
        values = told.get("field_values")
        if not isinstance(values, list):
            raise Refused(WRONG_VALUE, "field_values 必须为列表")
        field, operator = str(told.get("field_name")), str(told.get("operator"))
        column, bound_values = self._kind.column(field), [_bound(value) for value in values]
        if operator == "EQ" and field in self._kind.unique:
            text, bound = _UNIQUE, [self._kind.name, field, *(bound_values[:1] or [None])]
        else:
            text, bound = _condition(column, operator, bound_values)
        self._where.append(text)
        self._values.extend(bound)

    def _order(self) -> str:
        told = self._told.get("orders") or [{"fieldName": "create_time", "isAsc": False}]
        terms = [f"{self._kind.column(str(o.get('fieldName')))} {'ASC' if o.get('isAsc') else 'DESC'}" for o in told]
        return ", ".join([*terms, "id"])

    def records(self, store: DocumentStore) -> list[Record]:
        """The page as it is right now: rows move between pages when they change in between."""
        where = " AND ".join(self._where) or "1"
        order = self._order()
        return store.select(self._kind.name, where, self._values, order=order, limit=self.limit, offset=self.offset)

    def total(self, store: DocumentStore) -> int:
        """How many there are in all."""
        return store.count(self._kind.name, " AND ".join(self._where) or "1", self._values)

    def projected(self, row: dict[str, Any]) -> dict[str, Any]:
        """Only the fields that were asked for; the id always."""
        wanted = self._told.get("fieldProjection")
        return row if not wanted else {name: row[name] for name in dict.fromkeys(["_id", *wanted]) if name in row}


def _condition(column: str, operator: str, values: list[Any]) -> tuple[str, list[Any]]:
    first = values[:1] or [None]
    if operator in _COMPARISONS:
        return f"{column} {_COMPARISONS[operator]} ?", first
    if operator in ("IN", "NIN"):
        marks = ",".join("?" * len(values))
        return f"{column} {'NOT ' if operator == 'NIN' else ''}IN ({marks})", values
    if operator in ("LIKE", "STARTWITH"):
        return f"{column} LIKE ?", [f"{'%' if operator == 'LIKE' else ''}{first[0]}%"]
    if operator == "BETWEEN" and len(values) == 2:
        return f"{column} BETWEEN ? AND ?", values
    if operator in ("IS", "ISN"):
        return f"coalesce({column}, '') {'=' if operator == 'IS' else '<>'} ''", []
    raise Refused(WRONG_VALUE, f"不支持的操作符 {operator}")


def _bound(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value if isinstance(value, int | str) or value is None else str(value)
