"""Dates and moments as systems spell them. Local dates stay dates; a moment without a zone gets the system's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from throughline.mapping.complaints import Complaint

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = (datetime(1980, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
_LATEST = (datetime(2200, 1, 1, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
_SECONDS = "%Y-%m-%d %H:%M:%S"


def moment_of_ms(raw: Any) -> datetime:
    """The moment so many milliseconds after 1970."""
    if raw.__class__ is str and raw.isascii() and raw.isdigit():
        raw = int(raw[:20])
    if raw.__class__ is Decimal and raw.is_finite() and raw == raw.to_integral_value():
        raw = int(raw)
    if raw.__class__ is not int:
        raise Complaint("is not a moment in milliseconds", raw)
    if not _EARLIEST <= raw < _LATEST:
        raise Complaint("is not a moment in milliseconds between 1980 and 2200 (are they seconds?)", raw)
    return EPOCH + timedelta(milliseconds=raw)


def date_of_ms(zone: ZoneInfo) -> Callable[[Any], date]:
    """The calendar day, where the system stands, of a moment in milliseconds."""
    return lambda raw: moment_of_ms(raw).astimezone(zone).date()


def ms_of_moment(value: datetime) -> int:
    """Milliseconds since 1970, finer parts dropped."""
    return (value - EPOCH) // timedelta(milliseconds=1)


def ms_of_date(zone: ZoneInfo) -> Callable[[date], int]:
    """The first moment of a calendar day where the system stands."""
    return lambda value: ms_of_moment(datetime.combine(value, time(), zone).astimezone(UTC))


def moment_of_text(form: str | None, zone: ZoneInfo) -> Callable[[Any], datetime]:
    """Reads a moment; one without its own offset is local to the system, and one no clock ever showed is refused."""
    parse = _parser(form)

    def read(raw: Any) -> datetime:
        local = parse(raw)
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        moment = local.replace(tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) != local:
            raise Complaint(f"never was on a clock in {zone.key}", raw)
        return moment

    return read


def date_of_text(form: str | None) -> Callable[[Any], date]:
    """Reads a calendar day, dropping a time of day that stands with it."""
    parse = _parser(form)
    return lambda raw: parse(raw).date()


def plain_date(form: str | None) -> Callable[[Any], date]:
    """Reads a calendar day and nothing else."""
    if form is not None:
        return date_of_text(form)

    def read(raw: Any) -> date:
        if raw.__class__ is str and len(raw) == 10 and raw[4] == raw[7] == "-" and raw.isascii():
            try:
                return date.fromisoformat(raw)
            except ValueError:
                pass
        raise Complaint("is not a date like 2026-01-31", raw)

    return read


def text_of_moment(form: str | None, zone: ZoneInfo) -> Callable[[datetime], str]:
    """Writes a moment as the system's local time, or with its offset when no format is said."""
    if form is None:
        return lambda value: value.astimezone(zone).isoformat()
    return lambda value: value.astimezone(zone).strftime(form)


def text_of_date(form: str | None) -> Callable[[date], str]:
    """Writes a calendar day."""
    if form is None:
        return lambda value: value.isoformat()
    return lambda value: datetime.combine(value, time()).strftime(form)


def _parser(form: str | None) -> Callable[[Any], datetime]:

    def formatted(raw: Any) -> datetime:
        if raw.__class__ is str and raw.isascii():
            try:
                return datetime.strptime(raw, form or "")  # noqa: DTZ007  the zone is added by the caller
            except ValueError:
                pass
        raise Complaint(f"is not written like {form}", raw)

    return _iso if form is None else _to_the_second if form == _SECONDS else formatted


def _iso(raw: Any) -> datetime:
    if raw.__class__ is str and len(raw) >= 16 and raw[4] == raw[7] == "-" and raw.isascii():
        try:
            return datetime.fromisoformat(raw)
        except ValueError:
            pass
    raise Complaint("is not a moment like 2026-01-31T08:00:00+08:00", raw)


def _to_the_second(raw: Any) -> datetime:
    if raw.__class__ is str and len(raw) == 19 and raw[10] == " ":
        return _iso(raw)
    raise Complaint("is not a moment like 2026-01-31 08:00:00", raw)
