"""Reads `include/people/*.yaml`: departments, positions and their holders over time, people and how to reach them.

    organisation.yaml   departments with heads, positions, roles, the owner of last resort
    people.yaml         people, their language, calendar, quiet hours and channels
    holders.yaml        who holds which position, from when to when
    delegations.yaml    standing delegations 委托
    calendars/*.yaml    working calendars

Whoever is meant is always named by position; people are looked up when a task is opened and again when it is answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from throughline.lined_yaml import LinedFile, shown_path
from throughline.people.calendar_files import load_calendars
from throughline.people.delegation import Delegation
from throughline.people.organisation import Holding, Organisation
from throughline.people.organisation_words import (
    DelegationsFile,
    HoldersFile,
    OrganisationFile,
    PeopleFile,
    Position,
)
from throughline.people.words import Words, read_words
from throughline.people.working_time import WorkingCalendar

Place = tuple[str | int, ...]


def load_people(folder: Path) -> Organisation:
    """The whole organisation; what does not fit together is told with file and line."""
    calendars = load_calendars(folder / "calendars")
    file, declared = read_words(folder / "organisation.yaml", OrganisationFile)
    _refuse(file, _unfitting(declared, calendars))
    people_file, people = read_words(folder / "people.yaml", PeopleFile)
    _refuse(people_file, _uncalendared(people, calendars))
    holders_file, holders = read_words(folder / "holders.yaml", HoldersFile)
    _refuse(holders_file, _strangers_on_positions(holders, declared, people))
    return Organisation(
        owner=declared.owner,
        calendar=declared.calendar,
        departments=declared.departments,
        positions=declared.positions,
        people=people.people,
        holdings=tuple(Holding(h.position, h.person, h.since, h.until, h.succeeded_by) for h in holders.holders),
        calendars=calendars,
        delegations=_delegations(folder / "delegations.yaml", people, calendars),
        where=f"{shown_path(file.path)}:{file.line(('owner',))}",
    )


def _delegations(path: Path, people: PeopleFile, calendars: Mapping[str, WorkingCalendar]) -> tuple[Delegation, ...]:
    if not path.exists():
        return ()
    file, declared = read_words(path, DelegationsFile)
    problems: list[tuple[Place, str]] = []
    for number, entry in enumerate(declared.delegations):
        problems += _unknown_people(("delegations", number), entry, ("principal", "delegate"), people)
        if entry.principal == entry.delegate:
            problems.append((("delegations", number, "delegate"), "delegates to the same person"))
        if entry.until < entry.since:
            problems.append((("delegations", number, "until"), "ends before it begins"))
    _refuse(file, problems)
    return tuple(
        Delegation.of_days(
            f"file:{path.name}:{number}", entry.principal, entry.delegate, entry.since, entry.until,
            flows=frozenset(entry.flows) or None, may_pass_on=entry.may_pass_on,
            zone=calendars[people.people[entry.principal].calendar].zone, note=entry.note,
        )
        for number, entry in enumerate(declared.delegations)
    )  # fmt: skip


def _unfitting(declared: OrganisationFile, calendars: Mapping[str, WorkingCalendar]) -> Iterable[tuple[Place, str]]:
    if declared.owner not in declared.positions:
        yield ("owner",), f"there is no position {declared.owner}"
    if declared.calendar not in calendars:
        yield ("calendar",), f"there is no calendar {declared.calendar}"
    for name, department in declared.departments.items():
        if department.head not in declared.positions:
            yield ("departments", name, "head"), f"there is no position {department.head}"
        if department.parent and department.parent not in declared.departments:
            yield ("departments", name, "parent"), f"there is no department {department.parent}"
    yield from _unfitting_positions(declared)


def _unfitting_positions(declared: OrganisationFile) -> Iterable[tuple[Place, str]]:
    for name, position in declared.positions.items():
        if position.department not in declared.departments:
            yield ("positions", name, "department"), f"there is no department {position.department}"
        if position.reports_to and position.reports_to not in declared.positions:
            yield ("positions", name, "reports_to"), f"there is no position {position.reports_to}"
        elif _goes_round(name, declared.positions):
            yield ("positions", name, "reports_to"), "goes round in a circle"


def _goes_round(name: str, positions: Mapping[str, Position]) -> bool:
    seen, now = {name}, positions[name].reports_to
    while now is not None and now in positions:
        if now in seen:
            return True
        seen.add(now)
        now = positions[now].reports_to
    return False


def _uncalendared(people: PeopleFile, calendars: Mapping[str, WorkingCalendar]) -> Iterable[tuple[Place, str]]:
    for name, person in people.people.items():
        if person.calendar not in calendars:
            yield ("people", name, "calendar"), f"there is no calendar {person.calendar}"


def _strangers_on_positions(
    holders: HoldersFile, declared: OrganisationFile, people: PeopleFile
) -> Iterable[tuple[Place, str]]:
    for number, holder in enumerate(holders.holders):
        if holder.position not in declared.positions:
            yield ("holders", number, "position"), f"there is no position {holder.position}"
        yield from _unknown_people(("holders", number), holder, ("person", "succeeded_by"), people)


def _unknown_people(place: Place, entry: Words, fields: Iterable[str], people: PeopleFile) -> list[tuple[Place, str]]:
    named = {field: getattr(entry, field) for field in fields}
    return [
        ((*place, field), f"there is no person {name}")
        for field, name in named.items()
        if name and name not in people.people
    ]


def _refuse(file: LinedFile, problems: Iterable[tuple[Place, str]]) -> None:
    found = list(problems)
    if found:
        file.refuse(found)
