"""Delegation 委托: somebody answers for somebody else, for a while, in some flows, and never with more rights.

A delegate stands exactly where the principal stands: same seats, same limit of amount. A delegate of a delegate counts
only where the first delegation allows it to be passed on. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Delegation:
    """From `since` until before `until`, `delegate` answers for `principal`; no flows named means all of them."""

    id: str
    principal: str
    delegate: str
    since: datetime
    until: datetime
    flows: frozenset[str] | None = None
    may_pass_on: bool = False
    revoked_at: datetime | None = None
    note: str = ""

    @classmethod
    def of_days(
        cls, id_: str, principal: str, delegate: str, first: date, last: date, *, zone: str,
        flows: frozenset[str] | None = None, may_pass_on: bool = False, note: str = "",
    ) -> Delegation:  # fmt: skip
        """A delegation for whole days of a zone, the last one included."""
        there = ZoneInfo(zone)
        since = datetime.combine(first, time(0), there).astimezone(UTC)
        until = datetime.combine(last + timedelta(days=1), time(0), there).astimezone(UTC)
        return cls(id_, principal, delegate, since, until, flows, may_pass_on, None, note)

    def holds(self, flow: str, at: datetime) -> bool:
        """Whether it counts in this flow at this moment."""
        if self.revoked_at is not None and self.revoked_at <= at:
            return False
        return self.since <= at < self.until and (self.flows is None or flow in self.flows)


@dataclass(frozen=True)
class Acting:
    """Somebody acts for `principal`, through the delegations named, the principal's own first."""

    principal: str
    through: tuple[str, ...] = ()


def acting_for(person: str, delegations: Iterable[Delegation], flow: str, at: datetime) -> tuple[Acting, ...]:
    """Everybody this person may answer for now; the shortest way to each."""
    held = [delegation for delegation in delegations if delegation.holds(flow, at)]
    found: dict[str, Acting] = {}
    reached = [Acting(person)]
    while reached:
        reached = [step for way in reached for step in _one_further(way, held) if step.principal not in found]
        for step in reached:
            found.setdefault(step.principal, step)
    found.pop(person, None)
    return tuple(found.values())


def _one_further(way: Acting, held: Iterable[Delegation]) -> Iterator[Acting]:
    """Those who delegated to the last principal of a way; beyond the first step only what may be passed on."""
    for delegation in held:
        if delegation.delegate == way.principal and (not way.through or delegation.may_pass_on):
            yield Acting(delegation.principal, (delegation.id, *way.through))


def delegates_of(person: str, delegations: Iterable[Delegation], flow: str, at: datetime) -> frozenset[str]:
    """Everybody who may answer for this person now."""
    everybody = {delegation.delegate for delegation in delegations}
    held = list(delegations)
    return frozenset(
        other for other in everybody if any(way.principal == person for way in acting_for(other, held, flow, at))
    )
