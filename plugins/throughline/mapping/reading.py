"""Compiles a table into the function that reads their record as the canonical fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from throughline.mapping.bench import Bench
from throughline.mapping.complaints import ABSENT, Complaint
from throughline.mapping.kinds import Wrong
from throughline.mapping.lookups import Lookups
from throughline.mapping.paths import Row, getter
from throughline.mapping.reading_measures import read_factors, read_measure
from throughline.mapping.reading_values import Leaf, read_value
from throughline.mapping.shapes import Shape, Sort, shapes_of
from throughline.mapping.vocabulary import FieldSpec, Location

ReadRecord = Callable[[Row, "Reading"], Row]


@dataclass
class Reading:
    """One document being read: the whole record, and what the batch knows of other documents."""

    root: Row
    lookups: Lookups


def read_record(bench: Bench, specs: Mapping[str, FieldSpec], model: type[BaseModel], place: Location) -> ReadRecord:
    """A function from one of their records to the fields of `model`."""
    leaves = _leaves(bench, specs, model, place)

    def record(row: Row, scope: Reading) -> Row:
        if row.__class__ is not dict:
            raise Complaint("is not a record", row)
        out: Row = {}
        for name, leaf, spec in leaves:
            try:
                value = leaf(row, scope)
            except Complaint as complaint:
                raise complaint.at(name, spec.theirs, spec.line) from None
            if value is not ABSENT:
                out[name] = value
        return out

    return record


def _leaves(
    bench: Bench, specs: Mapping[str, FieldSpec], model: type[BaseModel], place: Location
) -> list[tuple[str, Leaf, FieldSpec]]:
    shapes = shapes_of(model)
    bench.check_names(specs, shapes.keys())
    leaves: list[tuple[str, Leaf, FieldSpec]] = []
    for name, shape in shapes.items():
        spec = specs.get(name)
        if spec is None:
            if bench.must_say(name, shape):
                bench.problem(place, Wrong(f"the required field {name} is missing"))
            continue
        try:
            leaves.append((name, _leaf(bench, name, spec, shape, specs), spec))
        except Wrong as wrong:
            bench.problem(spec.location, wrong)
    return leaves


def _leaf(bench: Bench, name: str, spec: FieldSpec, shape: Shape, siblings: Mapping[str, FieldSpec]) -> Leaf:
    bench.check_words(spec, shape.sort)
    if shape.sort is Sort.RECORD and shape.model:
        return _below(bench, spec, shape.model, shape.required)
    if shape.sort is Sort.ROWS and shape.model:
        return _rows(bench, spec, shape.model)
    if shape.sort is Sort.FACTORS:
        return read_factors(bench, spec)
    if shape.sort in (Sort.QUANTITY, Sort.MONEY):
        return read_measure(bench, spec, shape, siblings)
    bench.check_status(name, spec)
    return read_value(bench, spec, shape.sort, required=bench.must_say(name, shape))


def _below(bench: Bench, spec: FieldSpec, model: type[BaseModel], required: bool) -> Leaf:
    record = read_record(bench, spec.fields, model, (*spec.location, "fields"))

    def leaf(row: Row, scope: Reading) -> Any:
        return record(row, scope) or ({} if required else ABSENT)

    return leaf


def _rows(bench: Bench, spec: FieldSpec, model: type[BaseModel]) -> Leaf:
    if spec.each is None:
        raise Wrong("a list of lines needs `each`: the name of their list")
    record = read_record(bench, spec.fields, model, (*spec.location, "fields"))
    get, may_miss, numbered = getter(spec.each), spec.default == [], "line" in spec.fields

    def leaf(row: Row, scope: Reading) -> Any:
        rows = get(row, scope.root)
        if rows is None and may_miss:
            return ()
        found = [_one(record, index, each, scope) for index, each in enumerate(read_list(rows))]
        if numbered:
            _each_once(found)
        return tuple(found)

    return leaf


def read_list(rows: Any) -> list[Any]:
    """Their list of lines, or a complaint."""
    if rows.__class__ is not list:
        raise Complaint("is missing" if rows is None else "is not a list", rows)
    return list(rows)


def _one(record: ReadRecord, index: int, row: Row, scope: Reading) -> Row:
    try:
        return record(row, scope)
    except Complaint as complaint:
        raise complaint.inside(f"[{index}]") from None


def _each_once(rows: list[Row]) -> None:
    seen: set[str] = set()
    for index, row in enumerate(rows):
        if row.get("line") in seen:
            raise Complaint("is the number of more than one line", row["line"]).inside("line").inside(f"[{index}]")
        seen.add(row["line"])
