"""What a field's value can be reproached with, before anybody knows which document and which table it was."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from throughline.errors import Invalid, Unknown
from throughline.secrecy import shared

_LONGEST = 80
_LOOKED_AT = 4000
_WIDEST = 400
_SORTS: dict[type, str] = {list: "a list", tuple: "a list", dict: "a record", int: "a number of very many digits"}


class _Absent:
    def __repr__(self) -> str:
        return "(nothing)"


ABSENT: Final = _Absent()
"""No value: the field is missing, null or empty on their side."""


class Complaint(ValueError):
    """One value does not fit. The record, the line and the table are added on the way up."""

    def __init__(self, sentence: str, raw: Any = ABSENT) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.raw = raw
        self.trail: list[str] = []
        self.theirs = ""
        self.line = 0

    def inside(self, name: str) -> Complaint:
        """The same complaint, seen from one level further out."""
        self.trail.insert(0, name)
        return self

    def at(self, name: str, theirs: str, line: int) -> Complaint:
        """The same complaint, now with the field it is about (the innermost field is remembered)."""
        self.theirs = self.theirs or theirs
        self.line = self.line or line
        return self.inside(name)

    def field(self) -> str:
        """The canonical field as people write it: `lines[3].quantity`."""
        return ".".join(self.trail).replace(".[", "[")

    def as_error(self, product: str, document: str, file: str) -> Invalid:
        """The error for the engine: names the table, the field and the value; secrets are hidden."""
        value = shown(self.raw, self.theirs or self.field())
        where = f"{file}:{self.line}" if self.line else file
        theirs = f" (their {self.theirs})" if self.theirs else ""
        field = f"{document} of {product}, field {self.field() or 'record'}{theirs}"
        sentence = f"{field}: {value} {self.sentence} [{where}]"
        return self._error(sentence, {"table": where, "field": self.field(), "theirs": self.theirs, "value": value})

    def _error(self, sentence: str, details: Mapping[str, Any]) -> Invalid:
        return Invalid(sentence, **details)


class Missing(Complaint):
    """The value names something the identity registry has not heard of yet."""

    def __init__(self, sentence: str, raw: Any, awaited: str) -> None:
        super().__init__(sentence, raw)
        self.awaited = awaited

    def _error(self, sentence: str, details: Mapping[str, Any]) -> Unknown:
        return Unknown(sentence, awaited=self.awaited, **details)


def shown(raw: Any, name: str = "") -> str:
    """A value as it may stand in a message: quoted, short, and hidden when its name or content looks secret."""
    if raw is ABSENT or raw is None:
        return "it"
    if not isinstance(raw, str | int | Decimal) or (isinstance(raw, int) and raw.bit_length() > _WIDEST):
        return _SORTS.get(type(raw), f"a {type(raw).__name__}")
    masked = shared.details({name.rpartition(".")[2]: str(raw)[:_LOOKED_AT]})
    text = str(next(iter(masked.values()))).encode("utf-8", "backslashreplace").decode().replace("'", "’")
    return f"'{text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}'"
