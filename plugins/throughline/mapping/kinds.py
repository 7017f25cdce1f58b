"""The kinds of `as`: how one value is read from, and written in, their spelling."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from throughline.mapping import moments, numbers, texts
from throughline.mapping.complaints import ABSENT, Complaint
from throughline.mapping.shapes import Sort
from throughline.mapping.vocabulary import KindRule

Convert = Callable[[Any], Any]

_TEXTS = ("text", "line", "trimmed", "upper", "list_first", "int")
_NUMBERS = ("decimal", "decimal_text", "int")
FITS: dict[Sort, tuple[str, ...]] = {
    Sort.TEXT: _TEXTS,
    Sort.REFERENCE: _TEXTS,
    Sort.DECIMAL: _NUMBERS,
    Sort.QUANTITY: _NUMBERS,
    Sort.MONEY: _NUMBERS,
    Sort.BOOL: ("bool",),
    Sort.DATE: ("date", "datetime", "ms"),
    Sort.MOMENT: ("datetime", "ms"),
}
"""Which kinds a canonical sort can be spelled in; the first is meant when a table says none."""

_OPTIONS = {
    "format": ("date", "datetime"),
    "zone": ("datetime", "ms"),
    "max": ("text", "line", "trimmed", "upper", "list_first"),
    "prefix": ("text", "line", "trimmed", "upper", "list_first"),
    "decimals": ("decimal", "decimal_text"),
}


class Wrong(ValueError):
    """A table says something that cannot be meant; `word` is the part of the field that is wrong."""

    def __init__(self, text: str, word: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.word = word


def checked_rule(rule: KindRule | None, sort: Sort) -> KindRule:
    """The rule for this sort of field, or `Wrong`."""
    allowed = FITS[sort]
    if rule is None:
        return KindRule(kind=allowed[0])  # type: ignore[arg-type]  # every entry of FITS is a Kind
    if rule.kind not in allowed:
        raise Wrong(f"{rule.kind} does not fit a {sort} field: use one of {', '.join(allowed)}", "as")
    for option, kinds in _OPTIONS.items():
        if getattr(rule, option) is not None and rule.kind not in kinds:
            raise Wrong(f"{option} means nothing for {rule.kind}", "as")
    if rule.format is not None:
        _check_format(rule.format)
    return rule


def zone_of(rule: KindRule, system_zone: str) -> ZoneInfo:
    """The zone of a local time: the table's own word, else the system's."""
    name = rule.zone or system_zone
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Wrong(f"{name} is not a time zone", "as") from None


def _check_format(form: str) -> None:
    sample = datetime(2026, 1, 31, 8, 9, 10)  # noqa: DTZ001  only the spelling is tried
    try:
        datetime.strptime(sample.strftime(form), form)  # noqa: DTZ007
    except ValueError:
        raise Wrong(f"{form} is not a date format", "as") from None


def reading(rule: KindRule, sort: Sort, zone: ZoneInfo) -> Convert:
    """From their spelling to our value."""
    if sort in (Sort.DECIMAL, Sort.QUANTITY, Sort.MONEY):
        return numbers.read_whole if rule.kind == "int" else numbers.read_decimal
    if sort is Sort.BOOL:
        return _read_bool
    if sort is Sort.DATE:
        return _reading_date(rule, zone)
    if sort is Sort.MOMENT:
        return moments.moment_of_ms if rule.kind == "ms" else moments.moment_of_text(rule.format, zone)
    return _without_prefix(rule, _READ_TEXT[rule.kind])


def writing(rule: KindRule, sort: Sort, zone: ZoneInfo) -> Convert:
    """From our value to their spelling."""
    if sort in (Sort.DECIMAL, Sort.QUANTITY, Sort.MONEY):
        return _writing_number(rule)
    if sort is Sort.BOOL:
        return bool
    if sort is Sort.DATE:
        return _writing_date(rule, zone)
    if sort is Sort.MOMENT:
        return moments.ms_of_moment if rule.kind == "ms" else moments.text_of_moment(rule.format, zone)
    return _writing_text(rule)


_READ_TEXT: dict[str, Convert] = {
    "text": texts.read_text,
    "line": texts.read_line,
    "trimmed": texts.read_trimmed,
    "upper": texts.read_upper,
    "list_first": texts.read_first,
    "int": numbers.read_whole_as_text,
}


_WRITTEN_TEXT: dict[str, Convert] = {"line": texts.write_line, "trimmed": texts.sound}
"""How strictly our own text is looked at before it leaves; every other kind must be exact."""


def _without_prefix(rule: KindRule, read: Convert) -> Convert:
    prefix = rule.prefix
    if prefix is None:
        return read

    def strip(raw: Any) -> Any:
        value = read(raw)
        if value is ABSENT or not value.startswith(prefix):
            return ABSENT
        return value.removeprefix(prefix) or ABSENT

    return strip


def _read_bool(raw: Any) -> bool:
    if raw.__class__ is not bool:
        raise Complaint("is neither true nor false", raw)
    return bool(raw)


def _reading_date(rule: KindRule, zone: ZoneInfo) -> Convert:
    if rule.kind == "ms":
        return moments.date_of_ms(zone)
    return moments.plain_date(rule.format) if rule.kind == "date" else moments.date_of_text(rule.format)


def _writing_number(rule: KindRule) -> Convert:
    if rule.kind == "int":
        return numbers.write_whole
    if rule.kind == "decimal_text":
        return lambda value: numbers.plain(numbers.within_places(value, rule.decimals))
    return lambda value: numbers.within_places(value, rule.decimals)


def _writing_date(rule: KindRule, zone: ZoneInfo) -> Convert:
    if rule.kind == "ms":
        return moments.ms_of_date(zone)
    if rule.kind == "datetime" and rule.format is None:
        return moments.text_of_date("%Y-%m-%dT%H:%M:%S")
    return moments.text_of_date(rule.format)


def _writing_text(rule: KindRule) -> Convert:
    if rule.kind == "int":
        return numbers.write_whole_text
    prefix, limit, wrap = rule.prefix or "", rule.max, rule.kind == "list_first"
    checked: Convert = _WRITTEN_TEXT.get(rule.kind, texts.read_text)

    def write(value: str) -> Any:
        text = texts.within(f"{prefix}{checked(value)}", limit)
        return [text] if wrap else text

    return write
