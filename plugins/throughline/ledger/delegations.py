"""Who answers for whom, for how long: delegations people made; the plant's standing ones are in its files."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from throughline.ledger.session import Session
from throughline.ledger.task_entries import DelegationRow


class Delegations:
    """Dated delegations. Nothing is ever deleted: a delegation ends on time or is taken back."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def make(
        self, request_id: str, principal: str, delegate: str, *, since: datetime, until: datetime,
        flows: Iterable[str] | None, may_pass_on: bool, note: str, made_by: str,
    ) -> tuple[DelegationRow, bool]:  # fmt: skip
        """The delegation of this request, and whether it is new."""
        named = None if flows is None else sorted(flows)
        fresh = self._session.run(
            _MAKE, request_id, principal, delegate, since, until, named, may_pass_on, note, made_by, self._session.now
        )
        [row] = self._session.entries(DelegationRow, _BY_REQUEST, request_id)
        return row, bool(fresh)

    def revoke(self, delegation_id: int, *, by: str) -> DelegationRow | None:
        """Take one back from now on; None when it has ended, was taken back, or was never made."""
        self._session.run(_REVOKE, self._session.now, by, delegation_id, self._session.now)
        found = self._session.entries(DelegationRow, _REVOKED_NOW, delegation_id, self._session.now)
        return found[0] if found else None

    def one(self, delegation_id: int) -> DelegationRow | None:
        """One delegation by its number."""
        found = self._session.entries(DelegationRow, _ONE, delegation_id)
        return found[0] if found else None

    def lasting(self) -> list[DelegationRow]:
        """Those that count now or will later."""
        return self._session.entries(DelegationRow, _LASTING, self._session.now)


_MAKE = """
insert into delegations (request_id, principal, delegate, since, until, flows, may_pass_on, note, made_by, made_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict (request_id) do nothing
"""
_BY_REQUEST = "select * from delegations where request_id = %s"
_ONE = "select * from delegations where id = %s"
_REVOKE = """
update delegations set revoked_at = %s, revoked_by = %s where id = %s and revoked_at is null and until > %s
"""
_REVOKED_NOW = "select * from delegations where id = %s and revoked_at = %s"
_LASTING = "select * from delegations where until > %s and revoked_at is null order by id"
