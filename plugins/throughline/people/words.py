"""The words every file of `include/people` is made of, and how a file becomes a checked model."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from throughline.lined_yaml import LinedFile, read_lined

Model = TypeVar("Model", bound=BaseModel)
_DURATION = re.compile(r"^(\d{1,6})(m|h|d)$")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(hours=8)}
_CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$")
_DAY = re.compile(r"^\d{4}-\d\d-\d\d$")


class Words(BaseModel):
    """A declaration: nothing beyond what is named here may stand in it, and nothing changes it later."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Title(Words):
    """A short text in English and Chinese."""

    en: Annotated[str, Field(min_length=1, max_length=500)]
    zh: Annotated[str, Field(min_length=1, max_length=500)]

    def in_(self, language: str) -> str:
        """The text in one language."""
        return self.zh if language == "zh" else self.en


def working_span(text: object) -> timedelta:
    """A length of working time written `30m`, `4h` or `2d`; a working day counts eight hours."""
    if isinstance(text, timedelta):
        return text
    found = _DURATION.match(text) if isinstance(text, str) else None
    if found is None or not int(found[1]):
        raise ValueError(f"'{text}' is not a length of working time: write 30m, 4h or 2d (a day counts eight hours)")
    return int(found[1]) * _UNITS[found[2]]


def time_of_day(text: object) -> time:
    """A time of day written `08:30`."""
    if isinstance(text, time):
        return text
    found = _CLOCK.match(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"'{text}' is not a time of day: write it in quotes as \"08:30\"")
    return time(int(found[1]), int(found[2]))


def calendar_day(text: object) -> date:
    """A day written `2026-12-31`."""
    if isinstance(text, date) and not isinstance(text, datetime):
        return text
    try:
        return date.fromisoformat(text if isinstance(text, str) and _DAY.match(text) else "")
    except ValueError:
        raise ValueError(f"'{text}' is not a day: write 2026-12-31") from None


def known_zone(name: str) -> str:
    """The zone's name unchanged, or ValueError."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name} is not a time zone") from None
    return name


def _minutes(span: timedelta) -> str:
    return f"{span // timedelta(minutes=1)}m"


WorkingSpan = Annotated[timedelta, BeforeValidator(working_span), PlainSerializer(_minutes, return_type=str)]
TimeOfDay = Annotated[time, BeforeValidator(time_of_day)]
Day = Annotated[date, BeforeValidator(calendar_day)]
Zone = Annotated[str, AfterValidator(known_zone)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]
PersonId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,60}$")]


def read_words(path: Path, model: type[Model]) -> tuple[LinedFile, Model]:
    """The file and what it says; every mistake is told with file and line."""
    file = read_lined(path)
    try:
        return file, model.model_validate(file.content)
    except ValidationError as wrong:
        file.refuse([(_place(problem["loc"]), _said(problem)) for problem in wrong.errors(include_url=False)])


def _place(location: tuple[int | str, ...]) -> tuple[str | int, ...]:
    return tuple(part for part in location if part != "[key]")


def _said(problem: Any) -> str:
    return str(problem["msg"]).removeprefix("Value error, ")
