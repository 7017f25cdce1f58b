"""Why a verdict is what it is: a code with its figures, who should see to it, and a sentence for a person."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from throughline.rules.matching.codes_of_documents import DOCUMENT_CODES
from throughline.rules.matching.codes_of_invoices import INVOICE_CODES
from throughline.rules.matching.codes_of_lines import LINE_CODES
from throughline.rules.units import plain

Language = Literal["en", "zh"]


class State(StrEnum):
    """What a line or an invoice has come to, from the lightest to the heaviest; of several the heaviest counts."""

    CLEAN = "clean"
    WAITING = "waiting"
    EXCEPTION = "exception"
    DUPLICATE_SUSPECTED = "duplicate_suspected"
    BLOCKED = "blocked"

    def __lt__(self, other: str) -> bool:
        return _WEIGHTS[self] < _WEIGHTS[other]

    def __gt__(self, other: str) -> bool:
        return _WEIGHTS[self] > _WEIGHTS[other]

    def __le__(self, other: str) -> bool:
        return _WEIGHTS[self] <= _WEIGHTS[other]

    def __ge__(self, other: str) -> bool:
        return _WEIGHTS[self] >= _WEIGHTS[other]


_WEIGHTS: dict[str, int] = {state: weight for weight, state in enumerate(State)}
CODES = {**LINE_CODES, **INVOICE_CODES, **DOCUMENT_CODES}
_STATES = {
    "note": State.CLEAN,
    "waiting": State.WAITING,
    "exception": State.EXCEPTION,
    "duplicate": State.DUPLICATE_SUSPECTED,
    "blocked": State.BLOCKED,
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason: `code` with its `data`, about a document (`about`) and, where it is one, its line."""

    code: str
    about: str
    line: str | None
    data: tuple[tuple[str, str], ...]
    state: State
    owners: tuple[str, ...]

    @property
    def values(self) -> dict[str, str]:
        """The data by name."""
        return dict(self.data)

    @property
    def fingerprint(self) -> str:
        """The same reason with the same figures has the same fingerprint; a release quotes it."""
        told = "|".join([self.code, self.about, self.line or "", *(f"{key}={value}" for key, value in self.data)])
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def releasable(self) -> bool:
        """Whether a person may accept it as it is. What would pay for goods nobody has may not be accepted."""
        return CODES[self.code].releasable

    def sentence(self, language: Language = "en") -> str:
        """The reason in a person's words."""
        code = CODES[self.code]
        return (code.zh if language == "zh" else code.en).format_map(_Words(self.values))

    def accepted(self, person: str) -> Reason:
        """The same reason after a person accepted it: it stays visible and holds nothing any more."""
        data = (*self.data, ("released_by", person))
        return replace(self, data=data, state=State.CLEAN, owners=())


class _Words(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"


def reason(code: str, about: str, line: str | None = None, /, **data: object) -> Reason:
    """A reason with its figures as plain text."""
    known = CODES[code]
    told = tuple((key, plain(value) if isinstance(value, Decimal) else str(value)) for key, value in data.items())
    return Reason(code, about, line, told, _STATES[known.state], known.owners)
