"""Reads `include/people/calendars/*.yaml`: which shifts are worked on which days, and which days are holidays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from throughline.errors import Misconfigured
from throughline.lined_yaml import shown_path
from throughline.people.words import Day, Name, TimeOfDay, Title, Words, Zone, read_words
from throughline.people.working_time import WorkingCalendar

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _stretch(told: object) -> object:
    """`["08:00", "12:00"]` as start and end."""
    return dict(zip(("start", "end"), told, strict=True)) if isinstance(told, list) and len(told) == 2 else told


class Stretch(Words):
    """Working time without a break; one that ends before it begins goes over midnight."""

    start: TimeOfDay
    end: TimeOfDay

    @model_validator(mode="after")
    def _has_length(self) -> Stretch:
        if self.start == self.end:
            raise ValueError(f"a stretch from {self.start:%H:%M} to {self.end:%H:%M} has no length")
        return self


def _in_order(stretches: tuple[Stretch, ...]) -> tuple[Stretch, ...]:
    for earlier, later in pairwise(stretches):
        if earlier.end <= earlier.start or later.start < earlier.end:
            raise ValueError(
                "the stretches of a shift stand in order, do not overlap, and only the last passes midnight"
            )
    return stretches


Shift = Annotated[tuple[Annotated[Stretch, BeforeValidator(_stretch)], ...], AfterValidator(_in_order)]


class Year(Words):
    """What a year's notice says: days off, and days worked instead (调休). `provisional`: not published yet."""

    off: tuple[Day, ...] = ()
    on: tuple[Day, ...] = ()
    provisional: bool = False


class SpecialDay(Words):
    """One day of this calendar that is unlike its weekday: a stocktake, a power cut."""

    date: Day
    works: tuple[Name, ...] = ()
    why: str


class CalendarFile(Words):
    """One working calendar."""

    calendar: Name
    title: Title
    zone: Zone = "Asia/Shanghai"
    holidays: Literal["china", "none"] = "china"
    shifts: Annotated[dict[Name, Shift], Field(min_length=1)]
    week: dict[Weekday, tuple[Name, ...]]
    make_up: tuple[Name, ...] = ()
    works_on_holidays: bool = False
    years: dict[int, Year] = Field(default_factory=dict)
    special_days: tuple[SpecialDay, ...] = ()

    @model_validator(mode="after")
    def _names_its_shifts(self) -> CalendarFile:
        named = {name for names in self.week.values() for name in names} | set(self.make_up)
        named |= {name for special in self.special_days for name in special.works}
        if strangers := sorted(named - set(self.shifts)):
            raise ValueError(f"there is no shift {', '.join(strangers)} in this calendar")
        if not any(self.week.values()):
            raise ValueError("nobody works on any day of the week of this calendar")
        return self

    @model_validator(mode="after")
    def _days_in_their_year(self) -> CalendarFile:
        for number, year in self.years.items():
            if wrong := [day for day in (*year.off, *year.on) if day.year != number]:
                raise ValueError(f"{wrong[0]} stands under {number}")
            if both := sorted(set(year.off) & set(year.on)):
                raise ValueError(f"{both[0]} cannot be both off and on")
        return self


def load_calendars(folder: Path) -> Mapping[str, WorkingCalendar]:
    """Every calendar of a folder by name; a mistake names the file and line."""
    found: dict[str, WorkingCalendar] = {}
    for path in sorted(folder.glob("*.yaml")):
        file, declared = read_words(path, CalendarFile)
        if declared.calendar != path.stem:
            file.refuse(
                [(("calendar",), f"the file of calendar {declared.calendar} is named {declared.calendar}.yaml")]
            )
        found[declared.calendar] = working_calendar(declared, f"{shown_path(path)}:{file.line(('years',))}")
    if not found:
        raise Misconfigured("there is no working calendar in this folder", where=shown_path(folder))
    return found


def working_calendar(declared: CalendarFile, where: str) -> WorkingCalendar:
    """The calendar as arithmetic needs it; `where` is named when a year is missing."""
    shifts = {name: tuple((stretch.start, stretch.end) for stretch in shift) for name, shift in declared.shifts.items()}

    def stretches(names: tuple[str, ...]) -> tuple[tuple[time, time], ...]:
        return tuple(stretch for name in names for stretch in shifts[name])

    return WorkingCalendar(
        name=declared.calendar,
        zone=declared.zone,
        where=where,
        week=tuple(stretches(declared.week.get(day, ())) for day in WEEKDAYS),
        make_up=stretches(declared.make_up),
        chinese=declared.holidays == "china",
        on_holidays=declared.works_on_holidays,
        off=frozenset(day for year in declared.years.values() for day in year.off),
        on=frozenset(day for year in declared.years.values() for day in year.on),
        years=frozenset(declared.years),
        provisional=frozenset(number for number, year in declared.years.items() if year.provisional),
        exceptions={special.date: stretches(special.works) for special in declared.special_days},
    )
