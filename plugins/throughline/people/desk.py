"""The desk where people's work lies: questions are opened, answered, withdrawn, urged, handed over, and time passes.

Every method works inside one open transaction of the ledger and leaves it to the caller to commit; what it decides, it
decides by the pure rules beside it (`seats`, `answering`, `quorum`, `schedule`). This is what the flow engine calls:

    desk.open(books, asks)               a step `approve` or `task` becomes ready
    desk.verdicts(books, asks)           what became of it
    desk.end(books, task_ids, ...)       the process was cancelled, or the question is not asked any more
    desk.sweep(books)                    timers: reminders, due, overdue, escalated, expired
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from throughline.errors import Misconfigured, Transient
from throughline.ledger.entries import AuditEntry
from throughline.people.answering import Answered, Refused, Reply, take_answer
from throughline.people.asking import Ask
from throughline.people.occasions import notices_for
from throughline.people.organisation import Organisation
from throughline.people.schedule import due_at, plan
from throughline.people.seats import Lookup, Seat
from throughline.people.task_rows import as_answer_row, as_change, as_delegation, as_new, as_task, plan_of
from throughline.people.tasks import Ending, State, Task, ended, urged
from throughline.people.vacancies import vacancy_asks

if TYPE_CHECKING:
    from throughline.ledger import Books
    from throughline.ledger.task_entries import NewNotice, NewTask, TaskRow

_URGE_GAP = timedelta(minutes=30)


@dataclass(frozen=True)
class Verdict:
    """What became of a question, for the flow: its state, the content it was about, and what people filled in."""

    task_id: int
    state: State
    content_hash: str
    values: Mapping[str, Any]
    people: tuple[str, ...]
    comments: tuple[str, ...]
    closed_at: datetime | None


@dataclass(frozen=True)
class Page:
    """Some of somebody's tasks, and where to go on; None at the end."""

    tasks: tuple[tuple[TaskRow, Task], ...]
    following: int | None


