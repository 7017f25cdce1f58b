"""Arithmetic on working time: exact at the borders of shifts, over midnight, and where clocks are changed.

A calendar turns each local day into stretches of real time (UTC); everything else is sums over them. A stretch belongs
to the day it begins on, so Friday's night shift is worked although it ends on Saturday. Lengths are real elapsed time:
a night in which the clocks go back is an hour longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from throughline.errors import Misconfigured
from throughline.people.holidays import KNOWN_YEARS, is_day_off, is_make_up_day

Stretches = tuple[tuple[time, time], ...]
Spans = tuple[tuple[datetime, datetime], ...]
_DAY = timedelta(days=1)
_NOTHING = timedelta(0)
_LONGEST_PAUSE = 400
"""So many days without any working time are no calendar but a mistake."""
_LOOKS_AHEAD = timedelta(days=60)
"""The State Council publishes the coming year's holidays in November: that long before, a missing year is told."""


@dataclass(frozen=True)
class WorkingCalendar:
    """When work is done: the shifts of each weekday, holidays, make-up workdays 调休 and single exceptions.

    `where` is the file and line to name when something must be added; `years` are those the file itself describes.
    """

    name: str
    zone: str
    where: str
    week: tuple[Stretches, ...]
    make_up: Stretches = ()
    chinese: bool = True
    on_holidays: bool = False
    off: frozenset[date] = frozenset()
    on: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()
    provisional: frozenset[int] = frozenset()
    exceptions: Mapping[date, Stretches] = field(default_factory=dict)

    def is_working(self, moment: datetime) -> bool:
        """Whether work is done at this moment; a shift's end does not belong to it any more."""
        found = next(self._from(moment), None)
        return found is not None and found[0] <= moment

    def next_working(self, moment: datetime) -> datetime:
        """This moment if work is done then, otherwise the next shift's beginning. UTC."""
        start, _ = self._first(moment)
        return max(start, moment).astimezone(UTC)

    def add(self, moment: datetime, amount: timedelta) -> datetime:
        """The first moment by which `amount` of working time has passed since `moment`; the same for nothing. UTC."""
        if amount < _NOTHING:
            raise ValueError("working time is added, never taken away")
        left, now = amount, moment.astimezone(UTC)
        while left > _NOTHING:
            start, end = self._first(now)
            now = max(start, now)
            step = min(left, end - now)
            now, left = now + step, left - step
        return now

    def between(self, earlier: datetime, later: datetime) -> timedelta:
        """How much working time lies between two moments; negative when they stand the other way round."""
        if later < earlier:
            return -self.between(later, earlier)
        total = _NOTHING
        for start, end in self._from(earlier):
            if start >= later:
                break
            total += min(end, later) - max(start, earlier)
        return total

    def missing_year(self, now: datetime) -> str | None:
        """What to put into which file when days soon to come are unknown or provisional; None when all is well."""
        today = now.astimezone(self._zone).date()
        for year in sorted({today.year, (today + _LOOKS_AHEAD).year}):
            if not self._knows(year):
                return f"{self.where}: {self._what_to_add(year)}"
            if year in self.provisional:
                return (f"{self.where}: the year {year} of calendar {self.name} is provisional: put the published days "
                        f"off and make-up workdays there and take `provisional` away")  # fmt: skip
        return None

    def works_on(self, day: date) -> Stretches:
        """The stretches that begin on a local day; `Misconfigured` when the day's year is not known."""
        if day in self.exceptions:
            return self.exceptions[day]
        if not self._knows(day.year):
            raise Misconfigured(self._what_to_add(day.year), where=self.where)
        if self._is_on(day):
            return self.make_up or self.week[0]
        if self._is_off(day) and not self.on_holidays:
            return ()
        return self.week[day.weekday()]

    def spans(self, day: date) -> Spans:
        """The working time that begins on a local day, as UTC, in order and merged where stretches touch."""
        found = self._kept.get(day)
        if found is None:
            found = self._kept[day] = _merged([self._real(day, *stretch) for stretch in self.works_on(day)])
        return found

    def _real(self, day: date, start: time, end: time) -> tuple[datetime, datetime]:
        """A stretch in UTC; where the clock shows a time twice it begins at the first and ends at the second."""
        last = day if end > start else day + _DAY
        begins = datetime.combine(day, start, self._zone).astimezone(UTC)
        return begins, datetime.combine(last, end, self._zone).replace(fold=1).astimezone(UTC)

    def _first(self, moment: datetime) -> tuple[datetime, datetime]:
        found = next(self._from(moment), None)
        if found is None:
            raise Misconfigured(f"calendar {self.name} has no working time in {_LONGEST_PAUSE} days", where=self.where)
        return found

    def _from(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """What is left of the working time from a moment on, in order; where two days overlap it counts once."""
        covered, day, pause = moment.astimezone(UTC), moment.astimezone(self._zone).date() - _DAY, 0
        while pause < _LONGEST_PAUSE:
            spans = self._within(day, moment)
            for start, end in spans:
                if end > covered:
                    yield max(start, covered), end
                    covered = end
            pause, day = (0 if spans else pause + 1), day + _DAY

    def _within(self, day: date, moment: datetime) -> Spans:
        """A day's spans; yesterday's are none when its year is unknown, for they only matter over midnight."""
        if day < moment.astimezone(self._zone).date() and not self._knows(day.year):
            return ()
        return self.spans(day)

    def _knows(self, year: int) -> bool:
        return not self.chinese or year in self.years or year in KNOWN_YEARS

    def _is_on(self, day: date) -> bool:
        if day.year in self.years:
            return day in self.on
        return self.chinese and is_make_up_day(day)

    def _is_off(self, day: date) -> bool:
        if day.year in self.years:
            return day in self.off
        return self.chinese and is_day_off(day)

    def _what_to_add(self, year: int) -> str:
        return (
            f"calendar {self.name} does not know the holidays of {year}: add `{year}: {{off: [days off], "
            "on: [make-up workdays]}` under `years` as the State Council published them, or install a newer "
            "chinesecalendar"
        )

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @cached_property
    def _kept(self) -> dict[date, Spans]:
        return {}


def _merged(spans: list[tuple[datetime, datetime]]) -> Spans:
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if start >= end:
            continue  # the clock was put forward over the whole stretch
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return tuple(merged)
