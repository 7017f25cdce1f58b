"""What a table is compiled with: its product's words, the owners of kinds, the zone, and the mistakes found so far."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from throughline.canonical import DOCUMENTS, LATTICES
from throughline.errors import Misconfigured
from throughline.mapping import kinds
from throughline.mapping.codes import UNITS, Codes
from throughline.mapping.kinds import Wrong
from throughline.mapping.lookups import LINE
from throughline.mapping.shapes import Shape, Sort
from throughline.mapping.vocabulary import FieldSpec, KindRule, Location, LookupRule

OTHERS = "*"
_ALWAYS = {"from", "as", "default", "empty"}
_WORDS: dict[Sort, set[str]] = {
    Sort.TEXT: _ALWAYS | {"values"},
    Sort.REFERENCE: _ALWAYS | {"lookup"},
    Sort.DECIMAL: _ALWAYS,
    Sort.BOOL: _ALWAYS | {"values"},
    Sort.DATE: _ALWAYS,
    Sort.MOMENT: _ALWAYS,
    Sort.QUANTITY: _ALWAYS | {"unit"},
    Sort.MONEY: _ALWAYS | {"unit"},
    Sort.RECORD: {"fields", "constant", "empty"},
    Sort.ROWS: {"each", "key", "fields", "constant", "default"},
    Sort.FACTORS: {"each", "fields", "default"},
}


@dataclass
class Bench:
    """Everything compiling one table needs; mistakes gather in `problems` so that all are told at once."""

    product: str
    document: str
    codes: Codes
    owners: Mapping[str, str]
    zone: str
    header: Mapping[str, FieldSpec] = field(default_factory=dict)
    problems: list[tuple[Location, str]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def problem(self, place: Location, wrong: Wrong) -> None:
        """Note a mistake, once."""
        found = ((*place, wrong.word) if wrong.word else place, wrong.text)
        if found not in self.problems:
            self.problems.append(found)

    def zone_for(self, rule: KindRule, sort: Sort) -> ZoneInfo:
        """The zone of local times in this field; `Wrong` when it has local times and nobody says where they are."""
        local = rule.kind == "datetime" or (rule.kind == "ms" and sort is Sort.DATE)
        if local and not (rule.zone or self.zone):
            raise Wrong("has local times, and neither the table nor the system's file says in which zone", "as")
        return kinds.zone_of(rule, self.zone or "UTC")

    def refuse_to_run(self, where: str) -> None:
        """Raise the first mistake, if this table cannot be compiled for this role after all."""
        if self.problems:
            place, text = self.problems[0]
            raise Misconfigured(f"{'.'.join(map(str, place))}: {text}", where=where)

    def owner(self, kind: str) -> str:
        """The role that numbers documents of this kind."""
        return self.owners.get(kind.removesuffix(LINE), "hub")

    def check_words(self, spec: FieldSpec, sort: Sort) -> None:
        """Refuse words that mean nothing for this sort of field."""
        strange = sorted(spec.given() - _WORDS[sort])
        if strange:
            raise Wrong(f"means nothing for a {sort} field", strange[0])

    def check_names(self, specs: Mapping[str, FieldSpec], known: Collection[str]) -> None:
        """Refuse names that the canonical document does not have."""
        for name, spec in specs.items():
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f" (did you mean {near[0]}?)" if near else ""
                self.problem(spec.location, Wrong(f"{self.document} has no such field here{hint}"))

    def unit_words(self) -> tuple[dict[str, str], dict[str, str]]:
        """The product's words for units, and ours to theirs."""
        self._uses(UNITS)
        if UNITS not in self.codes.lists:
            return {}, {}
        found = self.codes.lists[UNITS]
        return found.reading(self.product), found.writing(self.product)

    def check_unit(self, unit: str, word: str = "unit") -> str:
        """A unit the company uses."""
        self._uses(UNITS)
        if unit not in self.codes.units:
            raise Wrong(f"{unit} is not a unit in codes/units.yaml", word)
        return unit

    def _uses(self, codes: str) -> None:
        """Note that the table depends on this list; with a broken one it is broken too."""
        self.codes.whole(codes)
        self.used.add(codes)

    def check_lookup(self, rule: LookupRule, sources: int) -> LookupRule:
        """A kind of document that exists, with as many fields as its name needs."""
        base = (rule.kind or "").removesuffix(LINE)
        if rule.by == "reference" and rule.kind is None:
            return rule
        if base not in DOCUMENTS:
            raise Wrong(f"{rule.kind} is not a kind of document", "lookup")
        if sources > 1 and not (rule.by == "number" and (rule.kind or "").endswith(LINE)):
            raise Wrong("only a line by number is named by two fields", "from")
        return rule

    def check_status(self, name: str, spec: FieldSpec) -> None:
        """Statuses a table gives must be on the kind's lattice."""
        lattice = LATTICES.get(self.document)
        if name != "status" or lattice is None:
            return
        inline = spec.values.values() if isinstance(spec.values, dict) else ()
        for status in [*inline, *([] if spec.default is None else [spec.default])]:
            if not lattice.knows(str(status)):
                raise Wrong(f"{status} is not a status of {self.document}", "values" if inline else "default")

    def must_say(self, name: str, shape: Shape) -> bool:
        """Whether a table that reads has to say where this canonical field comes from."""
        lattice = LATTICES.get(self.document)
        if name == "status" and lattice is not None:
            return not (lattice.knows("created") or lattice.knows("active"))
        return shape.required

    def values(self, spec: FieldSpec, sort: Sort) -> tuple[dict[Any, Any], dict[Any, Any], bool]:
        """Their word -> ours, ours -> their first word, and whether unlisted words are kept."""
        if isinstance(spec.values, str):
            self._uses(spec.values)
            found = self.codes.lists.get(spec.values)
            if found is None:
                raise Wrong(f"there is no code list codes/{spec.values}.yaml", "values")
            return found.reading(self.product), found.writing(self.product), found.open
        return *_inline(dict(spec.values or {}), sort, as_text=spec.as_ is not None), False


def _inline(values: dict[Any, Any], sort: Sort, *, as_text: bool) -> tuple[dict[Any, Any], dict[Any, Any]]:
    wanted = bool if sort is Sort.BOOL else str
    back: dict[Any, Any] = {}
    for theirs, ours in values.items():
        if type(ours) is not wanted:
            raise Wrong(f"{ours} must be {'true or false' if wanted is bool else 'a word'}", "values")
        if theirs != OTHERS:
            back.setdefault(ours, str(theirs) if as_text else theirs)
    return ({str(theirs): ours for theirs, ours in values.items()} if as_text else values), back
