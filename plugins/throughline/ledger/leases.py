"""Who works on a process now: one holder at a time, for a while, with an epoch that tells the late from the present."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any

from throughline.ledger.session import Session, as_rows
from throughline.ledger.work_entries import Claim, ClaimedStep


class Leases:
    """Leases on processes. Whoever comes back late finds the epoch moved on, and changes nothing."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(
        self, flow: str, step: str, *, limit: int, holder: str, seconds: float, keys: Sequence[str] | None = None,
        without: Collection[int] = (),
    ) -> list[Claim]:  # fmt: skip
        """Take up to `limit` step instances that may run, with their processes, for `seconds`; never waits for others.

        Work a dead holder left running comes first: its delivery row tells what happened. `without` names instances
        this worker had in hand already.
        """
        had = list(without)
        chosen = None if keys is None else list(keys)
        taken: dict[int, None] = {}
        for statement in (_LEFT_RUNNING, _MAY_RUN):
            if len(taken) < limit:
                rows = self._session.rows(
                    statement, flow, step, self._session.now, self._session.now, chosen, chosen,
                    had, limit - len(taken),
                )  # fmt: skip
                taken.update(dict.fromkeys(row[0] for row in rows))
        return self._begin(step, self._lease(list(taken), holder, seconds), had)

    def take(self, process_ids: Iterable[int], *, holder: str, seconds: float) -> list[Claim]:
        """Lease whole processes, whatever their steps; those somebody else works on are left out."""
        free = self._session.rows(_FREE, list(process_ids), self._session.now)
        return [
            Claim(process_id, key, epoch)
            for process_id, (key, epoch) in self._lease([row[0] for row in free], holder, seconds).items()
        ]

    def hold(self, claims: Iterable[Claim], *, seconds: float | None = None) -> set[int]:
        """Which of these processes are still ours, locked until this transaction ends; the others must not be written.

        With `seconds` the lease of the survivors is prolonged from now.
        """
        held = {row[0] for row in self._session.rows(_HOLD, _as_rows(claims))}
        if seconds is not None and held:
            self._session.run(_PROLONG, self._until(seconds), list(held))
        return held

    def lock(self, process_ids: Iterable[int]) -> set[int]:
        """Keep everybody else from changing these processes until this transaction ends, leased or not."""
        return {row[0] for row in self._session.rows(_LOCK, list(process_ids))}

    def release(self, claims: Iterable[Claim]) -> None:
        """Give processes back; those somebody else holds by now are left alone."""
        if self._session.run(_RELEASE, _as_rows(claims)):
            self._session.news.add("work")

    def _until(self, seconds: float) -> Any:
        return self._session.now + timedelta(seconds=seconds)

    def _lease(self, process_ids: list[int], holder: str, seconds: float) -> dict[int, tuple[str, int]]:
        rows = self._session.rows(_LEASE, holder, self._until(seconds), process_ids) if process_ids else []
        leased = {process_id: (key, epoch) for process_id, key, epoch in rows}
        return {process_id: leased[process_id] for process_id in process_ids}

    def _begin(self, step: str, leased: dict[int, tuple[str, int]], had: list[int]) -> list[Claim]:
        """Mark the instances running; a process whose instance was finished by another meanwhile is given back."""
        items: dict[int, list[ClaimedStep]] = defaultdict(list)
        if leased:
            now = self._session.now
            for process_id, *values in self._session.rows(_BEGIN, now, list(leased), step, now, had):
                items[process_id].append(ClaimedStep(*values))
        claims = [
            Claim(process_id, key, epoch, tuple(sorted(items[process_id], key=lambda s: s.id)))
            for process_id, (key, epoch) in leased.items()
        ]
        empty = [claim for claim in claims if not claim.steps]
        if empty:
            self._session.run(_RELEASE, _as_rows(empty))
        return [claim for claim in claims if claim.steps]


def _as_rows(claims: Iterable[Claim]) -> str:
    return as_rows({"id": claim.process_id, "e": claim.epoch} for claim in claims)


_MAY_RUN = """
select p.id from steps s join processes p on p.id = s.process_id
where s.flow = %s and s.step = %s and s.state in ('ready', 'retrying') and s.ready_at <= %s
    and p.state = 'running' and (p.lease_until is null or p.lease_until <= %s)
    and (%s::text[] is null or p.key = any(%s)) and s.id <> all(%s)
order by s.ready_at, s.process_id limit %s for update of p skip locked
"""

_LEFT_RUNNING = """
select p.id from steps s join processes p on p.id = s.process_id
where s.flow = %s and s.step = %s and s.state = 'running' and s.started_at <= %s
    and p.state = 'running' and (p.lease_until is null or p.lease_until <= %s)
    and (%s::text[] is null or p.key = any(%s)) and s.id <> all(%s)
order by s.process_id limit %s for update of p skip locked
"""

_FREE = """
select id from processes where id = any(%s) and (lease_until is null or lease_until <= %s)
order by id for update skip locked
"""

_LEASE = """
update processes set epoch = epoch + 1, lease_holder = %s, lease_until = %s where id = any(%s) returning id, key, epoch
"""

_BEGIN = """
update steps set state = 'running', attempts = attempts + 1, started_at = coalesce(started_at, %s)
where process_id = any(%s) and step = %s
    and (state = 'running' or (state in ('ready', 'retrying') and ready_at <= %s)) and id <> all(%s)
returning process_id, id, step, item, attempts, document, verdict
"""

_HOLD = """
select p.id from processes p join jsonb_to_recordset(%s::jsonb) as x(id bigint, e bigint) on p.id = x.id
where p.epoch = x.e and p.lease_until is not null order by p.id for update of p
"""

_PROLONG = "update processes set lease_until = %s where id = any(%s)"

_LOCK = "select id from processes where id = any(%s) order by id for update"

_RELEASE = """
with held as (
    select p.id from processes p join jsonb_to_recordset(%s::jsonb) as x(id bigint, e bigint) on p.id = x.id
    where p.epoch = x.e and p.lease_until is not null order by p.id for update of p
)
update processes p set lease_holder = null, lease_until = null from held where p.id = held.id
"""
