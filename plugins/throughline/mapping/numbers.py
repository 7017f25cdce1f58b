"""Numbers as systems spell them, always exact: `Decimal` in, `Decimal` or plain digits out."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from throughline.mapping.complaints import Complaint
from throughline.mapping.texts import read_text

_DIGITS = 38
_DECIMAL = re.compile(r"-?[0-9]{1,38}(?:\.[0-9]{1,38})?").fullmatch
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,37})").fullmatch
_LARGEST = 10**_DIGITS


def read_decimal(raw: Any) -> Decimal:
    """An exact number from plain digits, a JSON number, or a `Decimal`; nothing is rounded."""
    if raw.__class__ is str:
        if _DECIMAL(raw):
            return Decimal(raw)
        raise Complaint(_reproach(raw), raw)
    if raw.__class__ is int and -_LARGEST < raw < _LARGEST:
        return Decimal(raw)
    if raw.__class__ is Decimal:
        return _sized(raw)
    raise Complaint("is not an exact number", raw)


def _sized(raw: Decimal) -> Decimal:
    exponent = raw.as_tuple().exponent
    if not isinstance(exponent, int):
        raise Complaint("is not a number", raw)
    if not raw:
        return raw if -_DIGITS <= exponent <= 0 else Decimal(0)
    if exponent < -_DIGITS or raw.adjusted() >= _DIGITS:
        raise Complaint(f"has more than {_DIGITS} digits", raw)
    return raw


def _reproach(raw: str) -> str:
    """Why this text is not a number, as exactly as can be said."""
    if not raw.isascii() and any(char.isdigit() for char in raw):
        return "is not a number: its digits are not plain 0-9 (full-width?)"
    if raw != raw.strip():
        return "is not a number: it has blanks before or after it"
    if "," in raw:
        return "is not a number: it has a comma in it"
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", raw):
        return f"has more than {_DIGITS} digits"
    return "is not a number"


def read_whole_as_text(raw: Any) -> str:
    """An id that is a whole number on their side, as text on ours."""
    if raw.__class__ is int and -_LARGEST < raw < _LARGEST:
        return str(raw)
    if raw.__class__ is str and _WHOLE(raw):
        return str(raw)
    raise Complaint("is not a whole number", raw)


def read_id(raw: Any) -> str:
    """Their id of a record, which is text in one product and a whole number in another."""
    return read_whole_as_text(raw) if raw.__class__ is int else read_text(raw)


def read_whole(raw: Any) -> Decimal:
    """An amount that may have no fraction."""
    value = read_decimal(raw)
    if places(value):
        raise Complaint("is not a whole number", raw)
    return value


def places(value: Decimal) -> int:
    """How many digits after the point this number really needs."""
    _sign, digits, exponent = value.as_tuple()
    need = -exponent if isinstance(exponent, int) else 0
    for digit in reversed(digits):
        if need <= 0 or digit:
            break
        need -= 1
    return max(need, 0) if value else 0


def within_places(value: Decimal, limit: int | None) -> Decimal:
    """The number, if the target keeps that many digits after the point; it is never rounded."""
    if limit is not None and places(value) > limit:
        raise Complaint(f"has {places(value)} digits after the point and there is room for {limit}", value)
    return value


def plain(value: Decimal) -> str:
    """The number as plain digits, without an exponent."""
    return format(value, "f")


def write_whole(value: Decimal) -> int:
    """A whole number for a target that takes no fraction."""
    if places(value):
        raise Complaint("is not a whole number and the target takes no fraction", value)
    return int(value)


def write_whole_text(value: str) -> int:
    """Our text back as the whole number it is on their side."""
    if not _WHOLE(value):
        raise Complaint("is not a whole number, as the target's ids are", value)
    return int(value)
