"""What goes into the ledger and what comes out about people: tasks, answers, delegations, notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class NewTask:
    """A question to be opened; `key` makes opening it twice harmless, `place` is where only one may be open."""

    key: str
    place: str
    kind: str
    flow: str
    step: str
    item: str
    process_id: int | None
    subject: str
    content_hash: str
    rules: Mapping[str, Any]
    about: Mapping[str, Any] | None
    requester: str | None
    apart_from: tuple[str, ...]
    amount: Decimal | None
    currency: str | None
    plan: tuple[Mapping[str, Any], ...]
    due_at: datetime | None
    next_at: datetime | None


@dataclass(frozen=True)
class TaskRow:
    """A task as it lies in the ledger."""

    id: int
    key: str
    place: str
    kind: str
    flow: str
    step: str
    item: str
    process_id: int | None
    subject: str
    content_hash: str
    rules: dict[str, Any]
    about: dict[str, Any] | None
    requester: str | None
    apart_from: list[str]
    amount: Decimal | None
    currency: str | None
    state: str
    version: int
    plan: list[dict[str, Any]]
    fired: int
    escalated: int
    urged: int
    urged_at: datetime | None
    opened_at: datetime
    due_at: datetime | None
    next_at: datetime | None
    closed_at: datetime | None
    reason: str


@dataclass(frozen=True)
class TaskChange:
    """What of a task changes; `version` is the new one, and the row must have the one before."""

    id: int
    state: str
    version: int
    fired: int
    escalated: int
    urged: int
    urged_at: datetime | None
    next_at: datetime | None
    closed_at: datetime | None
    reason: str


@dataclass(frozen=True)
class AnswerRow:
    """One answer of one person, in their own right or for a principal."""

    task_id: int
    person: str
    principal: str
    seats: list[str]
    through: list[str]
    verdict: str
    request_id: str
    digest: str
    form: dict[str, Any]
    comment: str
    answered_at: datetime


@dataclass(frozen=True)
class DelegationRow:
    """Somebody answers for somebody else for a while; no flows means all of them."""

    id: int
    request_id: str
    principal: str
    delegate: str
    since: datetime
    until: datetime
    flows: list[str] | None
    may_pass_on: bool
    note: str
    made_by: str
    made_at: datetime
    revoked_at: datetime | None
    revoked_by: str | None


@dataclass(frozen=True)
class NewNotice:
    """One person to be told of one occasion by one channel, not before a moment; planned twice it is there once."""

    key: str
    task_id: int
    person: str
    occasion: str
    channel: str
    not_before: datetime


@dataclass(frozen=True)
class NoticeRow:
    """A notice as it lies in the ledger."""

    id: int
    key: str
    task_id: int
    person: str
    occasion: str
    channel: str
    state: str
    not_before: datetime
    attempts: int
    message: str | None
    planned_at: datetime
    sending_at: datetime | None
    settled_at: datetime | None
    error: str | None


@dataclass(frozen=True)
class Levels:
    """How open tasks stand by their service level: counts by flow and step."""

    flow: str
    step: str
    open: int
    overdue: int
    escalated: int
    oldest: datetime
    next_due: datetime | None
