"""Tryton's JSON: values that carry their class, and records that stand beside their ids under a key with a dot.

Read: moments and dates become ISO text, decimals stay exact, `unit.` (the record) takes the place of `unit` (its id).
Written: dates and moments get their class. A number is a quantity; what Tryton keeps as a decimal is `numeric()`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

_DAY = ("year", "month", "day")
_MOMENT = (*_DAY, "hour", "minute", "second", "microsecond")


def numeric(amount: Decimal | int | str) -> dict[str, str]:
    """An amount as Tryton wants its decimals, never through a float."""
    return {"__class__": "Decimal", "decimal": format(Decimal(amount), "f")}


def encode(value: Any) -> Any:
    """A request's structure with dates and moments as Tryton writes them."""
    if isinstance(value, Mapping):
        return {key: encode(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(entry) for entry in value]
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return {"__class__": "datetime", **{part: getattr(moment, part) for part in _MOMENT}}
    if isinstance(value, date):
        return {"__class__": "date", **{part: getattr(value, part) for part in _DAY}}
    return value


def decode(value: Any) -> Any:
    """An answer with its classes read and its records in their places."""
    if isinstance(value, Mapping):
        read = _CLASSES.get(str(value.get("__class__")))
        return read(value) if read else _record(value)
    if isinstance(value, list):
        return [decode(entry) for entry in value]
    return value


def _record(value: Mapping[str, Any]) -> dict[str, Any]:
    read = {key: decode(entry) for key, entry in value.items() if not key.endswith(".")}
    for key, entry in value.items():
        if key.endswith(".") and not _is_only_a_name(entry):
            read[key[:-1]] = decode(entry)
    return read


def _is_only_a_name(entry: Any) -> bool:
    """What a form would show beside an id is no record: the id stays."""
    return isinstance(entry, Mapping) and "id" not in entry


def _moment(value: Mapping[str, Any]) -> str:
    year, month, day, hour, minute, second, micro = (int(value[part]) for part in _MOMENT)
    return datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC).isoformat()


def _date(value: Mapping[str, Any]) -> str:
    year, month, day = (int(value[part]) for part in _DAY)
    return date(year, month, day).isoformat()


_CLASSES: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "datetime": _moment,
    "date": _date,
    "Decimal": lambda value: Decimal(value["decimal"]),
    "timedelta": lambda value: Decimal(str(value["seconds"])),
    "bytes": lambda value: base64.b64decode(value["base64"]).decode("latin-1"),
}
