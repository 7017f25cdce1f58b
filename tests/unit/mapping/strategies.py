"""Canonical documents that a given table can carry, made from the table itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from hypothesis import strategies as st

from tests.unit.mapping.conftest import OWNERS
from throughline.canonical import DOCUMENTS, CanonicalDocument, line_reference, reference
from throughline.mapping import Table
from throughline.mapping.shapes import Shape, Sort, shapes_of
from throughline.mapping.vocabulary import FieldSpec

WORDS = st.text(
    st.sampled_from("ABCxyz0123456789-_./ %#重工机械轴承䶮𠮷ñé"), min_size=1, max_size=12
).filter(lambda text: text == text.strip())  # fmt: skip
DIGITS = st.from_regex(r"(0|[1-9][0-9]{0,17})", fullmatch=True)
AMOUNTS = st.decimals(min_value=Decimal(0), max_value=Decimal(10) ** 30, places=6, allow_nan=False)
WHOLE = st.integers(min_value=0, max_value=10**20).map(Decimal)
DATES = st.dates(min_value=date(1992, 1, 1), max_value=date(2150, 1, 1))
MOMENTS = st.integers(min_value=0, max_value=3_000_000_000).map(
    lambda seconds: datetime(1992, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
CURRENCIES = st.sampled_from(["CNY", "USD", "EUR", "JPY"])


def documents(table: Table, specs: Mapping[str, FieldSpec]) -> st.SearchStrategy[CanonicalDocument]:
    """Documents of the table's kind whose every field the table carries."""
    model = DOCUMENTS[table.document]
    return _fields(table, specs, shapes_of(model), ()).map(partial(_consistent, model)).map(model.model_validate)


def _in_one_currency(model: type[CanonicalDocument], fields: dict[str, Any]) -> None:
    rows = [fields] if "currency" in model.model_fields else []
    for row in (*rows, *fields.get("lines", ())):
        for money in row.values():
            if isinstance(money, dict) and "currency" in money:
                money["currency"] = fields.get("currency", "CNY")


def _consistent(model: type[CanonicalDocument], fields: dict[str, Any]) -> dict[str, Any]:
    """Money is in the order's own currency; a line that names a line of another document does so under one header."""
    _in_one_currency(model, fields)
    for line in fields.get("lines", ()):
        if line.get("outbound_line"):
            line["outbound_line"] = line_reference(fields["outbound"], line["line"])
        if model.kind == "supplier_confirmation":
            line["order_line"] = line_reference(fields["order"], line["line"])
    if fields.get("item") and "site" in fields:
        fields["number"] = fields["item"].split(":", 2)[2].replace("%23", "#").replace("%25", "%")
    counted = [value for value in fields.values() if isinstance(value, dict) and "unit" in value]
    for value in counted:
        value["unit"] = counted[0]["unit"]
    return fields


def _fields(
    table: Table, specs: Mapping[str, FieldSpec], shapes: Mapping[str, Shape], needed: tuple[str, ...]
) -> st.SearchStrategy[dict[str, Any]]:
    made: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, spec in specs.items():
        shape = shapes[name]
        must = (
            shape.required
            or spec.default is not None
            or name in (*needed, "status", "outbound", "outbound_line", "lines")
        )
        (made if must else optional)[name] = _value(table, name, spec, shape)
    return st.fixed_dictionaries(made, optional=optional)


def _value(table: Table, name: str, spec: FieldSpec, shape: Shape) -> st.SearchStrategy[Any]:
    if spec.values is not None:
        return st.sampled_from(_ours(table, spec))
    if not spec.source and spec.default is not None and shape.sort is not Sort.ROWS:
        return st.just(spec.default)
    if shape.sort is Sort.ROWS and shape.model:
        rows = st.lists(_fields(table, spec.fields, shapes_of(shape.model), ("line",)), max_size=5)
        return rows.map(lambda found: [{**row, "line": str(10 * (n + 1))} for n, row in enumerate(found)])
    if shape.sort is Sort.RECORD and shape.model:
        fields = _fields(table, spec.fields, shapes_of(shape.model), ())
        return fields.map(lambda found: {name: value for name, value in found.items() if value} or None)
    if shape.sort is Sort.FACTORS:
        return st.just({})
    return _plain(table, spec, shape.sort)


def _ours(table: Table, spec: FieldSpec) -> list[Any]:
    if isinstance(spec.values, str):
        return sorted(table.codes.lists[spec.values].writing(table.product))
    return list(dict.fromkeys((spec.values or {}).values()))


def _plain(table: Table, spec: FieldSpec, sort: Sort) -> st.SearchStrategy[Any]:
    kind, limit = (spec.as_.kind, spec.as_.max) if spec.as_ else ("", None)
    text = DIGITS if kind == "int" else WORDS
    if kind == "upper":
        text = text.map(str.upper)
    if limit:
        text = text.filter(lambda value: len(value) <= limit)
    if sort is Sort.REFERENCE:
        return _references(table, spec, text)
    if sort is Sort.QUANTITY:
        free = spec.unit is not None and spec.unit.to is None
        units = st.sampled_from(["pcs", "carton", "kg"]) if free else st.just("pcs")
        return st.fixed_dictionaries({"value": _amounts(spec), "unit": units})
    if sort is Sort.MONEY:
        return st.fixed_dictionaries({"amount": _amounts(spec), "currency": CURRENCIES})
    plain = {Sort.BOOL: st.booleans(), Sort.DATE: DATES, Sort.MOMENT: MOMENTS, Sort.DECIMAL: _amounts(spec)}
    return plain.get(sort, text)


def _amounts(spec: FieldSpec) -> st.SearchStrategy[Decimal]:
    return WHOLE if spec.as_ and (spec.as_.kind == "int" or spec.as_.decimals == 0) else AMOUNTS


def _references(table: Table, spec: FieldSpec, text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    kind = (spec.lookup.kind if spec.lookup else None) or "sales_order"
    base = kind.removesuffix(".line")
    headers = text.map(lambda number: reference(base, OWNERS.get(base, "hub"), number))
    if not kind.endswith(".line"):
        return headers
    return st.builds(line_reference, headers, text.filter(lambda line: "#" not in line))
