"""Working time: exact at borders, over midnight, over holidays and make-up days, over changed clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from throughline.errors import Misconfigured
from throughline.people.calendar_files import load_calendars
from throughline.people.working_time import WorkingCalendar

FOLDER = Path(__file__).parents[3] / "include" / "people" / "calendars"
CALENDARS = load_calendars(FOLDER)
OFFICE, SHIFTS = CALENDARS["office"], CALENDARS["three_shifts"]
CN = ZoneInfo("Asia/Shanghai")
DAY_AND_NIGHT = ((time(6), time(14)), (time(14), time(22)), (time(22), time(6)))
NEW_YORK = WorkingCalendar("ny", "America/New_York", "ny.yaml:1", week=(((time(22), time(6)),),) * 7, chinese=False)
NIGHTS = WorkingCalendar("nights", "America/New_York", "n.yaml:1", week=(((time(1), time(3)),),) * 7, chinese=False)
ALWAYS = WorkingCalendar("always", "Europe/Berlin", "a.yaml:1", week=(DAY_AND_NIGHT,) * 7, chinese=False)
OVERLAPPING = WorkingCalendar(
    "overlapping", "Asia/Shanghai", "o.yaml:1", week=(((time(5), time(9)), (time(22), time(6))),) * 7, chinese=False
)
ALL = (OFFICE, SHIFTS, NEW_YORK, NIGHTS, ALWAYS, OVERLAPPING)


def cn(day: int, hour: int, minute: int = 0, *, month: int = 11, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=CN)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


@pytest.mark.parametrize(
    ("start", "amount", "end"),
    [
        (cn(23, 9), hours(1), cn(23, 10)),
        (cn(23, 11), hours(2), cn(23, 14)),  # over lunch
        (cn(23, 8), hours(8), cn(23, 17, 30)),  # ends exactly with the shift, not next morning
        (cn(23, 17, 30), hours(1), cn(24, 9, 30)),
        (cn(27, 17), hours(1), cn(30, 9)),  # over a weekend
        (cn(28, 10), hours(1), cn(30, 9, 30)),  # from a Saturday
        (cn(30, 17, month=9), hours(1), cn(8, 9, month=10)),  # the National Day week: 1 to 7 October 2026
        (cn(9, 17, month=10), hours(1), cn(10, 9, month=10)),  # Saturday 10 October is a make-up workday
        (cn(31, 17, month=12), hours(1), cn(4, 9, month=1, year=2027)),  # New Year's Day 2027, from the file
    ],
)
def test_office_hours(start: datetime, amount: timedelta, end: datetime) -> None:
    assert OFFICE.add(start, amount) == end
    assert OFFICE.between(start, end) == amount


@pytest.mark.parametrize(
    ("moment", "working", "following"),
    [
        (cn(23, 8, 29), False, cn(23, 8, 30)),
        (cn(23, 8, 30), True, cn(23, 8, 30)),
        (cn(23, 12), False, cn(23, 13)),  # the end of a stretch is no working time any more
        (cn(10, 9, month=10), True, cn(10, 9, month=10)),
        (cn(1, 9, month=10), False, cn(8, 8, 30, month=10)),
    ],
)
def test_when_work_is_done(moment: datetime, working: bool, following: datetime) -> None:
    assert OFFICE.is_working(moment) is working
    assert OFFICE.next_working(moment) == following


def test_a_night_shift_belongs_to_the_day_it_begins_on() -> None:
    assert SHIFTS.is_working(cn(28, 5, 59))  # Friday's night, on Saturday morning
    assert SHIFTS.is_working(cn(28, 6))
    assert not SHIFTS.is_working(cn(28, 22))  # Saturday has no night
    assert SHIFTS.add(cn(28, 21), hours(2)) == cn(30, 7)
    assert SHIFTS.add(cn(23, 13, 30), hours(1)) == cn(23, 14, 30)  # from one shift into the next
    assert SHIFTS.between(cn(30, 14, month=12), cn(31, 23, month=12)) == hours(24)  # the stocktake works early only


def test_a_night_in_which_the_clock_changes_is_as_long_as_it_is() -> None:
    zone = ZoneInfo("America/New_York")
    back = datetime(2026, 10, 31, 22, tzinfo=zone), datetime(2026, 11, 1, 6, tzinfo=zone)
    assert NEW_YORK.between(*back) == hours(9)
    forward = datetime(2026, 3, 7, 22, tzinfo=zone), datetime(2026, 3, 8, 6, tzinfo=zone)
    assert NEW_YORK.between(*forward) == hours(7)
    assert NEW_YORK.add(back[0], hours(9)) == back[1]
    assert NIGHTS.between(datetime(2026, 11, 1, 0, tzinfo=zone), datetime(2026, 11, 1, 4, tzinfo=zone)) == hours(3)
    assert NIGHTS.between(datetime(2026, 3, 8, 0, tzinfo=zone), datetime(2026, 3, 8, 4, tzinfo=zone)) == hours(1)


def test_a_shift_that_ends_while_the_clock_shows_a_time_twice_ends_at_the_second() -> None:
    zone = ZoneInfo("America/New_York")
    late = WorkingCalendar(
        "late", "America/New_York", "l.yaml:1", week=(((time(22), time(1, 30)),),) * 7, chinese=False
    )
    assert late.between(datetime(2026, 10, 31, 12, tzinfo=zone), datetime(2026, 11, 1, 12, tzinfo=zone)) == hours(4.5)
    assert late.between(datetime(2026, 11, 1, 12, tzinfo=zone), datetime(2026, 11, 2, 12, tzinfo=zone)) == hours(3.5)


def test_where_two_shifts_overlap_time_counts_once() -> None:
    assert OVERLAPPING.between(cn(24, 0), cn(25, 0)) == hours(11)  # 0 to 9 and 22 to 24


MOMENTS = st.integers(0, 60 * 24 * 630).map(
    lambda minutes: datetime(2026, 1, 2, tzinfo=UTC) + timedelta(minutes=minutes)
)
AMOUNTS = st.integers(0, 20_000).map(lambda minutes: timedelta(minutes=minutes))


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ALL), MOMENTS, AMOUNTS, AMOUNTS)
def test_adding_and_measuring_are_one(
    calendar: WorkingCalendar, moment: datetime, first: timedelta, second: timedelta
) -> None:
    middle = calendar.add(moment, first)
    assert calendar.between(moment, middle) == first
    assert calendar.add(middle, second) == calendar.add(moment, first + second)
    assert calendar.between(middle, moment) == -first
    following = calendar.next_working(moment)
    assert calendar.is_working(following)
    assert calendar.between(moment, following) == timedelta(0)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(ALL), MOMENTS, st.integers(0, 60 * 24 * 2))
def test_the_measure_agrees_with_counting_minutes(calendar: WorkingCalendar, moment: datetime, minutes: int) -> None:
    """Every border lies on a whole minute, so asking of each minute whether it is worked must give the same sum."""
    counted = sum(calendar.is_working(moment + timedelta(minutes=minute)) for minute in range(minutes))
    assert calendar.between(moment, moment + timedelta(minutes=minutes)) == timedelta(minutes=counted)


def test_a_year_nobody_has_told_names_the_file_and_what_to_add(tmp_path: Path) -> None:
    text = (FOLDER / "office.yaml").read_text()
    (tmp_path / "office.yaml").write_text(text[: text.index("years:")] + "years: {2026: {}}\n")
    calendar = load_calendars(tmp_path)["office"]
    with pytest.raises(Misconfigured, match=r"office\.yaml:\d+: calendar office does not know the holidays of 2027"):
        calendar.add(cn(31, 17, month=12), hours(10))
    told = calendar.missing_year(cn(15, 9))
    assert told
    assert "office.yaml:" in told
    assert "add `2027: {off:" in told
    assert calendar.missing_year(cn(1, 9, month=6)) is None
    assert "provisional" in (OFFICE.missing_year(cn(15, 9)) or "")


def test_a_calendar_without_working_time_is_told(tmp_path: Path) -> None:
    never = WorkingCalendar("never", "UTC", "never.yaml:3", week=((),) * 7, chinese=False)
    with pytest.raises(Misconfigured, match=r"never\.yaml:3: calendar never has no working time"):
        never.next_working(cn(1, 1))


@pytest.mark.parametrize(
    ("line", "instead", "complaint"),
    [
        ('["13:00", "17:30"]', '["11:00", "17:30"]', "do not overlap"),
        ('["13:00", "17:30"]', '["13:00", "25:30"]', "not a time of day"),
        ("fri: [day]", "fri: [night]", "no shift night"),
        ("zone: Asia/Shanghai", "zone: Asia/Atlantis", "not a time zone"),
        ("2027-01-01,", "2026-01-01,", "stands under 2027"),
        ("calendar: office", "calendar: bureau", r"bureau\.yaml"),
        ("holidays: china", "holiday: china", "Extra inputs"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, line: str, instead: str, complaint: str) -> None:
    text = (FOLDER / "office.yaml").read_text()
    assert line in text
    (tmp_path / "office.yaml").write_text(text.replace(line, instead))
    with pytest.raises(Misconfigured, match=complaint) as told:
        load_calendars(tmp_path)
    assert "office.yaml:" in told.value.where


def test_a_calendars_days_are_those_of_its_zone() -> None:
    assert OFFICE.works_on(date(2026, 11, 23)) == ((time(8, 30), time(12)), (time(13), time(17, 30)))
    assert OFFICE.works_on(date(2026, 10, 10)) == OFFICE.works_on(date(2026, 11, 23))
    assert OFFICE.works_on(date(2026, 10, 2)) == ()
