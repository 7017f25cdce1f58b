"""What people are asked: open questions, who may answer them, their answers, and when something happens next.

Whoever changes a task locks its row first; a change names the version it makes, so that nothing is written over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from throughline.errors import Transient
from throughline.ledger.exact_json import dumps
from throughline.ledger.session import Session, as_rows
from throughline.ledger.task_entries import AnswerRow, Levels, NewTask, TaskChange, TaskRow


class Tasks:
    """Human tasks, all states; the open ones are found without reading the others."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def open(self, tasks: Iterable[NewTask]) -> dict[str, int]:
        """Open these; the ids of those that are new, by key. One that is there already stays as it is."""
        rows = [
            {**vars(task), "rules": dumps(task.rules), "about": dumps(task.about) if task.about else None,
             "plan": dumps(list(task.plan)), "due_at": _stamp(task.due_at), "next_at": _stamp(task.next_at),
             "apart_from": list(task.apart_from)}
            for task in tasks
        ]  # fmt: skip
        made = dict(self._session.rows(_OPEN, self._session.now, as_rows(rows))) if rows else {}
        if made:
            self._session.news.add("tasks")
        return made

    def open_at(self, places: Iterable[str]) -> list[TaskRow]:
        """What is open at these places, locked until this transaction ends."""
        return self._session.entries(TaskRow, _OPEN_AT, list(places))

    def by_key(self, keys: Iterable[str]) -> dict[str, TaskRow]:
        """Tasks by the key they were opened with."""
        found = self._session.entries(TaskRow, _BY_KEY, list(keys))
        return {row.key: row for row in found}

    def lock(self, task_ids: Iterable[int]) -> list[TaskRow]:
        """These tasks, kept from everybody else until this transaction ends."""
        return self._session.entries(TaskRow, _LOCK, list(task_ids))

    def load(self, task_ids: Iterable[int]) -> list[TaskRow]:
        """These tasks as they are."""
        return self._session.entries(TaskRow, _LOAD, list(task_ids))

    def of_process(self, process_id: int) -> list[TaskRow]:
        """Every task of a process, the newest last."""
        return self._session.entries(TaskRow, _OF_PROCESS, process_id)

    def listed(self, people: Iterable[str] | None = None, *, after: int = 0, limit: int = 100) -> list[TaskRow]:
        """Open tasks (those that any of these may answer in their own right), oldest first."""
        if people is None:
            return self._session.entries(TaskRow, _LISTED, after, limit)
        return self._session.entries(TaskRow, _LISTED_OF, list(people), after, limit)

    def due(self, limit: int = 500) -> list[TaskRow]:
        """Tasks with something to happen by now, locked; those another sweeper holds are left out."""
        return self._session.entries(TaskRow, _DUE, self._session.now, limit)

    def next_due(self) -> datetime | None:
        """When something happens next with any task; None when nothing does."""
        found: datetime | None = self._session.value(_NEXT)
        return found

    def answers(self, task_ids: Iterable[int]) -> dict[int, list[AnswerRow]]:
        """The answers of these tasks in the order they came."""
        found: dict[int, list[AnswerRow]] = defaultdict(list)
        for row in self._session.entries(AnswerRow, _ANSWERS, list(task_ids)):
            found[row.task_id].append(row)
        return found

    def save(self, changes: Iterable[TaskChange]) -> None:
        """Write changes of locked tasks; `Transient` when one has moved on meanwhile. Ended ones lose their people."""
        rows = [
            {**vars(change), "urged_at": _stamp(change.urged_at), "next_at": _stamp(change.next_at),
             "closed_at": _stamp(change.closed_at)}
            for change in changes
        ]  # fmt: skip
        if not rows:
            return
        if self._session.run(_SAVE, as_rows(rows)) != len(rows):
            raise Transient("a task has changed at the same moment; it is tried again", system="ledger")
        if ended := [row["id"] for row in rows if row["state"] != "open"]:
            self._session.run("delete from task_people where task_id = any(%s)", ended)
            self._session.news |= {"tasks", "work"}

    def add_answer(self, answer: AnswerRow) -> None:
        """Keep an answer; the database refuses a second one of the same person or by the same right."""
        told = {**vars(answer), "form": dumps(answer.form)}
        self._session.run(_ADD_ANSWER, *(told[name] for name in _ANSWER_COLUMNS))

    def seat(self, people: Mapping[int, Mapping[str, Sequence[str]]]) -> None:
        """Who may answer these open tasks in their own right, on which seats; whoever else could before cannot now."""
        rows = [
            {"task_id": task, "person": person, "seats": list(seats)}
            for task, named in people.items()
            for person, seats in named.items()
        ]
        self._session.run(_UNSEAT, list(people), as_rows(rows))
        if rows:
            self._session.run(_SEAT, as_rows(rows))

    def people(self, task_ids: Iterable[int]) -> dict[int, dict[str, list[str]]]:
        """Who may answer these tasks in their own right, and on which seats."""
        found: dict[int, dict[str, list[str]]] = defaultdict(dict)
        for task_id, person, seats in self._session.rows(_PEOPLE, list(task_ids)):
            found[task_id][person] = seats
        return found

    def seated(self) -> list[str]:
        """Everybody who has an open task."""
        return [row[0] for row in self._session.rows(_SEATED)]

    def held_by(self, people: Iterable[str]) -> list[int]:
        """The open tasks these people may answer or could before."""
        return [row[0] for row in self._session.rows(_HELD_BY, list(people))]

    def levels(self) -> list[Levels]:
        """How the open tasks stand: due, overdue, escalated, by flow and step."""
        return self._session.entries(Levels, _LEVELS, self._session.now)

    def use_link(self, nonce: str, task_id: int, person: str, expires_at: datetime) -> bool:
        """Spend a signed link; False when it was spent before."""
        return bool(self._session.run(_USE_LINK, nonce, task_id, person, self._session.now, expires_at))

    def link_used(self, nonce: str) -> bool:
        """Whether a signed link was spent."""
        return bool(self._session.value("select true from used_links where nonce = %s", nonce))

    def forget_links(self) -> int:
        """Drop spent links that would not be valid any more; answers how many."""
        return self._session.run("delete from used_links where expires_at < %s", self._session.now)


