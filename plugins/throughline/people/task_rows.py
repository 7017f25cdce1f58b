"""Tasks between the ledger's rows and the values the rules work on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from throughline.ledger.task_entries import AnswerRow, DelegationRow, NewTask, TaskChange, TaskRow
from throughline.people.asking import Ask, TaskRules
from throughline.people.delegation import Delegation
from throughline.people.quorum import Verdict
from throughline.people.schedule import Moment, next_moment
from throughline.people.tasks import Answer, State, Task
from throughline.people.words import Title


def as_task(row: TaskRow, answers: Iterable[AnswerRow]) -> Task:
    """The task this row is."""
    return Task(
        id=row.id, kind=cast("Any", row.kind), rules=TaskRules.model_validate(row.rules), flow=row.flow, step=row.step,
        subject=row.subject, content_hash=row.content_hash, opened_at=row.opened_at, item=row.item,
        process_id=row.process_id, about=Title.model_validate(row.about) if row.about else None,
        requester=row.requester, apart_from=frozenset(row.apart_from), amount=row.amount, currency=row.currency,
        state=cast("State", row.state), version=row.version, escalated=row.escalated, fired=row.fired,
        urged=row.urged, urged_at=row.urged_at, closed_at=row.closed_at, reason=row.reason,
        answers=tuple(_answer(answer) for answer in answers),
    )  # fmt: skip


def as_new(ask: Ask, key: str, moments: Sequence[Moment], due: datetime | None) -> NewTask:
    """The row of a question that is opened now; its plan is kept, so that later calendars change no promise."""
    return NewTask(
        key=key, place=ask.place, kind=ask.kind, flow=ask.flow, step=ask.step, item=ask.item,
        process_id=ask.process_id, subject=ask.subject, content_hash=ask.content_hash,
        rules=ask.rules.model_dump(mode="json"), about=ask.about.model_dump() if ask.about else None,
        requester=ask.requester, apart_from=tuple(sorted(ask.apart_from)), amount=ask.amount, currency=ask.currency,
        plan=tuple({"at": moment.at.isoformat(), "kind": moment.kind, "nth": moment.nth} for moment in moments),
        due_at=due, next_at=next_moment(moments, 0),
    )  # fmt: skip


def as_change(task: Task, moments: Sequence[Moment]) -> TaskChange:
    """What to write of a task that changed."""
    following = next_moment(moments, task.fired) if task.is_open else None
    return TaskChange(
        task.id, task.state, task.version, task.fired, task.escalated, task.urged, task.urged_at, following,
        task.closed_at, task.reason,
    )  # fmt: skip


def as_answer_row(task: Task, answer: Answer) -> AnswerRow:
    """The row of an answer."""
    return AnswerRow(
        task.id, answer.person, answer.principal, list(answer.seats), list(answer.through), answer.verdict,
        answer.request_id, answer.digest, dict(answer.values), answer.comment, answer.at,
    )  # fmt: skip


def plan_of(row: TaskRow) -> tuple[Moment, ...]:
    """The moments planned when the task was opened."""
    return tuple(Moment(datetime.fromisoformat(told["at"]), told["kind"], told["nth"]) for told in row.plan)


def as_delegation(row: DelegationRow) -> Delegation:
    """A delegation somebody made."""
    flows = None if row.flows is None else frozenset(row.flows)
    return Delegation(
        f"ledger:{row.id}", row.principal, row.delegate, row.since, row.until, flows, row.may_pass_on,
        row.revoked_at, row.note,
    )  # fmt: skip


def _answer(row: AnswerRow) -> Answer:
    return Answer(
        person=row.person, principal=row.principal, seats=tuple(row.seats), verdict=cast("Verdict", row.verdict),
        request_id=row.request_id, at=row.answered_at, values=row.form, comment=row.comment,
        through=tuple(row.through), digest=row.digest,
    )  # fmt: skip
