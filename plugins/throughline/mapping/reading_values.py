"""Reads one plain value: find it, translate its spelling or its code, name the document it points to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from throughline.canonical import line_reference, reference
from throughline.mapping import kinds, naming, numbers
from throughline.mapping.bench import OTHERS, Bench
from throughline.mapping.complaints import ABSENT, Complaint
from throughline.mapping.kinds import Convert, Wrong, checked_rule
from throughline.mapping.lookups import LINE
from throughline.mapping.paths import Row, first_getter, getter
from throughline.mapping.shapes import Sort
from throughline.mapping.vocabulary import FieldSpec, LookupRule

if TYPE_CHECKING:
    from throughline.mapping.reading import Reading

Leaf = Callable[[Row, "Reading"], Any]


def read_value(bench: Bench, spec: FieldSpec, sort: Sort, *, required: bool) -> Leaf:
    """A function that gives the value of one field, `ABSENT`, or a complaint."""
    empty = _when_empty(spec, sort, required)
    if sort is Sort.REFERENCE:
        return _reference(bench, spec, empty)
    if not spec.source:
        if spec.default is None:
            raise Wrong("says neither `from` nor `default`")
        return lambda _row, _scope: empty()
    return _plain(spec, _converter(bench, spec, sort), empty)


def _plain(spec: FieldSpec, convert: Convert, empty: Callable[[], Any]) -> Leaf:
    only = spec.source[0]
    if len(spec.source) == 1 and "." not in only and "/" not in only:

        def leaf(row: Row, _scope: Reading) -> Any:
            raw = row.get(only)
            if raw is None or raw == "":
                return empty()
            value = convert(raw)
            return value if value is not ABSENT else empty()

        return leaf
    get = first_getter(spec.source)

    def far_leaf(row: Row, scope: Reading) -> Any:
        raw = get(row, scope.root)
        value = ABSENT if raw is None or raw == "" else convert(raw)
        return value if value is not ABSENT else empty()

    return far_leaf


def _when_empty(spec: FieldSpec, sort: Sort, required: bool) -> Callable[[], Any]:
    if spec.default is not None:
        value = _default(spec, sort)
        return lambda: value
    if not required:
        return lambda: ABSENT

    def complain() -> Any:
        raise Complaint("is empty and is needed")

    return complain


def _default(spec: FieldSpec, sort: Sort) -> Any:
    wanted: type = bool if sort is Sort.BOOL else str
    if type(spec.default) is not wanted or sort in (Sort.DATE, Sort.MOMENT):
        raise Wrong(f"{spec.default!r} cannot be the default of a {sort} field", "default")
    try:
        if sort is Sort.REFERENCE:
            return naming.expect(None)(str(spec.default))
        rule = checked_rule(None, sort)
        return kinds.reading(rule, sort, kinds.zone_of(rule, "UTC"))(spec.default)
    except Complaint as complaint:
        raise Wrong(f"{spec.default!r} {complaint.sentence}", "default") from None


def _converter(bench: Bench, spec: FieldSpec, sort: Sort) -> Convert:
    if spec.values is None:
        rule = checked_rule(spec.as_, sort)
        return kinds.reading(rule, sort, bench.zone_for(rule, sort))
    codes, _back, keep = bench.values(spec, sort)
    lookup = _code_reader(codes, keep, f"is not in {_list_name(spec)}")
    if spec.as_ is None:
        return lookup
    rule = checked_rule(spec.as_, Sort.TEXT)
    spelled = kinds.reading(rule, Sort.TEXT, bench.zone_for(rule, Sort.TEXT))

    def convert(raw: Any) -> Any:
        word = spelled(raw)
        return word if word is ABSENT else lookup(word)

    return convert


def _list_name(spec: FieldSpec) -> str:
    return f"the code list {spec.values}" if isinstance(spec.values, str) else "the values of this field"


def _code_reader(codes: dict[Any, Any], keep: bool, sentence: str) -> Convert:
    others = codes.pop(OTHERS, ABSENT)
    booleans = any(type(word) is bool for word in codes)

    def read(raw: Any) -> Any:
        if (raw.__class__ is bool) is booleans:
            try:
                return codes[raw]
            except (KeyError, TypeError):
                pass
        if others is not ABSENT:
            return others
        if keep and isinstance(raw, str):
            return raw
        raise Complaint(sentence, raw)

    return read


def _reference(bench: Bench, spec: FieldSpec, empty: Callable[[], Any]) -> Leaf:
    if spec.lookup is None:
        raise Wrong("names another document: say how with `lookup`")
    rule = bench.check_lookup(spec.lookup, len(spec.source))
    if not spec.source:
        raise Wrong("says no `from`")
    spelling = checked_rule(spec.as_, Sort.REFERENCE)
    convert = kinds.reading(spelling, Sort.REFERENCE, bench.zone_for(spelling, Sort.REFERENCE))
    if rule.by == "id":
        convert = numbers.read_id if spec.as_ is None else convert
        return _by_id(spec.source[0], rule.kind or "", convert, empty)
    if len(spec.source) > 1:
        return _line_of_two(bench, spec, rule, convert, empty)
    by_number = rule.by == "number"
    name = naming.by_number(rule.kind or "", _owner(bench, rule)) if by_number else naming.expect(rule.kind)
    return _plain(spec, _then(convert, name), empty)


def _owner(bench: Bench, rule: LookupRule) -> str:
    return bench.owner(rule.kind or "")


def _then(first: Convert, second: Convert) -> Convert:
    def both(raw: Any) -> Any:
        value = first(raw)
        return value if value is ABSENT else second(value)

    return both


def _by_id(path: str, kind: str, convert: Convert, empty: Callable[[], Any]) -> Leaf:
    get = getter(path)

    def leaf(row: Row, scope: Reading) -> Any:
        raw = get(row, scope.root)
        their_id: Any = ABSENT if raw is None or raw == "" else convert(raw)
        return empty() if their_id is ABSENT else scope.lookups.canonical(kind, their_id)

    return leaf


def _line_of_two(bench: Bench, spec: FieldSpec, rule: LookupRule, convert: Convert, empty: Callable[[], Any]) -> Leaf:
    if len(spec.source) != 2:
        raise Wrong("a line by number is named by two fields: the document's number and the line's", "from")
    header, line = getter(spec.source[0]), getter(spec.source[1])
    base, owner = (rule.kind or "").removesuffix(LINE), _owner(bench, rule)

    def leaf(row: Row, scope: Reading) -> Any:
        found = [header(row, scope.root), line(row, scope.root)]
        if found[0] in (None, "") or found[1] in (None, ""):
            return empty()
        return line_reference(reference(base, owner, convert(found[0])), convert(found[1]))

    return leaf
