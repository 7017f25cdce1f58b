"""Steps: what is ready, what is due, and how each instance changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from throughline.ledger.session import Session, as_rows, batches
from throughline.ledger.work_entries import StepChange, StepRow


class Steps:
    """Every step instance of every process."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ready_work(self, flow: str, keys: Sequence[str] | None = None) -> dict[str, int]:
        """How many instances of each step could be worked on now; steps without work are absent."""
        chosen = None if keys is None else list(keys)
        now = self._session.now
        return dict(self._session.rows(_READY, flow, now, now, chosen, chosen, flow, now, chosen, chosen))

    def work_waits(self, flows: Iterable[str]) -> list[str]:
        """Which of these flows have anything to do now: ready steps, due retries, deadlines passed, dead holders."""
        now = self._session.now
        return [row[0] for row in self._session.rows(_WAITS, list(flows), now, now, now, now)]

    def due(self, flow: str, limit: int = 500) -> list[StepRow]:
        """Steps whose deadline passed and nobody was told yet; mark them with `overdue` once somebody was."""
        return self._session.entries(StepRow, _DUE, flow, self._session.now, limit)

    def overdue(self, step_ids: Iterable[int]) -> None:
        """Note that these deadlines passed, so that they are not reported again."""
        self._session.run(_OVERDUE, self._session.now, list(step_ids))

    def of(self, process_ids: Iterable[int]) -> list[StepRow]:
        """Every step instance of these processes, in the order they came to be."""
        return self._session.entries(StepRow, STEPS_OF, list(process_ids))

    def put_off(
        self, step_ids: Iterable[int], state: str, *, at: datetime | None = None, error: str | None = None
    ) -> None:
        """Give claimed instances back untouched: the try does not count, and what is in doubt stays in doubt."""
        self._session.run(_PUT_OFF, state, at or self._session.now, error, list(step_ids))
        if at is None:
            self._session.news.add("work")

    def hold_back(self, flow: str, steps: Sequence[str], until: datetime, error: str, signature: str) -> int:
        """Let whatever is ready for these steps wait until a person had time to mend what the sentence names."""
        return self._session.run(_HOLD_BACK, until, error, signature, flow, list(steps), until)

    def retry_now(
        self, *, flow: str | None = None, keys: Sequence[str] | None = None, signature: str | None = None
    ) -> int:
        """Somebody mended something: what waits for that (of these documents, or of this cause) may go on at once."""
        chosen = None if keys is None else list(keys)
        count = self._session.run(_RETRY_NOW, flow, flow, signature, signature, chosen, chosen, self._session.now)
        if count:
            self._session.news.add("work")
        return count

    def change(self, changes: Sequence[StepChange]) -> None:
        """Write new step instances and new states of known ones, set-wise; the last change of an instance counts.

        A parked step that moves on leaves the parking lot with it.
        """
        latest = {(change.process_id, change.step, change.item): change for change in changes}
        for portion in batches(list(latest.values())):
            rows = as_rows(_as_row(change) for change in portion)
            now = self._session.now
            self._session.run(_CHANGE, now, now, rows)
        self._leave_the_parking_lot(latest)
        self._session.names.update(
            change.awaited for change in latest.values() if change.awaited and change.state == "waiting_for"
        )
        if any(change.state in ("ready", "retrying") for change in latest.values()):
            self._session.news.add("work")

    def _leave_the_parking_lot(self, latest: Mapping[tuple[int, str, str], StepChange]) -> None:
        parked = self._session.rows(_PARKED, list({change.process_id for change in latest.values()}))
        moved = [case for case, *place in parked if (change := latest.get((*place,))) and change.state != "parked"]
        if moved:
            self._session.run(_UNPARK, self._session.now, moved)


def _as_row(change: StepChange) -> dict[str, Any]:
    return {
        "process_id": change.process_id, "step": change.step, "item": change.item, "state": change.state,
        "ready_at": change.ready_at, "due_at": change.due_at, "document": change.document, "verdict": change.verdict,
        "awaited": change.awaited, "error": change.error, "signature": change.signature,
    }  # fmt: skip


_PUT_OFF = """
update steps set state = case when signature like 'InDoubt%%' then 'retrying' else %s end, ready_at = %s,
    attempts = greatest(attempts - 1, 0), error = coalesce(%s, error)
where id = any(%s) and state = 'running'
"""

