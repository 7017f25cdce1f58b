"""Letting parked work go on: in the order of its lanes, a few at first, the rest spread over time.

What is let go on waits in the ledger for its hour: no program need stay alive to release it, a crash in the middle
loses nothing, and a second replay finds nothing that is still parked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from throughline.ledger.deliveries import Deliveries
from throughline.ledger.entries import AuditEntry
from throughline.ledger.missing import Missing
from throughline.ledger.session import Session, as_rows, batches
from throughline.ledger.work_entries import ParkedCase


@dataclass(frozen=True)
class Choice:
    """Which parked cases are meant: by case, by cause, by subject or process key, or everything."""

    ids: Sequence[int] | None = None
    signature: str | None = None
    keys: Sequence[str] | None = None
    everything: bool = False

    @property
    def empty(self) -> bool:
        """Nothing was chosen: then nothing is meant, not everything."""
        return not self.everything and (self.ids, self.signature, self.keys) == (None, None, None)


@dataclass(frozen=True)
class Fate:
    """What became of a case that was let go on: `arrived`, `open` (still on its way) or `parked` again, and why."""

    case_id: int
    state: str
    said: str = ""


class Replays:
    """Parked work on its way back."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def replay(
        self, *, ids: Iterable[int] | None = None, signature: str | None = None, keys: Iterable[str] | None = None,
        by: str, arrived: bool | None = None, every: timedelta = timedelta(),
    ) -> list[ParkedCase]:  # fmt: skip
        """Let parked work go on (named by case, by cause, or by subject or process key); once only, and audited.

        With `every` so much time lies between one case and the next. Where a write may or may not have arrived and only
        a person can tell: `arrived` says so. Without that word such a write is not sent again, and parks once more.
        """
        choice = Choice(None if ids is None else list(ids), signature, None if keys is None else list(keys))
        return self.release(self.in_order(choice), by=by, arrived=arrived, every=every)

    def in_order(self, choice: Choice) -> list[int]:
        """The chosen cases as they are to go: in each lane (a business key) the earlier document first."""
        return [case for case, _ in self._lanes(choice)]

    def canaries(self, choice: Choice, count: int) -> list[int]:
        """A few cases to try the mending with: the oldest, each the first of another lane."""
        first: dict[str, int] = {}
        for case, lane in self._lanes(choice):
            first.setdefault(lane, case)
        return list(first.values())[:count]

    def roles(self, choice: Choice) -> set[str]:
        """The systems that the chosen cases concern."""
        ids = [case for case, _ in self._lanes(choice)]
        return {row[0] for row in self._session.rows(_ROLES, ids)} if ids else set()

    def release(
        self, ids: Sequence[int], *, by: str, arrived: bool | None = None, every: timedelta = timedelta()
    ) -> list[ParkedCase]:
        """Let these cases go on, in this order; those that are not parked any more are left out."""
        found = self._session.entries(ParkedCase, _RELEASE, list(ids), self._session.now, by) if ids else []
        place = {case: number for number, case in enumerate(ids)}
        cases = sorted(found, key=lambda case: place[case.id])
        if arrived is not None:
            steps = [(case.process_id, case.step, case.item) for case in cases if case.process_id is not None]
            Deliveries(self._session).decided(steps, arrived=arrived)
        self._resume(cases, every)
        Missing(self._session).approved([case.snapshot_id for case in cases if case.snapshot_id is not None], by)
        self._note(cases, by, arrived, every)
        return cases

    def fates(self, cases: Sequence[ParkedCase]) -> list[Fate]:
        """How those that were let go on fared since."""
        return self._session.entries(Fate, _FATES, [case.id for case in cases])

    def _lanes(self, choice: Choice) -> list[tuple[int, str]]:
        if choice.empty:
            return []
        ids, keys = choice.ids, choice.keys
        wanted = [None if ids is None else list(ids), choice.signature, None if keys is None else list(keys)]
        rows = self._session.rows(_LANES, wanted[0], wanted[0], wanted[1], wanted[1], wanted[2], wanted[2], wanted[2])
        return [(case, lane) for case, lane in rows]

    def _resume(self, cases: Sequence[ParkedCase], every: timedelta) -> None:
        now = self._session.now
        at = {case.id: now + number * every for number, case in enumerate(cases)}
        versions = [
            {"v": case.version_id, "at": at[case.id] if at[case.id] > now else None}
            for case in cases if case.version_id is not None
        ]  # fmt: skip
        if sum(self._session.run(_VERSIONS_AGAIN, as_rows(portion)) for portion in batches(versions)):
            self._session.news.add("versions")
        steps = [
            {"p": case.process_id, "s": case.step, "i": case.item, "at": at[case.id]}
            for case in cases if case.process_id is not None
        ]  # fmt: skip
        for portion in batches(steps):
            if self._session.run(_STEPS_AGAIN, as_rows(portion)):
                self._session.news.add("work")
            self._session.run(_PROCESSES_AGAIN, as_rows(portion))

    def _note(self, cases: Sequence[ParkedCase], by: str, arrived: bool | None, every: timedelta) -> None:
        told = {} if arrived is None else {"arrived": arrived}
        self._session.audited += [
            AuditEntry(by, "replay", case.subject, case.process_id, {
                "case": case.id, "signature": case.signature, **told,
                **({"from": self._session.now + number * every} if every else {}),
            })
            for number, case in enumerate(cases)
        ]  # fmt: skip


