"""Moments as products write them: read into aware datetimes, written back in the product's own way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from throughline.errors import Invalid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_UNITS = {"ms": timedelta(milliseconds=1), "s": timedelta(seconds=1), "iso": timedelta(microseconds=1)}


def smallest_step(form: str) -> timedelta:
    """The smallest difference between two moments written this way."""
    if form in _UNITS or form == "moment":
        return _UNITS.get(form, timedelta(microseconds=1))
    return timedelta(microseconds=1) if "%f" in form else timedelta(seconds=1)


def compile_read_stamp(form: str, zone: str) -> Callable[[Any], datetime]:
    """A function from what the product wrote to a moment; `Invalid` where it is none."""
    local = ZoneInfo(zone)

    def read(value: Any) -> datetime:
        try:
            moment = _read(value, form)
        except (TypeError, ValueError, ArithmeticError, OverflowError):
            raise Invalid(f"{value!r} is not a moment written as {form}", field="change stamp") from None
        return (moment.replace(tzinfo=local) if moment.tzinfo is None else moment).astimezone(UTC)

    return read


def _read(value: Any, form: str) -> datetime:
    if isinstance(value, datetime):
        return value
    if form in ("ms", "s"):
        return EPOCH + int(Decimal(str(value))) * _UNITS[form]
    if form in ("iso", "moment"):
        return datetime.fromisoformat(str(value))
    return datetime.strptime(str(value), form)  # noqa: DTZ007 - the zone is the profile's, added by the caller


def compile_write_stamp(form: str, zone: str) -> Callable[[datetime], Any]:
    """A function from a moment to the way the product wants it in a request."""
    local = ZoneInfo(zone)
    if form == "ms":
        return lambda moment: (moment - EPOCH) // timedelta(milliseconds=1)
    if form == "s":
        return lambda moment: (moment - EPOCH) // timedelta(seconds=1)
    if form == "moment":
        return lambda moment: moment.astimezone(local)
    if form == "iso":
        return lambda moment: moment.astimezone(local).isoformat()
    return lambda moment: moment.astimezone(local).strftime(form)
