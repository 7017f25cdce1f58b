"""Naming another document: canonical reference <-> number, line or id as it stands in their record."""

from __future__ import annotations

import re
from collections.abc import Callable

from throughline.canonical import header_of, line_of, line_reference, reference
from throughline.mapping.complaints import Complaint
from throughline.mapping.lookups import LINE

_REFERENCE = re.compile(r"[a-z_]+:[a-z_0-9]+:[^#\s][^#]*(#[^#]+)?").fullmatch


def number_of(ref: str) -> str:
    """The business number inside a canonical reference."""
    return header_of(ref).split(":", 2)[2].replace("%23", "#").replace("%25", "%")


def by_number(kind: str, owner: str) -> Callable[[str], str]:
    """Their text is the document's number, or `number#line` for a line."""
    if not kind.endswith(LINE):
        return lambda text: reference(kind, owner, text)
    base = kind.removesuffix(LINE)

    def read(text: str) -> str:
        number, mark, line = text.rpartition("#")
        if not (mark and number.strip() and line.strip()):
            raise Complaint("does not name a line: expected number#line", text)
        return line_reference(reference(base, owner, number), line)

    return read


def text_by_number(kind: str, owner: str) -> Callable[[str], str]:
    """The reference as the text a person would say: the number, or `number#line`."""
    expected = expect(kind, owner)

    def write(ref: str) -> str:
        expected(ref)
        line = line_of(ref)
        if line is not None and "#" in line:
            raise Complaint("has a # in its line, which number#line cannot say", ref)
        return number_of(ref) if line is None else f"{number_of(ref)}#{line}"

    return write


def expect(kind: str | None, owner: str | None = None) -> Callable[[str], str]:
    """Lets a reference of this kind (and owner) pass and refuses any other."""
    if kind is None:
        return _any_reference
    start = f"{kind.removesuffix(LINE)}:{owner}:" if owner else f"{kind.removesuffix(LINE)}:"
    lined = kind.endswith(LINE)

    def check(ref: str) -> str:
        if not ref.startswith(start) or ("#" in ref) is not lined:
            raise Complaint(f"does not name a {kind}{f' of {owner}' if owner else ''}", ref)
        return _any_reference(ref)

    return check


def _any_reference(ref: str) -> str:
    if not _REFERENCE(ref):
        raise Complaint("is not a canonical reference", ref)
    return ref
