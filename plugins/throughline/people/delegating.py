"""Making and taking back a delegation 委托: dated, by the person themselves or the organisation's owner, audited."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from throughline.ledger.entries import AuditEntry
from throughline.people.desk import Desk
from throughline.people.words import Title

if TYPE_CHECKING:
    from throughline.ledger import Books
    from throughline.ledger.task_entries import DelegationRow

_LONGEST = timedelta(days=366)


class WrongDelegation(Exception):
    """This delegation cannot be made or taken back; the reason in both languages."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.told = Title(en=en, zh=zh)


def delegate(
    desk: Desk, books: Books, principal: str, other: str, *, since: datetime, until: datetime, made_by: str,
    request_id: str, flows: Iterable[str] | None = None, may_pass_on: bool = False, note: str = "",
) -> DelegationRow:  # fmt: skip
    """Let `other` answer for `principal` from `since` until before `until`; the same request again changes nothing."""
    _check(desk, books, principal, other, since, until, made_by)
    row, fresh = books.delegations.make(
        request_id, principal, other, since=since, until=until, flows=flows, may_pass_on=may_pass_on, note=note,
        made_by=made_by,
    )  # fmt: skip
    if (row.principal, row.delegate) != (principal, other):
        raise WrongDelegation("this request id was used for another delegation", "该请求编号已用于另一委托")
    if fresh:
        books.audit.append([_entry(made_by, "delegated", row)])
    return row


def revoke(desk: Desk, books: Books, delegation_id: int, *, by: str) -> DelegationRow | None:
    """Take a delegation back from now on; None when it has ended already."""
    row = books.delegations.one(delegation_id)
    if row is None or not _may_make(desk, books, row.principal, by):
        raise WrongDelegation("there is no such delegation of yours", "没有您的此项委托")
    ended = books.delegations.revoke(delegation_id, by=by)
    if ended is not None:
        books.audit.append([_entry(by, "delegation revoked", ended)])
    return ended


def _check(
    desk: Desk, books: Books, principal: str, other: str, since: datetime, until: datetime, made_by: str
) -> None:
    day = desk.organisation.day_of(books.now)
    for name in (principal, other):
        if not desk.organisation.works_here(name, day):
            raise WrongDelegation(f"{name} does not work here", f"{name} 不在职")
    if principal == other:
        raise WrongDelegation("nobody delegates to themselves", "不能委托给自己")
    if not _may_make(desk, books, principal, made_by):
        raise WrongDelegation(f"{made_by} may not delegate for {principal}", f"{made_by} 无权代 {principal} 委托")
    if until <= since or until <= books.now:
        raise WrongDelegation("it ends before it begins", "结束时间早于开始时间")
    if until - since > _LONGEST:
        raise WrongDelegation("a delegation lasts a year at most", "委托最长一年")


def _may_make(desk: Desk, books: Books, principal: str, by: str) -> bool:
    """The principal themselves, or the organisation's owner for somebody who cannot (ill, unreachable)."""
    return by == principal or by in desk.organisation.owners(desk.organisation.day_of(books.now))


def _entry(actor: str, action: str, row: DelegationRow) -> AuditEntry:
    details = {
        "delegation": row.id, "principal": row.principal, "delegate": row.delegate, "flows": row.flows,
        "since": row.since.isoformat(), "until": row.until.isoformat(), "may_pass_on": row.may_pass_on,
    }  # fmt: skip
    return AuditEntry(actor, action, f"person:{row.principal}", None, details)