_HOLD_BACK = """
update steps set state = 'retrying', ready_at = %s, error = %s,
    signature = case when signature like 'InDoubt%%' then signature else %s end
where id in (
    select id from steps where flow = %s and step = any(%s) and state in ('ready', 'retrying') and ready_at < %s
    for update skip locked
)
"""

_RETRY_NOW = """
with chosen as (
    select s.id from steps s join processes p on p.id = s.process_id
    where s.state = 'retrying' and (s.signature like 'Misconfigured%%' or s.awaited is not null)
        and (%s::text is null or s.flow = %s) and (%s::text is null or s.signature = %s)
        and (%s::text[] is null or p.key = any(%s))
    order by s.id for update of s skip locked
)
update steps set ready_at = %s from chosen where steps.id = chosen.id
"""

STEPS_OF = """
select id, process_id, step, item, state, attempts, document, awaited, verdict, ready_at, started_at, finished_at,
    due_at, overdue_at, error, signature
from steps where process_id = any(%s) order by id
"""

_READY = """
select step, count(*) from (
    select s.step from steps s join processes p on p.id = s.process_id
    where s.flow = %s and s.state in ('ready', 'retrying') and s.ready_at <= %s
        and p.state = 'running' and (p.lease_until is null or p.lease_until <= %s)
        and (%s::text[] is null or p.key = any(%s))
    union all
    select s.step from steps s join processes p on p.id = s.process_id
    where s.flow = %s and s.state = 'running' and p.state = 'running'
        and (p.lease_until is null or p.lease_until <= %s) and (%s::text[] is null or p.key = any(%s))
) as claimable group by step
"""

_WAITS = """
select f.flow from unnest(%s::text[]) as f(flow)
where (
    select true from steps s join processes p on p.id = s.process_id
    where s.flow = f.flow and s.state in ('ready', 'retrying') and s.ready_at <= %s
        and p.state = 'running' and (p.lease_until is null or p.lease_until <= %s)
    order by s.step, s.ready_at limit 1
) or (
    select true from steps s join processes p on p.id = s.process_id
    where s.flow = f.flow and s.state = 'running'
        and p.state = 'running' and (p.lease_until is null or p.lease_until <= %s)
    order by s.step, s.process_id limit 1
) or (
    select true from steps s join processes p on p.id = s.process_id
    where s.flow = f.flow and s.due_at <= %s and s.overdue_at is null and s.finished_at is null
        and p.state = 'running'
    order by s.due_at limit 1
)
"""
"""The orders are those of the partial indexes: whatever the statistics say, no plan reads finished rows to answer."""

_PARKED = "select id, process_id, step, item from parked where replayed_at is null and process_id = any(%s)"

_UNPARK = """
update parked set replayed_at = %s, replayed_by = 'the process itself' where id = any(%s)
"""

_DUE = """
select s.id, s.process_id, s.step, s.item, s.state, s.attempts, s.document, s.awaited, s.verdict, s.ready_at,
    s.started_at, s.finished_at, s.due_at, s.overdue_at, s.error, s.signature
from steps s join processes p on p.id = s.process_id
where s.flow = %s and s.due_at <= %s and s.overdue_at is null and s.finished_at is null and p.state = 'running'
order by s.due_at limit %s for update of s skip locked
"""

_OVERDUE = "update steps set overdue_at = %s where id = any(%s) and overdue_at is null"

_CHANGE = """
insert into steps as s (process_id, flow, step, item, state, document, awaited, verdict, ready_at, finished_at, due_at,
    error, signature)
select x.process_id, p.flow, x.step, x.item, x.state, x.document, x.awaited, x.verdict,
    case when x.state in ('ready', 'retrying') then coalesce(x.ready_at, %s) end,
    case when x.state in ('done', 'skipped', 'withdrawn') then %s::timestamptz end, x.due_at, x.error, x.signature
from jsonb_to_recordset(%s::jsonb) as x(process_id bigint, step text, item text, state text, ready_at timestamptz,
    due_at timestamptz, document text, verdict jsonb, awaited text, error text, signature text)
join processes p on p.id = x.process_id order by x.process_id, x.step, x.item
on conflict (process_id, step, item) do update set state = excluded.state,
    document = coalesce(excluded.document, s.document), awaited = excluded.awaited,
    verdict = coalesce(excluded.verdict, s.verdict), ready_at = coalesce(excluded.ready_at, s.ready_at),
    finished_at = excluded.finished_at, due_at = coalesce(excluded.due_at, s.due_at),
    error = excluded.error, signature = excluded.signature
"""
