"""The words a field table may use, and no others.

    product, document        which table this is
    key: {id: …}             where their own id stands (header here, lines inside `each`); `number:` beside it names the
                             number they gave the record themselves, where the document's number is somebody else's
    fields:                  canonical field -> how it stands on their side, in both directions
    read: / write:           `fields` for one direction only; `write` also takes `constant`
    operations: {cancel: …}  how one operation's payload differs: `only`, `fields`, `constant`

A field is a word (`number: name`) or a map of `from, as, each, key, fields, values, default, unit, lookup, constant`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, model_validator

from throughline.mapping.paths import is_path

Scalar = str | int | bool
Location = tuple[str | int, ...]
LineOf = Callable[[Location], int]
Kind = Literal[
    "text", "line", "trimmed", "upper", "list_first", "int", "decimal", "decimal_text", "date", "datetime", "ms", "bool"
]


def _path(value: Any) -> Any:
    if not is_path(value):
        raise ValueError("is not a path: write `field`, `record.field`, or `/field` for a field of the whole document")
    return value


def _paths(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Path = Annotated[str, BeforeValidator(_path)]


class Strict(BaseModel):
    """A part of a table: nothing beyond what is named here may stand in it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class KindRule(Strict):
    """How a value is spelled on their side; `as: ms` is short for `as: {kind: ms}`."""

    kind: Kind
    format: str | None = None
    zone: str | None = None
    max: Annotated[int, Field(gt=0)] | None = None
    decimals: Annotated[int, Field(ge=0)] | None = None
    prefix: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value


class LookupRule(Strict):
    """How another document is named: by their id (registry), by its number, or by the canonical reference itself."""

    kind: str | None = None
    by: Literal["id", "number", "reference"] = "id"

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value


class UnitRule(Strict):
    """What a number counts: a field that says it, a fixed unit or currency, or the item's own unit."""

    source: Path | None = Field(default=None, alias="from")
    to: str | None = None
    default: str | None = None
    values: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"to": value} if isinstance(value, str) else value


class Key(Strict):
    """Where their own id of this record stands, and their own number where it is not the document's."""

    id: Path
    number: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"id": value} if isinstance(value, str) else value


class FieldSpec(Strict):
    """One canonical field and how it stands on their side."""

    source: Annotated[list[Path], BeforeValidator(_paths)] = Field(default=[], alias="from")
    as_: KindRule | None = Field(default=None, alias="as")
    each: Path | None = None
    key: Key | None = None
    fields: dict[str, FieldSpec] = {}
    values: str | dict[Scalar, Scalar] | None = None
    default: Scalar | list[Scalar] | None = None
    unit: UnitRule | None = None
    lookup: LookupRule | None = None
    constant: dict[Path, Scalar] = {}
    empty: Literal["clear", "blank", "leave"] | None = None
    _place: Location = PrivateAttr(default=())
    _line: int = PrivateAttr(default=0)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"from": value} if isinstance(value, str) else value

    @property
    def theirs(self) -> str:
        """Their field's name, for messages."""
        return ", ".join(self.source) or self.each or ""

    @property
    def location(self) -> Location:
        """Where this field stands in the table file."""
        return self._place

    @property
    def line(self) -> int:
        """The line of the table file on which this field stands."""
        return self._line

    def place(self, line_of: LineOf, location: Location) -> None:
        """Remember where this field, and those inside it, stand in the file."""
        self._place, self._line = location, line_of(location)
        for name, spec in self.fields.items():
            spec.place(line_of, (*location, "fields", name))

    def given(self) -> set[str]:
        """The words this field uses, as the file spells them."""
        spelled = {"source": "from", "as_": "as"}
        return {spelled.get(name, name) for name in self.model_fields_set}


class Section(Strict):
    """The part of a table that holds for one direction only."""

    fields: dict[str, FieldSpec] = {}
    constant: dict[Path, Scalar] = {}


class OperationSection(Section):
    """How one operation's payload differs; `only` starts from nothing but these canonical fields."""

    only: list[str] | None = None


class TableSpec(Strict):
    """A whole table."""

    product: str
    document: str
    key: Key | None = None
    fields: dict[str, FieldSpec] = {}
    read: Section | None = None
    write: Section | None = None
    operations: dict[str, OperationSection] = {}


def merged(shared: dict[str, FieldSpec], own: dict[str, FieldSpec]) -> dict[str, FieldSpec]:
    """The shared fields with one direction's own words laid over them, level by level."""
    result = dict(shared)
    for name, spec in own.items():
        below = result.get(name)
        if below is None:
            result[name] = spec
            continue
        words = {word: getattr(spec, word) for word in spec.model_fields_set}
        if below.fields and spec.fields:
            words["fields"] = merged(below.fields, spec.fields)
        result[name] = below.model_copy(update=words)
    return result
