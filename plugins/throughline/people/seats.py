"""Who may fill which seat of a question, looked up for one moment: vacancies, own requests and limits lead upwards.

A position is one seat, and any of its holders fills it (co-management 协管); a role is one seat for each holder.
Whoever asked, whoever answers for them, and whoever is kept apart never fills a seat. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from throughline.people.asking import TaskRules
from throughline.people.delegation import Delegation, acting_for, delegates_of
from throughline.people.organisation import Organisation

VACANT, BARRED, BEYOND, GONE = "vacant", "own request", "amount beyond the limit", "left"


class Matter(Protocol):
    """What seats depend on: an `Ask` and a `Task` both have it."""

    @property
    def rules(self) -> TaskRules: ...  # noqa: D102
    @property
    def flow(self) -> str: ...  # noqa: D102
    @property
    def requester(self) -> str | None: ...  # noqa: D102
    @property
    def apart_from(self) -> frozenset[str]: ...  # noqa: D102
    @property
    def amount(self) -> Decimal | None: ...  # noqa: D102
    @property
    def currency(self) -> str | None: ...  # noqa: D102


@dataclass(frozen=True)
class Passed:
    """A position the question went past, and why."""

    position: str
    why: str


@dataclass(frozen=True)
class Seat:
    """One seat: who may fill it in their own right now, and which positions were passed on the way up."""

    name: str
    people: tuple[str, ...]
    passed: tuple[Passed, ...] = ()


@dataclass(frozen=True)
class Right:
    """What somebody may answer: as themselves, or for `principal` through delegations."""

    principal: str
    seats: tuple[str, ...]
    through: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lookup:
    """Looks seats up for one moment."""

    organisation: Organisation
    delegations: tuple[Delegation, ...]
    at: datetime

    @property
    def day(self) -> date:
        """The organisation's day."""
        return self.organisation.day_of(self.at)

    def seats(self, matter: Matter, level: int = 0) -> tuple[Seat, ...]:
        """Every seat of a question; `level` superiors were added to each by escalation."""
        barred = self.barred(matter)
        found: dict[str, Seat] = {}
        for asked in matter.rules.ask:
            for seat in self._of(asked, matter, barred, level):
                found.setdefault(seat.name, seat)
        return self._enough(tuple(found.values()), matter, barred)

    def barred(self, matter: Matter) -> frozenset[str]:
        """Who must not answer: who asked, whoever answers for them now, and who is kept apart."""
        if matter.requester is None:
            return matter.apart_from
        substitutes = delegates_of(matter.requester, self.delegations, matter.flow, self.at)
        return matter.apart_from | substitutes | {matter.requester}

    def rights(self, matter: Matter, person: str, seats: Iterable[Seat]) -> tuple[Right, ...]:
        """What this person may answer, their own right first; nothing for somebody who left or is barred."""
        if person in self.barred(matter) or not self.organisation.works_here(person, self.day):
            return ()
        known = tuple(seats)
        ways = [
            (person, ()),
            *((w.principal, w.through) for w in acting_for(person, self.delegations, matter.flow, self.at)),
        ]
        rights = (Right(who, tuple(s.name for s in known if who in s.people), tuple(way)) for who, way in ways)
        return tuple(right for right in rights if right.seats)

    def everybody(self, matter: Matter, seats: Iterable[Seat]) -> dict[str, tuple[str, ...]]:
        """Everybody who may answer now, delegates included, and for whom."""
        own = dict.fromkeys(person for seat in seats for person in seat.people)
        substitutes = dict.fromkeys(
            other for person in own for other in sorted(delegates_of(person, self.delegations, matter.flow, self.at))
        )
        named = {person: self.rights(matter, person, seats) for person in {**own, **substitutes}}
        return {person: tuple(right.principal for right in rights) for person, rights in named.items() if rights}

    def reach(self, person: str) -> frozenset[str]:
        """Somebody and all they answer for in any flow: wide enough to find their tasks, never a right by itself."""
        found = {person}
        live = [d for d in self.delegations if d.since <= self.at < d.until]
        while more := {d.principal for d in live if d.delegate in found} - found:
            found |= more
        return frozenset(found)

    def _of(self, asked: str, matter: Matter, barred: frozenset[str], level: int) -> Iterator[Seat]:
        way, _, name = asked.partition(":")
        if way == "role":
            yield from self._of_role(name, matter, barred, level)
        elif way == "person":
            yield self._of_person(name, matter, barred, level)
        else:
            yield self._up(asked, self._position(way, name, matter), matter, barred, level)

    def _position(self, way: str, name: str, matter: Matter) -> str:
        if way == "position":
            return name
        if way == "head_of":
            department = self.organisation.departments.get(name)
            return department.head if department else self.organisation.owner
        held = self.organisation.held_last(matter.requester, self.day) if matter.requester else ()
        return (self.organisation.superior(held[0]) if held else None) or self.organisation.owner

    def _of_role(self, role: str, matter: Matter, barred: frozenset[str], level: int) -> Iterator[Seat]:
        for position in self.organisation.with_role(role) or (self.organisation.owner,):
            able = [person for person in self.organisation.holders(position, self.day) if person not in barred]
            if not able or self._beyond(position, matter):
                yield self._up(f"role:{role}/{position}", position, matter, barred, level)
            for person in able if not self._beyond(position, matter) else ():
                further = self._further(position, matter, barred, level)
                yield Seat(f"role:{role}/{person}", tuple(dict.fromkeys((person, *further))))

    def _of_person(self, person: str, matter: Matter, barred: frozenset[str], level: int) -> Seat:
        held = self.organisation.held_last(person, self.day)
        position = held[0] if held else self.organisation.owner
        if self.organisation.works_here(person, self.day) and person not in barred:
            people = (person, *self._further(position, matter, barred, level))
            return Seat(f"person:{person}", tuple(dict.fromkeys(people)))
        why = BARRED if person in barred else GONE
        above = self._up(f"person:{person}", position, matter, barred, level)
        return Seat(above.name, above.people, (Passed(person, why), *above.passed))

    def _up(self, name: str, position: str, matter: Matter, barred: frozenset[str], level: int) -> Seat:
        """The seat of a position, or of the first one above it that can fill it."""
        passed: list[Passed] = []
        for step in self.organisation.line_up(position):
            people, why = self._able(step, matter, barred)
            if people:
                further = self._further(step, matter, barred, level)
                return Seat(name, tuple(dict.fromkeys((*people, *further))), tuple(passed))
            passed.append(Passed(step, why))
        return Seat(name, (), tuple(passed))

    def _able(self, position: str, matter: Matter, barred: frozenset[str]) -> tuple[tuple[str, ...], str]:
        held = self.organisation.holders(position, self.day)
        if not held:
            return (), VACANT
        if self._beyond(position, matter):
            return (), BEYOND
        return tuple(person for person in held if person not in barred), BARRED

    def _further(self, position: str, matter: Matter, barred: frozenset[str], level: int) -> tuple[str, ...]:
        """The holders of the next `level` positions above that somebody can fill."""
        above = (
            self._able(step, matter, barred)[0] for step in self.organisation.line_up(position) if step != position
        )
        filled = [people for people in above if people][:level]
        return tuple(person for people in filled for person in people)

    def _beyond(self, position: str, matter: Matter) -> bool:
        limit = self.organisation.limit(position)
        if limit is None or matter.amount is None:
            return False
        return matter.currency != limit.currency or abs(matter.amount) > limit.amount

    def _enough(self, seats: tuple[Seat, ...], matter: Matter, barred: frozenset[str]) -> tuple[Seat, ...]:
        """The same seats; where too few different people are left, superiors are let onto the last one."""
        missing = matter.rules.least - len({person for seat in seats for person in seat.people})
        if missing <= 0 or not seats:
            return seats
        last, present = seats[-1], {person for seat in seats for person in seat.people}
        start = self._position(*_parted(matter.rules.ask[-1]), matter) if _is_place(matter.rules.ask[-1]) else None
        above = self.organisation.line_up(start or self.organisation.owner)
        more = [p for step in above for p in self._able(step, matter, barred)[0] if p not in present]
        people = (*last.people, *dict.fromkeys(more[:missing]))
        return (*seats[:-1], Seat(last.name, people, last.passed))


def _parted(asked: str) -> tuple[str, str]:
    way, _, name = asked.partition(":")
    return way, name


def _is_place(asked: str) -> bool:
    return asked.partition(":")[0] in ("position", "head_of", "superior_of")
