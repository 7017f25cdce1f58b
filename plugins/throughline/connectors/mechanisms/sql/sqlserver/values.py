"""Rows of SQL Server as plain JSON values: every number exact, every moment as text, nothing left as a float.

A `datetime` ticks in 1/300 s and arrives as the thousandth SQL Server shows (.000, .003, .007). The driver keeps six
places of a `datetime2(7)`; where the seventh matters, convert it to text in the query.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

from throughline.errors import Misconfigured


def plain(value: Any, column: str) -> Any:
    """The value as JSON knows it; `Misconfigured` for a kind that has no plain form."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Decimal | float):
        return _number(value)
    if isinstance(value, datetime | time):
        return _without_idle_zeros(value.isoformat())
    if isinstance(value, date | UUID):
        return str(value)
    if isinstance(value, bytes):
        return f"0x{value.hex().upper()}"
    raise Misconfigured(
        f"column {column} holds a {type(value).__name__}, which has no plain form: convert it to text in the query"
    )


def _number(value: Decimal | float) -> Decimal | str:
    """Digit for digit; a float as the shortest number that is the same float, as people typed it."""
    if not isfinite(value):
        return str(value)
    return Decimal(repr(value)) if isinstance(value, float) else value


def _without_idle_zeros(text: str) -> str:
    """`08:00:00.120000` says no more than `08:00:00.12`."""
    seconds, dot, rest = text.partition(".")
    fraction, zone = (rest[:6], rest[6:]) if dot else ("", "")
    fraction = fraction.rstrip("0")
    return f"{seconds}.{fraction}{zone}" if fraction else seconds + zone
