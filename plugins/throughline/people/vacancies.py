"""What only the organisation's owner can put right becomes their task: a vacant position, a calendar without a year."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from throughline.people.asking import Ask, TaskRules
from throughline.people.organisation import Organisation
from throughline.people.seats import VACANT, Seat
from throughline.people.words import Title

FLOW = "organisation"


def vacancy_asks(organisation: Organisation, seats: Iterable[Seat], day: date) -> list[Ask]:
    """A question to the owner for each vacant position these seats went past; one, however often met."""
    vacant = dict.fromkeys(step.position for seat in seats for step in seat.passed if step.why == VACANT)
    if not organisation.owners(day):
        return []
    return [_appoint(organisation, position, day) for position in vacant if position in organisation.positions]


def calendar_asks(organisation: Organisation, now: datetime) -> list[Ask]:
    """A question to the owner for each calendar whose coming year is unknown or provisional, naming file and line."""
    found: list[Ask] = []
    if not organisation.owners(organisation.day_of(now)):
        return found
    for name, calendar in organisation.calendars.items():
        said = calendar.missing_year(now)
        if said is not None:
            rules = TaskRules(
                ask=(f"position:{organisation.owner}",),
                title=Title(en=f"Complete the working calendar {name}", zh=f"请补全工作日历 {name}"),
            )
            about = Title(en=said[:500], zh=f"日历缺少年度放假安排:{said}"[:500])
            found.append(Ask("task", rules, FLOW, name, "calendar", f"calendar:{name}", said, about=about))
    return found


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