_LANES = """
select p.id, case when p.version_id is null then coalesce(pr.key, p.subject)
    else coalesce(r.canonical_id, 'record ' || r.id) end as lane
from parked p
left join processes pr on pr.id = p.process_id
left join steps s on s.process_id = p.process_id and s.step = p.step and s.item = p.item
left join record_versions v on v.id = p.version_id
left join source_records r on r.id = v.record_id
where p.replayed_at is null and (%s::bigint[] is null or p.id = any(%s))
    and (%s::text is null or p.signature = %s)
    and (%s::text[] is null or p.subject = any(%s) or pr.key = any(%s))
order by p.version_id is null, coalesce(p.version_id, s.id, p.id), p.id
"""
"""Contents in the order they were told, then steps in the order they came to be, which is the order of their items."""

_ROLES = "select distinct role from parked where id = any(%s) and role is not null"

_RELEASE = """
with chosen as (
    select id from parked where id = any(%s) and replayed_at is null order by id for update
)
update parked set replayed_at = %s, replayed_by = %s from chosen where parked.id = chosen.id returning parked.*
"""

_VERSIONS_AGAIN = """
update record_versions v set state = 'pending', awaited = null, signature = null, reason = null, ready_at = x.at
from jsonb_to_recordset(%s::jsonb) as x(v bigint, at timestamptz) where v.id = x.v and v.state = 'failed'
"""

_STEPS_AGAIN = """
update steps s set state = 'ready', ready_at = x.at, error = null, signature = null, awaited = null
from jsonb_to_recordset(%s::jsonb) as x(p bigint, s text, i text, at timestamptz)
where s.process_id = x.p and s.step = x.s and s.item = x.i and s.state = 'parked'
"""

_PROCESSES_AGAIN = """
update processes set state = 'running' from jsonb_to_recordset(%s::jsonb) as x(p bigint)
where id = x.p and state = 'parked'
"""

_FATES = """
select c.id as case_id,
    case
        when again.id is not null then 'parked'
        when c.snapshot_id is not null then 'arrived'
        when s.state in ('done', 'skipped', 'withdrawn') then 'arrived'
        when v.state in ('translated', 'superseded') and not exists (
            select from process_documents d join steps own on own.process_id = d.process_id
            where d.canonical_id = v.canonical_id and own.state in ('ready', 'running', 'retrying')
        ) then 'arrived'
        else 'open'
    end as state,
    coalesce(again.reason, s.error, v.reason, '') as said
from parked c
left join steps s on s.process_id = c.process_id and s.step = c.step and s.item = c.item
left join record_versions v on v.id = c.version_id
left join lateral (
    select later.id, later.reason from parked later
    where later.id > c.id and later.parked_at >= c.replayed_at and (
        later.version_id = c.version_id
        or (later.process_id = c.process_id and later.step = c.step and later.item = c.item)
        or (later.replayed_at is null and later.process_id in (
            select d.process_id from process_documents d where d.canonical_id = v.canonical_id))
    ) order by later.id desc limit 1
) as again on true
where c.id = any(%s) order by c.id
"""
"""A content has arrived when it is understood and what it set going has come to rest without parking."""