@dataclass(frozen=True)
class Desk:
    """Everything that is done with human tasks, for one organisation."""

    organisation: Organisation

    def lookup(self, books: Books) -> Lookup:
        """Who may do what at this transaction's moment, with the plant's delegations and those people made."""
        made = tuple(as_delegation(row) for row in books.delegations.lasting())
        return Lookup(self.organisation, (*self.organisation.delegations, *made), books.now)

    def open(self, books: Books, asks: Sequence[Ask]) -> dict[str, int]:
        """Open these questions; the task of each by its key. Asking again changes nothing.

        What is open at the same place about an older content is withdrawn: the document changed.
        """
        lookup = self.lookup(books)
        known = self._known(books, asks)
        found = {ask.key: row.id for ask in asks if (row := known[ask.key][1]) is not None}
        fresh = {known[ask.key][0]: ask for ask in asks if ask.key not in found}
        older = books.tasks.open_at([ask.place for ask in fresh.values()])
        self._end(books, older, "withdrawn", "the document changed", "throughline")
        seats = {key: self._seats(lookup, ask) for key, ask in fresh.items()}
        made = books.tasks.open([self._new(ask, key, books.now) for key, ask in fresh.items()])
        if len(made) < len(fresh):
            raise Transient("the same place was asked about twice at the same moment; it is tried again")
        books.tasks.seat({made[key]: _by_person(seats[key]) for key in made})
        told = [self._announce(books, lookup, task_id, fresh[key], seats[key]) for key, task_id in made.items()]
        books.notices.plan([notice for notices in told for notice in notices])
        self._appoint(books, lookup, [seat for key in made for seat in seats[key]])
        return found | {ask.key: made[key] for key, ask in fresh.items()}

    def answer(self, books: Books, task_id: int, reply: Reply, *, via: str = "") -> Answered:
        """Take one answer; `Refused` says why not. Two at the same moment: one waits for the other's commit.

        `via` says in the audit through whom or what it came: the API, a link, somebody at the command line.
        """
        rows = books.tasks.lock([task_id])
        if not rows:
            raise Refused("unknown", "there is no such task for you", "没有您的此项任务")
        task = as_task(rows[0], books.tasks.answers([task_id])[task_id])
        answered = take_answer(task, reply, self.lookup(books))
        if not answered.repeated:
            self._save(books, answered.task, rows[0])
            books.tasks.add_answer(as_answer_row(answered.task, answered.answer))
            books.audit.append([_said(answered, via)])
            self._after_answer(books, answered.task)
        return answered

    def end(
        self, books: Books, task_ids: Iterable[int], ending: Ending, reason: str, *, actor: str = "throughline"
    ) -> int:
        """Withdraw or cancel what is still open of these; how many it was."""
        return self._end(books, books.tasks.lock(task_ids), ending, reason, actor)

    def urge(self, books: Books, task_id: int, by: str) -> Task:
        """Ask those who may answer once more (催办), on behalf of whoever waits; not twice within half an hour."""
        rows = books.tasks.lock([task_id])
        lookup = self.lookup(books)
        task = as_task(rows[0], books.tasks.answers([task_id])[task_id]) if rows else None
        if task is None or not self._may_urge(task, by, lookup):
            raise Refused("unknown", "there is no such task for you", "没有您的此项任务")
        if not task.is_open:
            raise Refused("closed", f"this has ended already: {task.state}", f"此任务已结束:{task.state}")
        if task.urged_at is not None and books.now - task.urged_at < _URGE_GAP:
            raise Refused("too_soon", "they were urged less than half an hour ago", "半小时内已催办过")
        asked = urged(task, books.now)
        self._save(books, asked, rows[0])
        books.audit.append([_entry(by, "urged", task)])
        books.notices.plan(
            notices_for(self.organisation, self.waiting(task, lookup), task.id, f"urge:{asked.urged}", books.now)
        )
        return asked

    def tasks_of(self, books: Books, person: str, *, after: int = 0, limit: int = 100) -> Page:
        """The open tasks somebody may answer now, in their own right or for others, oldest first."""
        lookup = self.lookup(books)
        rows = books.tasks.listed(lookup.reach(person), after=after, limit=limit)
        answers = books.tasks.answers([row.id for row in rows])
        tasks = [(row, as_task(row, answers[row.id])) for row in rows]
        mine = tuple((row, task) for row, task in tasks if person in self.waiting(task, lookup))
        return Page(mine, rows[-1].id if len(rows) == limit else None)

    def verdicts(self, books: Books, asks: Sequence[Ask]) -> dict[str, Verdict]:
        """What became of these questions so far, by key; nothing for those never opened."""
        rows = {key: row for key, (_, row) in self._known(books, asks).items() if row is not None}
        answers = books.tasks.answers([row.id for row in rows.values()])
        return {key: _verdict(as_task(row, answers[row.id])) for key, row in rows.items()}

    def waiting(self, task: Task, lookup: Lookup) -> tuple[str, ...]:
        """Everybody whose answer the task waits for: those with a right who have not answered, delegates included."""
        spoken = {name for answer in task.answers for name in (answer.person, answer.principal)}
        seats = lookup.seats(task, task.escalated)
        everybody = lookup.everybody(task, seats)
        return tuple(name for name, principals in everybody.items() if name not in spoken and set(principals) - spoken)

    def may_see(self, task: Task, person: str, lookup: Lookup) -> bool:
        """Whether somebody may know of a task: who asked, who answered, and who may answer."""
        if not self.organisation.works_here(person, lookup.day):
            return False
        involved = {task.requester, *(answer.person for answer in task.answers)}
        return person in involved or bool(lookup.rights(task, person, lookup.seats(task, task.escalated)))

    def reseat(self, books: Books, tasks: Sequence[Task], lookup: Lookup) -> None:
        """Note anew who may answer these in their own right."""
        found = {task.id: _by_person(lookup.seats(task, task.escalated)) for task in tasks if task.is_open}
        if found:
            books.tasks.seat(found)

    def _known(self, books: Books, asks: Sequence[Ask]) -> dict[str, tuple[str, TaskRow | None]]:
        """The task of each question, and the key it has; one that was withdrawn is asked anew under the next key."""
        found: dict[str, tuple[str, TaskRow | None]] = {}
        looked_for, times = {ask.key: ask.key for ask in asks}, 1
        while looked_for:
            rows = books.tasks.by_key(looked_for.values())
            found |= {key: (tried, rows.get(tried)) for key, tried in looked_for.items()}
            times += 1
            looked_for = {key: f"{key}:{times}" for key in looked_for if _is_withdrawn(found[key][1])}
        return found

    def _new(self, ask: Ask, key: str, now: datetime) -> NewTask:
        calendar = self.organisation.calendars[ask.rules.calendar or self.organisation.calendar]
        return as_new(ask, key, plan(ask.rules, now, calendar), due_at(ask.rules, now, calendar))

    def _seats(self, lookup: Lookup, ask: Ask) -> tuple[Seat, ...]:
        seats = lookup.seats(ask)
        able = lookup.everybody(ask, seats)
        if len(able) < ask.rules.least or not all(seat.people for seat in seats):
            named = ", ".join(ask.rules.ask)
            raise Misconfigured(
                f"{ask.flow}.{ask.step} about {ask.subject} asks {named}, and too few people may answer it: "
                f"{ask.rules.least} needed, {len(able)} may", where=self.organisation.where,
            )  # fmt: skip
        return seats

    def _announce(self, books: Books, lookup: Lookup, task_id: int, ask: Ask, seats: Sequence[Seat]) -> list[NewNotice]:
        people = lookup.everybody(ask, seats)
        details = {"task": task_id, "step": ask.step, "content": ask.content_hash, "people": sorted(people)}
        if passed := {step.position: step.why for seat in seats for step in seat.passed}:
            details["passed"] = passed
        books.audit.append([AuditEntry("throughline", "asked", ask.subject, ask.process_id, details)])
        return notices_for(self.organisation, people, task_id, "opened", books.now)

    def _appoint(self, books: Books, lookup: Lookup, seats: Iterable[Seat]) -> None:
        """A vacant position found on the way becomes a task of the organisation's owner."""
        asks = vacancy_asks(self.organisation, seats, lookup.day)
        known = books.tasks.by_key([ask.key for ask in asks])
        if missing := [ask for ask in asks if ask.key not in known]:
            self.open(books, missing)

    def _end(self, books: Books, rows: Iterable[TaskRow], ending: Ending, reason: str, actor: str) -> int:
        still = [row for row in rows if row.state == "open"]
        changed = [ended(as_task(row, ()), ending, books.now, reason) for row in still]
        books.tasks.save([as_change(task, ()) for task in changed])
        books.audit.append([_entry(actor, task.state, task, reason=reason) for task in changed])
        self._hush(books, changed)
        return len(changed)

    def _after_answer(self, books: Books, task: Task) -> None:
        if task.is_open:
            return
        self._hush(books, [task])
        if task.requester:
            books.notices.plan(notices_for(self.organisation, [task.requester], task.id, "decided", books.now))

    def _hush(self, books: Books, tasks: Sequence[Task]) -> None:
        """Nobody is reminded any more of what has ended."""
        planned = [
            notice.id for notice in books.notices.of_tasks([task.id for task in tasks]) if notice.state == "planned"
        ]
        if planned:
            books.notices.drop(planned, "the task has ended")

    def _may_urge(self, task: Task, by: str, lookup: Lookup) -> bool:
        if not self.organisation.works_here(by, lookup.day):
            return False
        return by == task.requester or by in self.waiting(task, lookup) or by in self.organisation.owners(lookup.day)

    def _save(self, books: Books, task: Task, row: TaskRow) -> None:
        books.tasks.save([as_change(task, plan_of(row))])


