"""Who holds which position on a day, and who is the next one up where nobody does. Pure, by dates.

Nothing here remembers anybody: the same question on another day has another answer, which is why a task names positions
and people are looked up when it is opened and again when it is answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from throughline.people.delegation import Delegation
from throughline.people.organisation_words import Department, Limit, Person, Position
from throughline.people.working_time import WorkingCalendar


@dataclass(frozen=True)
class Holding:
    """Somebody on a position from one day to another, both included; `successor` takes over what they leave open."""

    position: str
    person: str
    since: date
    until: date | None = None
    successor: str | None = None

    def covers(self, day: date) -> bool:
        """Whether it counts on this day."""
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True)
class Organisation:
    """Departments, positions, people and calendars as the plant declares them; `where` names the owner's line."""

    owner: str
    calendar: str
    departments: Mapping[str, Department]
    positions: Mapping[str, Position]
    people: Mapping[str, Person]
    holdings: tuple[Holding, ...]
    calendars: Mapping[str, WorkingCalendar]
    delegations: tuple[Delegation, ...] = ()
    where: str = ""
    _by_position: dict[str, list[Holding]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Sort the holdings by position, once."""
        sorted_: dict[str, list[Holding]] = {}
        for holding in self.holdings:
            sorted_.setdefault(holding.position, []).append(holding)
        object.__setattr__(self, "_by_position", sorted_)

    def day_of(self, moment: datetime) -> date:
        """The organisation's local day at a moment, by its own calendar's zone."""
        return moment.astimezone(ZoneInfo(self.calendars[self.calendar].zone)).date()

    def works_here(self, person: str, day: date) -> bool:
        """Whether this is one of us on a day; the last day counts."""
        found = self.people.get(person)
        return found is not None and (found.left is None or day <= found.left)

    def holders(self, position: str, day: date) -> tuple[str, ...]:
        """Everybody on a position on a day, several where it is co-managed 协管, or the named successor."""
        held = [h.person for h in self._by_position.get(position, []) if h.covers(day)]
        found = [person for person in held if self.works_here(person, day)]
        return tuple(dict.fromkeys(found or self._successors(position, day)))

    def positions_of(self, person: str, day: date) -> tuple[str, ...]:
        """The positions somebody holds on a day."""
        return tuple(position for position in self.positions if person in self.holders(position, day))

    def held_last(self, person: str, day: date) -> tuple[str, ...]:
        """The positions somebody holds, or held until they left: theirs is the superior who takes over."""
        now = self.positions_of(person, day)
        return now or tuple(dict.fromkeys(h.position for h in self.holdings if h.person == person and h.since <= day))

    def with_role(self, role: str) -> tuple[str, ...]:
        """The positions that have a role."""
        return tuple(name for name, position in self.positions.items() if role in position.roles)

    def superior(self, position: str) -> str | None:
        """The next position up: whom it reports to, else the department's head, else the head of the one above.

        Above a position that was done away with stands the owner: questions to it may still be open.
        """
        declared = self.positions.get(position)
        if declared is None:
            return self.owner
        if declared.reports_to:
            return declared.reports_to
        heads = (department.head for department in self._departments_above(declared.department))
        found = next((head for head in heads if head != position and not self._is_above(position, head)), None)
        return found or (self.owner if position != self.owner else None)

    def line_up(self, position: str) -> Iterator[str]:
        """A position and everybody above it, ending with the organisation's owner."""
        seen: set[str] = set()
        now: str | None = position
        while now is not None and now not in seen:
            seen.add(now)
            yield now
            now = self.superior(now)
        if self.owner not in seen:
            yield self.owner

    def limit(self, position: str) -> Limit | None:
        """The largest amount a position may approve; None is no limit."""
        declared = self.positions.get(position)
        return declared.approves_up_to if declared else None

    def calendar_of(self, person: str | None) -> WorkingCalendar:
        """The calendar somebody works by; the organisation's own where nobody is meant."""
        known = self.people.get(person) if person else None
        return self.calendars[known.calendar if known else self.calendar]

    def owners(self, day: date) -> tuple[str, ...]:
        """Who gets what nobody else can."""
        return self.holders(self.owner, day)

    def vacancies(self, day: date) -> tuple[str, ...]:
        """Positions nobody holds on a day."""
        return tuple(position for position in self.positions if not self.holders(position, day))

    def _successors(self, position: str, day: date) -> list[str]:
        """Who was named to take over by the last to hold it."""
        ended = sorted((h for h in self._by_position.get(position, []) if h.since <= day), key=lambda h: h.since)
        return [h.successor for h in ended[-1:] if h.successor and self.works_here(h.successor, day)]

    def _is_above(self, position: str, other: str) -> bool:
        """Whether `position` is above `other` by what is declared, so that going to it would be going down."""
        seen: set[str] = set()
        now = self.positions[other].reports_to
        while now is not None and now not in seen:
            if now == position:
                return True
            seen.add(now)
            now = self.positions[now].reports_to
        return False

    def _departments_above(self, name: str | None) -> Iterator[Department]:
        seen: set[str] = set()
        while name is not None and name not in seen:
            seen.add(name)
            department = self.departments[name]
            yield department
            name = department.parent
