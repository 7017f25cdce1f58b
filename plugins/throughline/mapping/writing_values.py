"""Writes one canonical value in their spelling: codes, numbers in the right unit, their ids of other documents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from throughline.canonical import Quantity, line_of
from throughline.mapping import kinds, naming
from throughline.mapping.bench import Bench
from throughline.mapping.complaints import Complaint
from throughline.mapping.kinds import Convert, Wrong, checked_rule
from throughline.mapping.lookups import PENDING, Lookups
from throughline.mapping.paths import Row, all_putter, putter
from throughline.mapping.reading_measures import CURRENCY, ITEM
from throughline.mapping.shapes import Sort
from throughline.mapping.vocabulary import FieldSpec, UnitRule

if TYPE_CHECKING:
    from throughline.mapping.writing import Writing

Write = Callable[[BaseModel, Row, "Writing"], None]


def write_value(bench: Bench, name: str, spec: FieldSpec, sort: Sort) -> Write:
    """A function that writes one plain field; a field that is empty here is left out there."""
    if not spec.source:
        return _nothing
    if sort is Sort.REFERENCE:
        return _reference(bench, name, spec)
    put, convert = all_putter(spec.source), _converter(bench, spec, sort)

    def write(source: BaseModel, row: Row, scope: Writing) -> None:
        value = getattr(source, name)
        if value is not None and value != "":
            put(row, scope.root, convert(value))

    return write


def _nothing(_source: BaseModel, _row: Row, _scope: Writing) -> None:
    """A field that only reading fills (a default) has no place in their record."""


def _converter(bench: Bench, spec: FieldSpec, sort: Sort) -> Convert:
    if spec.values is None:
        rule = checked_rule(spec.as_, sort)
        return kinds.writing(rule, sort, bench.zone_for(rule, sort))
    _codes, back, keep = bench.values(spec, sort)
    listed = _code_writer(back, keep)
    if spec.as_ is None:
        return listed
    rule = checked_rule(spec.as_, Sort.TEXT)
    spelled = kinds.writing(rule, Sort.TEXT, bench.zone_for(rule, Sort.TEXT))
    return lambda value: spelled(listed(value))


def _code_writer(back: Mapping[Any, Any], keep: bool) -> Convert:
    def write(value: Any) -> Any:
        if value in back:
            return back[value]
        if keep:
            return value
        raise Complaint("has no word in this product", value)

    return write


def _reference(bench: Bench, name: str, spec: FieldSpec) -> Write:
    if spec.lookup is None:
        raise Wrong("names another document: say how with `lookup`")
    rule = bench.check_lookup(spec.lookup, len(spec.source))
    spelling = checked_rule(spec.as_, Sort.REFERENCE)
    spelled = kinds.writing(spelling, Sort.REFERENCE, bench.zone_for(spelling, Sort.REFERENCE))
    kind = rule.kind or ""
    if rule.by == "number" and len(spec.source) > 1:
        return _line_in_two(name, spec, naming.expect(kind, bench.owner(kind)), spelled)
    put = all_putter(spec.source)
    if rule.by == "id":
        return _by_id(name, kind, put, spelled)
    text = naming.expect(rule.kind) if rule.by == "reference" else naming.text_by_number(kind, bench.owner(kind))

    def write(source: BaseModel, row: Row, scope: Writing) -> None:
        ref = getattr(source, name)
        if ref is not None:
            put(row, scope.root, spelled(text(ref)))

    return write


def _by_id(name: str, kind: str, put: Callable[[Row, Row, Any], None], spelled: Convert) -> Write:
    expected = naming.expect(kind)

    def write(source: BaseModel, row: Row, scope: Writing) -> None:
        ref = getattr(source, name)
        if ref is None:
            return
        found = scope.lookups.theirs(kind, expected(ref))
        if found is not PENDING:
            put(row, scope.root, spelled(found))

    return write


def _line_in_two(name: str, spec: FieldSpec, expected: Callable[[str], str], spelled: Convert) -> Write:
    header, line = (putter(path) for path in spec.source)

    def write(source: BaseModel, row: Row, scope: Writing) -> None:
        ref = getattr(source, name)
        if ref is not None:
            header(row, scope.root, spelled(naming.number_of(expected(ref))))
            line(row, scope.root, spelled(line_of(ref) or ""))

    return write


def write_measure(bench: Bench, name: str, spec: FieldSpec, sort: Sort) -> Write:
    """A function that writes a quantity in the unit the target wants, or money in the currency it expects."""
    if spec.unit is None:
        raise Wrong(f"a {sort} field needs its `unit`")
    if not spec.source:
        raise Wrong("says no `from`")
    rule = checked_rule(spec.as_, sort)
    put, spelled = all_putter(spec.source), kinds.writing(rule, sort, bench.zone_for(rule, sort))
    measured = _money(bench, spec.unit) if sort is Sort.MONEY else _quantity(bench, spec.unit)

    def write(source: BaseModel, row: Row, scope: Writing) -> None:
        value = getattr(source, name)
        if value is None:
            return
        amount = measured(source, value, row, scope)
        if not scope.lookups.pending:
            put(row, scope.root, spelled(amount))

    return write


Measure = Callable[[BaseModel, Any, Row, "Writing"], Decimal]


def _quantity(bench: Bench, rule: UnitRule) -> Measure:
    if rule.to not in (None, ITEM):
        bench.check_unit(rule.to or "")
    put = putter(rule.source) if rule.source else None
    words = bench.unit_words()[1]
    units = bench.codes.units

    def measure(source: BaseModel, value: Quantity, row: Row, scope: Writing) -> Decimal:
        unit = _target(rule.to, value.unit, source, scope.lookups)
        if unit is PENDING:
            return value.value
        if put is not None:
            put(row, scope.root, _spoken(words, unit))
        if unit == value.unit:
            return value.value
        item = getattr(source, ITEM, None) or ""
        alone = units.converts_alone(value.unit, unit)
        factors = None if alone or not item else scope.lookups.factors(item)
        if factors is None and not alone and item:
            return value.value
        return units.convert(value.value, value.unit, unit, item, factors)

    return measure


def _target(to: str | None, unit: str, source: BaseModel, lookups: Lookups) -> str:
    if to is None:
        return unit
    if to != ITEM:
        return to
    item = getattr(source, ITEM, None)
    if item is None:
        raise Complaint("is wanted in the item's own unit, and no item is named")
    factors = lookups.factors(item)
    return PENDING if factors is None else factors[0]


def _spoken(words: Mapping[str, str], unit: str) -> str:
    if unit not in words:
        raise Complaint("is a unit this product has no word for", unit)
    return words[unit]


def _money(bench: Bench, rule: UnitRule) -> Measure:
    back = bench.values(FieldSpec.model_validate({"values": rule.values}), Sort.TEXT)[1] if rule.values else None
    put = putter(rule.source) if rule.source else None

    def measure(_source: BaseModel, value: Any, row: Row, scope: Writing) -> Decimal:
        expected = getattr(scope.document, CURRENCY, None) if rule.to == CURRENCY else rule.to
        if expected is not None and value.currency != expected:
            raise Complaint(f"is in {value.currency} where {expected} is expected", value.amount)
        if put is not None:
            put(row, scope.root, _code_writer(back, False)(value.currency) if back is not None else value.currency)
        amount: Decimal = value.amount
        return amount

    return measure


def write_factors(bench: Bench, name: str, spec: FieldSpec) -> Write:
    """A function that writes an item's unit factors: a list of theirs, or one field for each unit."""
    if spec.each is not None:
        return _factor_rows(bench, name, spec)
    puts = {unit: _factor(bench, unit, below) for unit, below in spec.fields.items()}

    def write(source: BaseModel, row: Row, scope: Writing) -> None:
        for unit, value in getattr(source, name).items():
            if unit not in puts:
                raise Complaint("is a unit this product keeps no factor for", unit)
            puts[unit](row, scope.root, value)

    return write


def _factor(bench: Bench, unit: str, spec: FieldSpec) -> Callable[[Row, Row, Any], None]:
    bench.check_unit(unit, "fields")
    put, spelled = all_putter(spec.source), _converter(bench, spec, Sort.DECIMAL)
    return lambda row, root, value: put(row, root, spelled(value))


def _factor_rows(bench: Bench, name: str, spec: FieldSpec) -> Write:
    if set(spec.fields) != {"unit", "holds"}:
        raise Wrong("a list of factors has the fields unit and holds", "fields")
    put, words = putter(spec.each or ""), bench.unit_words()[1]
    put_unit, put_holds = putter(spec.fields["unit"].source[0]), putter(spec.fields["holds"].source[0])
    spelled = _converter(bench, spec.fields["holds"], Sort.DECIMAL)

    def write(source: BaseModel, row: Row, scope: Writing) -> None:
        rows: list[Row] = []
        for unit, value in getattr(source, name).items():
            out: Row = {}
            put_unit(out, scope.root, _spoken(words, unit))
            put_holds(out, scope.root, spelled(value))
            rows.append(out)
        put(row, scope.root, rows)

    return write