def _by_person(seats: Iterable[Seat]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for seat in seats:
        for person in seat.people:
            found.setdefault(person, []).append(seat.name)
    return found


def _is_withdrawn(row: TaskRow | None) -> bool:
    return row is not None and row.state == "withdrawn"


def _said(answered: Answered, via: str) -> AuditEntry:
    """Who said what; somebody who answered for another is written as "X for Y"."""
    task, answer = answered.task, answered.answer
    who = answer.person if answer.person == answer.principal else f"{answer.person} for {answer.principal}"
    details = {"task": task.id, "step": task.step, "by": who, "verdict": answer.verdict, "content": task.content_hash,
               "outcome": task.state, "comment": answer.comment, "form": dict(answer.values)}  # fmt: skip
    if answer.through:
        details["through"] = list(answer.through)
    if via:
        details["via"] = via
    return AuditEntry(answer.person, "answered", task.subject, task.process_id, details)


def _entry(actor: str, action: str, task: Task, **details: Any) -> AuditEntry:
    return AuditEntry(actor, action, task.subject, task.process_id, {"task": task.id, "step": task.step, **details})


def _verdict(task: Task) -> Verdict:
    values: dict[str, Any] = {}
    for answer in task.answers:
        values |= answer.values
    people = tuple(answer.person for answer in task.answers)
    comments = tuple(answer.comment for answer in task.answers if answer.comment)
    return Verdict(task.id, task.state, task.content_hash, values, people, comments, task.closed_at)
