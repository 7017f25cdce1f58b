"""Reads which canonical ids a record carries, with their own ids, for the header and for every line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from throughline.canonical import line_reference, reference
from throughline.mapping.bench import Bench
from throughline.mapping.complaints import ABSENT, Complaint
from throughline.mapping.kinds import Wrong
from throughline.mapping.lookups import LINE
from throughline.mapping.numbers import read_id
from throughline.mapping.paths import Row, getter
from throughline.mapping.reading import Reading, read_list
from throughline.mapping.reading_values import Leaf, read_value
from throughline.mapping.shapes import Sort
from throughline.mapping.vocabulary import FieldSpec, Key


@dataclass(frozen=True)
class Identity:
    """One canonical id and the id one system gave it."""

    canonical_id: str
    kind: str
    their_id: str
    number: str | None = None


Identities = Callable[[Row, Reading], list[Identity]]


def read_identities(bench: Bench, key: Key | None, specs: dict[str, FieldSpec]) -> Identities:
    """A function that gives the identities of one record; it asks no registry."""
    number_spec = specs.get("number")
    if key is None or number_spec is None:
        raise Wrong("a table that reads says where their own id stands: key: {id: …}", "key" if key else None)
    number = read_value(bench, number_spec, Sort.TEXT, required=True)
    get_id, get_number, owner = _their_id(key), _their_number(key), bench.owner(bench.document)
    lines = [_lines(bench, spec) for spec in specs.values() if spec.each and spec.key and "line" in spec.fields]

    def read(row: Row, scope: Reading) -> list[Identity]:
        said = _located("number", number, row, scope, number_spec)
        header = reference(bench.document, owner, said)
        found = [Identity(header, bench.document, get_id(row, row), get_number(row) or said)]
        for line in lines:
            found += line(header, row, scope)
        return found

    return read


def _located(name: str, leaf: Leaf, row: Row, scope: Reading, spec: FieldSpec) -> str:
    try:
        return str(leaf(row, scope))
    except Complaint as complaint:
        raise complaint.at(name, spec.theirs, spec.line) from None


def _lines(bench: Bench, spec: FieldSpec) -> Callable[[str, Row, Reading], list[Identity]]:
    line = read_value(bench, spec.fields["line"], Sort.TEXT, required=True)
    key = spec.key or Key(id="id")
    get, get_id, get_number, kind = getter(spec.each or ""), _their_id(key), _their_number(key), bench.document + LINE

    def one(header: str, row: Row, scope: Reading) -> Identity:
        if row.__class__ is not dict:
            raise Complaint("is not a record", row)
        said = _located("line", line, row, scope, spec.fields["line"])
        return Identity(line_reference(header, said), kind, get_id(row, scope.root), get_number(row) or said)

    def read(header: str, row: Row, scope: Reading) -> list[Identity]:
        found: list[Identity] = []
        for index, each in enumerate(read_list(get(row, scope.root) or [])):
            try:
                found.append(one(header, each, scope))
            except Complaint as complaint:
                raise complaint.inside(f"[{index}]").at("lines", spec.theirs, spec.line) from None
        return found

    return read


def _their_number(key: Key) -> Callable[[Row], str | None]:
    """The number they gave it themselves; None where theirs is the document's, or there is none yet."""
    if key.number is None:
        return lambda _: None
    get = getter(key.number)

    def read(row: Row) -> str | None:
        raw: Any = get(row, row)
        return None if raw in (None, "", ABSENT) else read_id(raw)

    return read


def _their_id(key: Key) -> Callable[[Row, Row], str]:
    get = getter(key.id)

    def read(row: Row, root: Row) -> str:
        raw: Any = get(row, root)
        if raw in (None, "", ABSENT):
            raise Complaint(f"has no id of its own: {key.id} is empty")
        return read_id(raw)

    return read
