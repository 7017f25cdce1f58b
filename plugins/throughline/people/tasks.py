"""A human task as a value, and the only ways it changes: answered, withdrawn, cancelled, expired, escalated, urged.

    open ──answer──▶ approved | rejected | sent_back | done
      │──withdraw─▶ withdrawn     the document changed, or the question is not asked any more
      │──cancel───▶ cancelled     the process was cancelled
      └──expire───▶ timed_out     nobody decided in time

The first end is the end: whatever comes later changes nothing. Every change raises `version`. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from throughline.people.asking import Kind, TaskRules
from throughline.people.quorum import Verdict
from throughline.people.words import Title

Ending = Literal["withdrawn", "cancelled", "timed_out"]
State = Literal["open", "approved", "rejected", "sent_back", "done", "withdrawn", "cancelled", "timed_out"]


@dataclass(frozen=True)
class Answer:
    """What somebody answered: as themselves (`person` is `principal`) or for somebody else, "X for Y"."""

    person: str
    principal: str
    seats: tuple[str, ...]
    verdict: Verdict
    request_id: str
    at: datetime
    values: Mapping[str, Any] = field(default_factory=dict)
    comment: str = ""
    through: tuple[str, ...] = ()
    digest: str = ""


@dataclass(frozen=True)
class Task:
    """One question to people, in the state it is in; `escalated` superiors were added, `fired` timers have gone off."""

    id: int
    kind: Kind
    rules: TaskRules
    flow: str
    step: str
    subject: str
    content_hash: str
    opened_at: datetime
    item: str = ""
    process_id: int | None = None
    about: Title | None = None
    requester: str | None = None
    apart_from: frozenset[str] = field(default_factory=frozenset)
    amount: Decimal | None = None
    currency: str | None = None
    state: State = "open"
    version: int = 1
    escalated: int = 0
    fired: int = 0
    urged: int = 0
    urged_at: datetime | None = None
    closed_at: datetime | None = None
    reason: str = ""
    answers: tuple[Answer, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether an answer still counts."""
        return self.state == "open"


def with_answer(task: Task, answer: Answer, outcome: State) -> Task:
    """The task with one more answer, closed if that decided it."""
    changed = replace(task, answers=(*task.answers, answer), version=task.version + 1)
    return changed if outcome == "open" else replace(changed, state=outcome, closed_at=answer.at)


def ended(task: Task, ending: Ending, at: datetime, reason: str) -> Task:
    """The task without a decision; one that has ended already stays as it is."""
    if not task.is_open:
        return task
    return replace(task, state=ending, closed_at=at, reason=reason, version=task.version + 1)


def urged(task: Task, at: datetime) -> Task:
    """The task asked for once more by a person (催办)."""
    return replace(task, urged=task.urged + 1, urged_at=at, version=task.version + 1) if task.is_open else task


def timers_fired(task: Task, fired: int, escalations: int, expired_at: datetime | None = None) -> Task:
    """The task after timers went off: each escalation lets one more superior answer; expired, it ends undecided."""
    if not task.is_open or fired <= task.fired:
        return task
    changed = replace(task, fired=fired, escalated=task.escalated + escalations, version=task.version + 1)
    if expired_at is None:
        return changed
    return replace(changed, state="timed_out", closed_at=expired_at, reason="nobody decided in time")
