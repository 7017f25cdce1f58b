"""Compiles a table into the function that writes a canonical document as their record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from throughline.mapping.bench import Bench
from throughline.mapping.clearing import Clear, clearing
from throughline.mapping.complaints import Complaint
from throughline.mapping.kinds import Wrong
from throughline.mapping.lookups import Lookups
from throughline.mapping.paths import Putter, Row, putter
from throughline.mapping.shapes import Shape, Sort, shapes_of
from throughline.mapping.vocabulary import FieldSpec
from throughline.mapping.writing_values import Write, write_factors, write_measure, write_value

LINE = "line"
"""The canonical name of what tells a document's lines apart."""

WriteRecord = Callable[[BaseModel, Row, "Writing"], None]


@dataclass
class Writing:
    """One document being written: itself, the payload so far, and what the batch knows of other documents.

    `before` is the same document (or, inside, the same record or line) as the target has it, when it is changed.
    """

    document: BaseModel
    lookups: Lookups
    root: Row = field(default_factory=dict)
    before: BaseModel | None = None

    def inside(self, before: BaseModel | None) -> Writing:
        """The same writing for a part of the document."""
        return self if before is self.before else replace(self, before=before)


def write_record(
    bench: Bench, specs: Mapping[str, FieldSpec], constant: Mapping[str, Any], model: type[BaseModel], *,
    changes: bool = False,
) -> WriteRecord:  # fmt: skip
    """A function that writes the fields of `model` into one of their records; for a change also what is empty now."""
    writes = _writes(bench, specs, model, changes)
    constants: list[tuple[Putter, Any]] = [(putter(path), value) for path, value in constant.items()]

    def record(source: BaseModel, row: Row, scope: Writing) -> None:
        for put, value in constants:
            put(row, scope.root, value)
        for name, write, spec in writes:
            try:
                write(source, row, scope)
            except Complaint as complaint:
                raise complaint.at(name, spec.theirs, spec.line) from None
        for clear in clears:
            clear(source, row, scope)

    clears = _clears(bench, specs, model, changes)
    return record


def _clears(bench: Bench, specs: Mapping[str, FieldSpec], model: type[BaseModel], changes: bool) -> list[Clear]:
    """After everything else is written: a place that holds something by another field's word is not emptied."""
    found = []
    for name, shape in shapes_of(model).items():
        if name in specs and shape.sort is not Sort.FACTORS:
            try:
                found.append(clearing(name, specs[name], shape.sort, changes=changes))
            except Wrong as wrong:
                bench.problem(specs[name].location, wrong)
    return [clear for clear in found if clear is not None]


def _writes(
    bench: Bench, specs: Mapping[str, FieldSpec], model: type[BaseModel], changes: bool
) -> list[tuple[str, Write, FieldSpec]]:
    shapes = shapes_of(model)
    bench.check_names(specs, shapes.keys())
    writes: list[tuple[str, Write, FieldSpec]] = []
    for name, shape in shapes.items():
        spec = specs.get(name)
        if spec is None:
            continue
        try:
            writes.append((name, _write(bench, name, spec, shape, changes), spec))
        except Wrong as wrong:
            bench.problem(spec.location, wrong)
    return writes


def _write(bench: Bench, name: str, spec: FieldSpec, shape: Shape, changes: bool) -> Write:
    bench.check_words(spec, shape.sort)
    if shape.sort is Sort.RECORD and shape.model:
        return _below(name, write_record(bench, spec.fields, spec.constant, shape.model, changes=changes))
    if shape.sort is Sort.ROWS and shape.model:
        return _rows(bench, name, spec, shape.model, changes)
    if shape.sort is Sort.FACTORS:
        return write_factors(bench, name, spec)
    if shape.sort in (Sort.QUANTITY, Sort.MONEY):
        return write_measure(bench, name, spec, shape.sort)
    bench.check_status(name, spec)
    return write_value(bench, name, spec, shape.sort)


def _below(name: str, record: WriteRecord) -> Write:
    def write(source: BaseModel, row: Row, scope: Writing) -> None:
        below = getattr(source, name)
        if below is not None:
            record(below, row, scope.inside(getattr(scope.before, name, None)))

    return write


def _rows(bench: Bench, name: str, spec: FieldSpec, model: type[BaseModel], changes: bool) -> Write:
    if spec.each is None:
        raise Wrong("a list of lines needs `each`: the name of their list")
    put = putter(spec.each)
    record = write_record(bench, spec.fields, spec.constant, model, changes=changes)

    def write(source: BaseModel, row: Row, scope: Writing) -> None:
        rows: list[Row] = []
        earlier = {getattr(each, LINE, None): each for each in getattr(scope.before, name, ())}
        for index, each in enumerate(getattr(source, name)):
            out: Row = {}
            try:
                record(each, out, scope.inside(earlier.get(getattr(each, LINE, None))))
            except Complaint as complaint:
                raise complaint.inside(f"[{index}]") from None
            rows.append(out)
        put(row, scope.root, rows)

    return write
