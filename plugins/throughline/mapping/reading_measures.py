"""Reads a number together with what it counts: quantities and their units, money and its currency, unit factors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from throughline.mapping.bench import Bench
from throughline.mapping.complaints import ABSENT, Complaint
from throughline.mapping.kinds import Wrong
from throughline.mapping.lookups import PENDING
from throughline.mapping.paths import Row, getter
from throughline.mapping.reading_values import Leaf, read_value
from throughline.mapping.shapes import Shape, Sort
from throughline.mapping.vocabulary import FieldSpec, UnitRule

if TYPE_CHECKING:
    from throughline.mapping.reading import Reading

ITEM = "item"
CURRENCY = "currency"
_ISO = re.compile(r"[A-Z]{3}").fullmatch


def read_measure(bench: Bench, spec: FieldSpec, shape: Shape, siblings: Mapping[str, FieldSpec]) -> Leaf:
    """A function that gives the number and its unit (or amount and currency)."""
    if spec.unit is None:
        raise Wrong(f"a {shape.sort} field needs its `unit`")
    number = read_value(bench, _number_only(spec), shape.sort, required=shape.required)
    if shape.sort is Sort.MONEY:
        return _pair(number, _currency(bench, spec.unit), "amount", "currency")
    return _pair(number, _unit(bench, spec.unit, siblings), "value", "unit")


def _number_only(spec: FieldSpec) -> FieldSpec:
    return spec.model_copy(update={"unit": None})


def _pair(number: Leaf, counted: Leaf, value_name: str, unit_name: str) -> Leaf:
    def leaf(row: Row, scope: Reading) -> Any:
        value = number(row, scope)
        if value is ABSENT:
            return ABSENT
        return {value_name: value, unit_name: counted(row, scope)}

    return leaf


def _unit(bench: Bench, rule: UnitRule, siblings: Mapping[str, FieldSpec]) -> Leaf:
    if rule.values is not None:
        raise Wrong("a quantity's unit always reads by codes/units.yaml", "unit")
    if rule.source is not None:
        if rule.to not in (None, ITEM):
            bench.check_unit(rule.to or "")
        return _word(bench, rule.source, bench.unit_words()[0], rule.default, "is not one of this product's units")
    if rule.to == ITEM:
        return _items_own(bench, siblings)
    fixed = bench.check_unit(rule.to or "")
    return lambda _row, _scope: fixed


def _word(bench: Bench, path: str, words: Mapping[str, str], default: str | None, sentence: str) -> Leaf:
    get = getter(path)
    if default is not None:
        bench.check_unit(default)

    def leaf(row: Row, scope: Reading) -> Any:
        raw = get(row, scope.root)
        if raw in (None, ""):
            if default is None:
                raise Complaint(f"has no unit: {path} is empty")
            return default
        if raw.__class__ is not str or raw not in words:
            raise Complaint(f"in {path} {sentence}", raw)
        return words[raw]

    return leaf


def _items_own(bench: Bench, siblings: Mapping[str, FieldSpec]) -> Leaf:
    if ITEM not in siblings:
        raise Wrong("the item's own unit needs the field item beside it", "unit")
    item = read_value(bench, siblings[ITEM], Sort.REFERENCE, required=False)

    def leaf(row: Row, scope: Reading) -> Any:
        ref = item(row, scope)
        if ref is ABSENT:
            raise Complaint("is in the item's own unit, and no item is named")
        factors = scope.lookups.factors(ref)
        return PENDING if factors is None else factors[0]

    return leaf


def _currency(bench: Bench, rule: UnitRule) -> Leaf:
    if rule.to == CURRENCY and rule.source is None:
        if CURRENCY not in bench.header:
            raise Wrong("the document's currency is not read by this table", "unit")
        header = read_value(bench, bench.header[CURRENCY], Sort.TEXT, required=True)
        return lambda _row, scope: header(scope.root, scope)
    if rule.source is not None and rule.to is None:
        spec = FieldSpec.model_validate({"from": rule.source, "values": rule.values, "default": rule.default})
        return read_value(bench, spec, Sort.TEXT, required=True)
    fixed = rule.to or ""
    if not _ISO(fixed):
        raise Wrong(f"{fixed} is neither `currency` nor a currency like CNY", "unit")
    return lambda _row, _scope: fixed


def read_factors(bench: Bench, spec: FieldSpec) -> Leaf:
    """A function that gives an item's unit factors, from a list of theirs or from one field for each unit."""
    if spec.each is None:
        for unit in spec.fields:
            bench.check_unit(unit, "fields")
        leaves = {unit: _factor(bench, field) for unit, field in spec.fields.items()}
        return lambda row, scope: _present({unit: leaf(row, scope) for unit, leaf in leaves.items()})
    return _factor_rows(bench, spec)


def _factor_rows(bench: Bench, spec: FieldSpec) -> Leaf:
    if set(spec.fields) != {"unit", "holds"}:
        raise Wrong("a list of factors has the fields unit and holds", "fields")
    get = getter(spec.each or "")
    words = bench.unit_words()[0]
    unit = _word(bench, spec.fields["unit"].source[0], words, None, "is not one of this product's units")
    holds = _factor(bench, spec.fields["holds"], required=True)

    def leaf(row: Row, scope: Reading) -> Any:
        rows = get(row, scope.root) or []
        if rows.__class__ is not list or not all(each.__class__ is dict for each in rows):
            raise Complaint("is not a list of records", rows)
        return {unit(each, scope): holds(each, scope) for each in rows}

    return leaf


def _factor(bench: Bench, spec: FieldSpec, *, required: bool = False) -> Leaf:
    number = read_value(bench, spec, Sort.DECIMAL, required=required)

    def leaf(row: Row, scope: Reading) -> Any:
        value = number(row, scope)
        if isinstance(value, Decimal) and value <= 0:
            raise Complaint("is not a factor: it must be more than zero", value)
        return value

    return leaf


def _present(found: dict[str, Any]) -> dict[str, Any]:
    return {unit: value for unit, value in found.items() if value is not ABSENT}
