"""China's public holidays and make-up workdays 调休: the State Council's notices, from package `chinesecalendar`."""

from __future__ import annotations

from datetime import date

from chinese_calendar import constants

KNOWN_YEARS = frozenset(day.year for day in constants.holidays)
"""The years whose notice the installed package knows."""


def is_day_off(day: date) -> bool:
    """Whether nobody works on this day because of a holiday; an ordinary weekend is not one."""
    return day in constants.holidays


def is_make_up_day(day: date) -> bool:
    """Whether this weekend day is worked instead of another."""
    return day in constants.workdays
