"""When somebody may be disturbed: quiet hours, days off, and the moments at which they want their reminders. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from throughline.errors import Misconfigured
from throughline.people.organisation_words import Person
from throughline.people.working_time import WorkingCalendar

_DAY = timedelta(days=1)
_LONGEST = 40
"""Nobody is left untold for longer than so many days, whatever the calendar says."""


def allowed(person: Person, calendar: WorkingCalendar, moment: datetime) -> datetime:
    """This moment, or the next one at which the person may be disturbed. UTC."""
    now = moment.astimezone(ZoneInfo(calendar.zone))
    for _ in range(2 * _LONGEST):
        after = _after_quiet(person, now) or _after_rest_day(person, calendar, now)
        if after is None:
            break
        now = after
    return now.astimezone(UTC)


def digest_moment(person: Person, calendar: WorkingCalendar, moment: datetime) -> datetime:
    """The next of the person's moments for reminders, put off where they must not be disturbed. UTC."""
    local = moment.astimezone(ZoneInfo(calendar.zone))
    times = sorted(person.digests)
    today = [_at(local.date(), at, local) for at in times if _at(local.date(), at, local) >= local]
    return allowed(person, calendar, today[0] if today else _at(local.date() + _DAY, times[0], local))


def _after_quiet(person: Person, now: datetime) -> datetime | None:
    """The end of the quiet hours this moment lies in."""
    quiet = person.quiet
    if quiet is None:
        return None
    clock = now.time()
    if quiet.start <= quiet.end:
        return _at(now.date(), quiet.end, now) if quiet.start <= clock < quiet.end else None
    if clock >= quiet.start:
        return _at(now.date() + _DAY, quiet.end, now)
    return _at(now.date(), quiet.end, now) if clock < quiet.end else None


def _after_rest_day(person: Person, calendar: WorkingCalendar, now: datetime) -> datetime | None:
    """The beginning of the next day, when this one is off and they want their peace."""
    if person.quiet is None or not person.quiet.rest_days or _is_worked(calendar, now.date()):
        return None
    return _at(now.date() + _DAY, time(0), now)


def _is_worked(calendar: WorkingCalendar, day: date) -> bool:
    try:
        return bool(calendar.works_on(day))
    except Misconfigured:
        return True  # a calendar without this year is told elsewhere; people are told all the same


def _at(day: date, clock: time, like: datetime) -> datetime:
    return datetime.combine(day, clock, like.tzinfo)