def _stamp(moment: datetime | None) -> Any:
    return moment.isoformat() if moment else None


_ANSWER_COLUMNS = (
    "task_id", "person", "principal", "seats", "through", "verdict", "request_id", "digest", "form", "comment",
    "answered_at",
)  # fmt: skip

_OPEN = """
insert into tasks (key, place, kind, flow, step, item, process_id, subject, content_hash, rules, about, requester,
    apart_from, amount, currency, plan, due_at, next_at, opened_at)
select key, place, kind, flow, step, item, process_id, subject, content_hash, rules::jsonb, about::jsonb, requester,
    apart_from, amount, currency, plan::jsonb, due_at, next_at, %s
from jsonb_to_recordset(%s::jsonb) as x(key text, place text, kind text, flow text, step text, item text,
    process_id bigint, subject text, content_hash text, rules text, about text, requester text, apart_from text[],
    amount numeric, currency text, plan text, due_at timestamptz, next_at timestamptz)
on conflict do nothing returning key, id
"""

_OPEN_AT = "select * from tasks where place = any(%s) and state = 'open' order by id for update"
_BY_KEY = "select * from tasks where key = any(%s) order by id"
_LOCK = "select * from tasks where id = any(%s) order by id for update"
_LOAD = "select * from tasks where id = any(%s) order by id"
_OF_PROCESS = "select * from tasks where process_id = %s order by id"
_LISTED = "select * from tasks where state = 'open' and id > %s order by id limit %s"
_LISTED_OF = """
select * from tasks where id in (select task_id from task_people where person = any(%s)) and state = 'open'
    and id > %s
order by id limit %s
"""
_DUE = """
select * from tasks where next_at <= %s order by next_at, id limit %s for update skip locked
"""
_NEXT = "select next_at from tasks where next_at is not null order by next_at limit 1"
_ANSWERS = """
select task_id, person, principal, seats, through, verdict, request_id, digest, form, comment, answered_at
from task_answers where task_id = any(%s) order by id
"""

_SAVE = """
update tasks t set state = x.state, version = x.version, fired = x.fired, escalated = x.escalated, urged = x.urged,
    urged_at = x.urged_at, next_at = case when x.state = 'open' then x.next_at end, closed_at = x.closed_at,
    reason = x.reason
from jsonb_to_recordset(%s::jsonb) as x(id bigint, state text, version integer, fired integer, escalated integer,
    urged integer, urged_at timestamptz, next_at timestamptz, closed_at timestamptz, reason text)
where t.id = x.id and t.version = x.version - 1
"""

_ADD_ANSWER = """
insert into task_answers (task_id, person, principal, seats, through, verdict, request_id, digest, form, comment,
    answered_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s)
"""

_UNSEAT = """
delete from task_people p where task_id = any(%s) and not exists (
    select from jsonb_to_recordset(%s::jsonb) as x(task_id bigint, person text)
    where x.task_id = p.task_id and x.person = p.person)
"""

_SEAT = """
insert into task_people (task_id, person, seats)
select task_id, person, seats
from jsonb_to_recordset(%s::jsonb) as x(task_id bigint, person text, seats text[])
on conflict (person, task_id) do update set seats = excluded.seats
"""

_PEOPLE = "select task_id, person, seats from task_people where task_id = any(%s) order by task_id, person"
# From one person to the next along the index: as many steps as people, however many tasks they have.
_SEATED = """
with recursive named as (
    (select person from task_people order by person limit 1)
    union all
    select (select p.person from task_people p where p.person > named.person order by p.person limit 1)
    from named where named.person is not null
) select person from named where person is not null
"""
_HELD_BY = "select distinct task_id from task_people where person = any(%s) order by task_id"

_LEVELS = """
select flow, step, count(*) as open, count(*) filter (where due_at <= %s) as overdue,
    count(*) filter (where escalated > 0) as escalated, min(opened_at) as oldest, min(due_at) as next_due
from tasks where state = 'open' group by flow, step order by flow, step
"""

_USE_LINK = """
insert into used_links (nonce, task_id, person, used_at, expires_at) values (%s, %s, %s, %s, %s) on conflict do nothing
"""
