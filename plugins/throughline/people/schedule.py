"""What happens next with a task nobody answers, and when: reminders, due soon, overdue, escalated, expired. Pure.

The whole plan follows from the rules, the opening moment and the calendar; `fired` says how many of its moments are
behind us. So the ledger keeps one number and the next moment, and asking what is due reads only what is due.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from throughline.people.asking import TaskRules
from throughline.people.working_time import WorkingCalendar

Kind = Literal["remind", "soon", "overdue", "escalate", "expire"]
Whom = Literal["answerers", "superiors", "requester", "owner"]
_ORDER: dict[Kind, int] = {"remind": 0, "soon": 1, "overdue": 2, "escalate": 3, "expire": 4}

TOLD: dict[Kind, tuple[Whom, ...]] = {
    "remind": ("answerers",),
    "soon": ("answerers",),
    "overdue": ("answerers", "requester"),
    "escalate": ("answerers", "superiors"),
    "expire": ("requester", "superiors"),
}
"""Who hears of it."""


@dataclass(frozen=True)
class Moment:
    """One thing that happens by itself, the `nth` of its kind."""

    at: datetime
    kind: Kind
    nth: int = 1


@dataclass(frozen=True)
class Firing:
    """What goes off now: the moments, how many of the plan are behind us then, and when the next one is."""

    moments: tuple[Moment, ...]
    fired: int
    next_at: datetime | None

    @property
    def escalations(self) -> int:
        """How many superiors are added."""
        return sum(moment.kind == "escalate" for moment in self.moments)

    @property
    def expires(self) -> bool:
        """Whether time is up."""
        return any(moment.kind == "expire" for moment in self.moments)


def due_at(rules: TaskRules, opened_at: datetime, calendar: WorkingCalendar) -> datetime | None:
    """When it should be answered, on working time."""
    return calendar.add(opened_at, rules.due) if rules.due else None


def plan(rules: TaskRules, opened_at: datetime, calendar: WorkingCalendar) -> tuple[Moment, ...]:
    """Everything that would happen if nobody ever answered, in order."""
    moments = [*_reminders(rules, opened_at, calendar), *_service_level(rules, opened_at, calendar)]
    ends = calendar.add(opened_at, rules.expire) if rules.expire else None
    kept = [moment for moment in moments if ends is None or moment.at < ends]
    if ends is not None:
        kept.append(Moment(ends, "expire"))
    return tuple(sorted(kept, key=lambda moment: (moment.at, _ORDER[moment.kind], moment.nth)))


def next_moment(moments: Sequence[Moment], fired: int) -> datetime | None:
    """When the next thing happens; None when nothing does any more."""
    return moments[fired].at if fired < len(moments) else None


def fire(moments: Sequence[Moment], fired: int, now: datetime) -> Firing:
    """What goes off by now. After an outage several reminders are behind us: they are one reminder."""
    gone = [moment for moment in moments[fired:] if moment.at <= now]
    reminders = [moment for moment in gone if moment.kind == "remind"]
    kept = tuple(moment for moment in gone if moment.kind != "remind" or moment is reminders[-1])
    return Firing(kept, fired + len(gone), next_moment(moments, fired + len(gone)))


def _reminders(rules: TaskRules, opened_at: datetime, calendar: WorkingCalendar) -> list[Moment]:
    if rules.remind is None:
        return []
    spans = [rules.remind.first + n * rules.remind.again for n in range(rules.remind.at_most)]
    return [Moment(calendar.add(opened_at, span), "remind", n) for n, span in enumerate(spans, 1)]


def _service_level(rules: TaskRules, opened_at: datetime, calendar: WorkingCalendar) -> list[Moment]:
    if rules.due is None:
        return []
    found = [Moment(calendar.add(opened_at, rules.due), "overdue")]
    if rules.soon is not None:
        found.append(Moment(calendar.add(opened_at, rules.due - rules.soon), "soon"))
    if rules.escalate is not None:
        late = [rules.due + rules.escalate.after + n * rules.escalate.again for n in range(rules.escalate.at_most)]
        found += [Moment(calendar.add(opened_at, span), "escalate", n) for n, span in enumerate(late, 1)]
    return found
