"""A position nobody holds is found when a question comes past it, and becomes a task of the organisation's owner."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from throughline.people.asking import Ask, TaskRules
from throughline.people.organisation import Organisation
from throughline.people.seats import VACANT, Seat
from throughline.people.words import Title

FLOW = "organisation"


def vacancy_asks(organisation: Organisation, seats: Iterable[Seat], day: date) -> list[Ask]:
    """A question to the owner for each vacant position these seats went past; one, however often met."""
    vacant = dict.fromkeys(step.position for seat in seats for step in seat.passed if step.why == VACANT)
    return [_appoint(organisation, position, day) for position in vacant if position != organisation.owner]


def _appoint(organisation: Organisation, position: str, day: date) -> Ask:
    title = organisation.positions[position].title
    ended = [holding.until for holding in organisation.holdings if holding.position == position and holding.until]
    last = max((end for end in ended if end < day), default=None)
    rules = TaskRules(
        ask=(f"position:{organisation.owner}",),
        title=Title(
            en=f"Nobody holds the position {title.en}: appoint somebody", zh=f"职位“{title.zh}”空缺:请指定人选"
        ),
    )
    since = last.isoformat() if last else "ever"
    return Ask("task", rules, FLOW, position, "vacancy", f"position:{position}", f"vacant since {since}")
