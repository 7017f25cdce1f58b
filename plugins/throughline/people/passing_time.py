"""What time and change do to open tasks: timers go off, people leave, and nothing stays with somebody who is gone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from throughline.ledger.entries import AuditEntry
from throughline.people.desk import Desk
from throughline.people.occasions import notices_for
from throughline.people.schedule import TOLD, Firing, Moment, fire
from throughline.people.seats import Lookup
from throughline.people.task_rows import as_change, as_task, plan_of
from throughline.people.tasks import Task, timers_fired
from throughline.people.vacancies import calendar_asks

if TYPE_CHECKING:
    from throughline.ledger import Books
    from throughline.ledger.task_entries import NewNotice, TaskRow


@dataclass(frozen=True)
class Swept:
    """What a sweep did: tasks with timers gone off, notices planned, tasks handed over, and when to look again."""

    tasks: int
    notices: int
    handed_over: int
    next_at: datetime | None


def sweep(desk: Desk, books: Books, limit: int = 500) -> Swept:
    """Let every timer go off whose moment has come, and hand over what lies with people who left.

    It reads only tasks with something due; thousands that wait cost nothing. A calendar without the coming year becomes
    a task of the organisation's owner.
    """
    rows = books.tasks.due(limit)
    lookup = desk.lookup(books)
    answers = books.tasks.answers([row.id for row in rows])
    planned = 0
    for row in rows:
        planned += _go_off(desk, books, row, as_task(row, answers[row.id]), lookup)
    books.tasks.forget_links()
    if asks := calendar_asks(desk.organisation, books.now):
        desk.open(books, asks)
    return Swept(len(rows), planned, hand_over(desk, books), books.tasks.next_due())


def hand_over(desk: Desk, books: Books, people: Iterable[str] | None = None) -> int:
    """Give the open tasks of people who left (or of those named) to whoever may answer now; how many changed hands."""
    lookup = desk.lookup(books)
    concerned = list(people) if people is not None else _gone(desk, books.tasks.seated(), lookup)
    rows = books.tasks.lock(books.tasks.held_by(concerned)) if concerned else []
    return _seat_anew(desk, books, rows, lookup)


def refresh(desk: Desk, books: Books, *, after: int = 0, limit: int = 1000) -> tuple[int, int | None]:
    """Look up anew who may answer a portion of all open tasks, when the organisation has changed.

    Answers how many changed hands and where to go on; None at the end.
    """
    page = books.tasks.listed(after=after, limit=limit)
    changed = _seat_anew(desk, books, books.tasks.lock([row.id for row in page]), desk.lookup(books))
    return changed, page[-1].id if len(page) == limit else None


def _go_off(desk: Desk, books: Books, row: TaskRow, task: Task, lookup: Lookup) -> int:
    moments = plan_of(row)
    firing = fire(moments, task.fired, books.now)
    before = desk.waiting(task, lookup)
    expired_at = firing.moments[-1].at if firing.expires else None
    changed = timers_fired(task, firing.fired, firing.escalations, expired_at)
    books.tasks.save([as_change(changed, moments)])
    desk.reseat(books, [changed], lookup)
    books.audit.append(_entries(changed, firing))
    return books.notices.plan(_told(desk, changed, firing, before, lookup))


def _entries(task: Task, firing: Firing) -> list[AuditEntry]:
    return [
        AuditEntry("throughline", moment.kind, task.subject, task.process_id, {"task": task.id, "nth": moment.nth})
        for moment in firing.moments
        if moment.kind in ("overdue", "escalate", "expire")
    ]


def _told(desk: Desk, task: Task, firing: Firing, before: Sequence[str], lookup: Lookup) -> list[NewNotice]:
    found: dict[str, NewNotice] = {}
    for moment in firing.moments:
        people = _whom(desk, task, moment, before, lookup)
        occasion = f"{moment.kind}:{moment.nth}"
        for notice in notices_for(desk.organisation, people, task.id, occasion, lookup.at):
            found[notice.key] = notice
    return list(found.values())


def _whom(desk: Desk, task: Task, moment: Moment, before: Sequence[str], lookup: Lookup) -> list[str]:
    """The people who hear of a moment; superiors are those who were not asked before."""
    now = desk.waiting(task, lookup)
    groups = {
        "answerers": list(before if task.is_open else ()),
        "superiors": [name for name in now if name not in before],
        "requester": [task.requester] if task.requester else [],
        "owner": list(desk.organisation.owners(lookup.day)),
    }
    if moment.kind == "expire" and not task.requester:
        groups["requester"] = groups["owner"]
    return [name for whom in TOLD[moment.kind] for name in groups[whom]]


def _gone(desk: Desk, seated: Iterable[str], lookup: Lookup) -> list[str]:
    return [person for person in seated if not desk.organisation.works_here(person, lookup.day)]


def _seat_anew(desk: Desk, books: Books, rows: Sequence[TaskRow], lookup: Lookup) -> int:
    """Note who may answer these now; those who may since now are told, and the change is in the audit."""
    ids = [row.id for row in rows]
    had, answers, moved = books.tasks.people(ids), books.tasks.answers(ids), 0
    tasks = [as_task(row, answers[row.id]) for row in rows if row.state == "open"]
    desk.reseat(books, tasks, lookup)
    has = books.tasks.people(ids)
    for task in tasks:
        gone, come = set(had[task.id]) - set(has[task.id]), set(has[task.id]) - set(had[task.id])
        if gone or come:
            moved += 1
            details = {"task": task.id, "from": sorted(gone), "to": sorted(come)}
            books.audit.append([AuditEntry("throughline", "handed over", task.subject, task.process_id, details)])
            occasion = f"handed_over:{lookup.day.isoformat()}"
            books.notices.plan(notices_for(desk.organisation, sorted(come), task.id, occasion, books.now))
    return moved
