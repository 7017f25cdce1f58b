"""The parking lot: work that stops until somebody mends something, grouped by cause, replayed after the mending."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from throughline.ledger.deliveries import Deliveries
from throughline.ledger.entries import AuditEntry
from throughline.ledger.session import Session, as_rows
from throughline.ledger.work_entries import Case, ParkedCase, ParkedGroup


class Parked:
    """Steps and versions that stopped, each with its reason and its error signature."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def park(self, cases: Sequence[Case]) -> None:
        """Stop these steps (and list these versions) until they are replayed; parking twice only renews the reason."""
        rows = as_rows(
            {
                "n": number, "version_id": case.version_id, "process_id": case.process_id, "step": case.step,
                "item": case.item, "role": case.role, "subject": case.subject, "error_kind": case.error_kind,
                "signature": case.signature, "reason": case.reason, "details": case.details,
            }
            for number, case in enumerate(cases)
        )  # fmt: skip
        if any(case.version_id is not None for case in cases):
            self._session.run(_PARK_VERSIONS, self._session.now, rows)
        if any(case.process_id is not None for case in cases):
            self._session.run(_PARK_STEPS, self._session.now, rows)
            self._session.run(_STOP_STEPS, rows)

    def open(
        self, *, signature: str | None = None, role: str | None = None, subject: str | None = None, limit: int = 500
    ) -> list[ParkedCase]:
        """What is parked now, oldest first."""
        return self._session.entries(
            ParkedCase, _OPEN, signature, signature, role, role, subject, subject, limit
        )  # fmt: skip

    def by_signature(self) -> list[ParkedGroup]:
        """What is parked now, one line per cause, the most frequent first."""
        return self._session.entries(ParkedGroup, _BY_SIGNATURE)

    def replay(
        self, *, ids: Iterable[int] | None = None, signature: str | None = None,
        keys: Iterable[str] | None = None, by: str, arrived: bool | None = None,
    ) -> list[ParkedCase]:  # fmt: skip
        """Let parked work go on (named by case, by cause, or by subject or process key); once only, and audited.

        Where a write may or may not have arrived and only a person can tell: `arrived` says so. Without that word such
        a write is not sent again, and parks once more.
        """
        chosen = (None if ids is None else list(ids), signature, None if keys is None else list(keys))
        if chosen == (None, None, None):
            return []
        cases = self._session.entries(
            ParkedCase, _REPLAY, chosen[0], chosen[0], signature, signature, chosen[2], chosen[2], chosen[2],
            self._session.now, by,
        )  # fmt: skip
        if arrived is not None:
            places = [(case.process_id, case.step, case.item) for case in cases if case.process_id is not None]
            Deliveries(self._session).decided(places, arrived=arrived)
        self._resume(cases)
        told = {} if arrived is None else {"arrived": arrived}
        self._session.audited += [
            AuditEntry(
                by, "replay", case.subject, case.process_id, {"case": case.id, "signature": case.signature, **told}
            )
            for case in cases
        ]
        return cases

    def _resume(self, cases: Sequence[ParkedCase]) -> None:
        versions = [case.version_id for case in cases if case.version_id is not None]
        if versions and self._session.run(_VERSIONS_AGAIN, versions):
            self._session.news.add("versions")
        steps = as_rows(
            {"p": case.process_id, "s": case.step, "i": case.item} for case in cases if case.process_id is not None
        )
        if self._session.run(_STEPS_AGAIN, self._session.now, steps):
            self._session.news.add("work")
        self._session.run(_PROCESSES_AGAIN, steps)


_PARK_VERSIONS = """
insert into parked (version_id, role, subject, error_kind, signature, reason, details, parked_at)
select distinct on (version_id) version_id, role, subject, error_kind, signature, reason, details, %s::timestamptz
from jsonb_to_recordset(%s::jsonb) as x(n int, version_id bigint, role text, subject text, error_kind text,
    signature text, reason text, details jsonb)
where version_id is not null order by version_id, n desc
on conflict (version_id) where replayed_at is null and version_id is not null
do update set error_kind = excluded.error_kind, signature = excluded.signature, reason = excluded.reason,
    details = excluded.details
"""

_PARK_STEPS = """
insert into parked (process_id, step, item, role, subject, error_kind, signature, reason, details, parked_at)
select distinct on (process_id, step, item)
    process_id, step, item, role, subject, error_kind, signature, reason, details, %s::timestamptz
from jsonb_to_recordset(%s::jsonb) as x(n int, process_id bigint, step text, item text, role text, subject text,
    error_kind text, signature text, reason text, details jsonb)
where process_id is not null order by process_id, step, item, n desc
on conflict (process_id, step, item) where replayed_at is null and process_id is not null
do update set error_kind = excluded.error_kind, signature = excluded.signature, reason = excluded.reason,
    details = excluded.details
"""

_STOP_STEPS = """
update steps s set state = 'parked', error = x.reason, signature = x.signature, finished_at = null
from jsonb_to_recordset(%s::jsonb) as x(process_id bigint, step text, item text, reason text, signature text)
where s.process_id = x.process_id and s.step = x.step and s.item = x.item
"""

_OPEN = """
select * from parked
where replayed_at is null and (%s::text is null or signature = %s) and (%s::text is null or role = %s)
    and (%s::text is null or subject = %s)
order by id limit %s
"""

_BY_SIGNATURE = """
select signature, error_kind, min(role) as role, count(*) as count, min(parked_at) as oldest,
    (array_agg(reason order by id))[1] as reason
from parked where replayed_at is null group by signature, error_kind order by count(*) desc, signature
"""

_REPLAY = """
with chosen as (
    select p.id from parked p
    where p.replayed_at is null and (%s::bigint[] is null or p.id = any(%s))
        and (%s::text is null or p.signature = %s)
        and (%s::text[] is null or p.subject = any(%s)
             or p.process_id in (select id from processes where key = any(%s)))
    order by p.id for update
)
update parked set replayed_at = %s, replayed_by = %s from chosen where parked.id = chosen.id returning parked.*
"""

_VERSIONS_AGAIN = """
update record_versions set state = 'pending', awaited = null, signature = null, reason = null
where id = any(%s) and state = 'failed'
"""

_STEPS_AGAIN = """
update steps s set state = 'ready', ready_at = %s, error = null, signature = null, awaited = null
from jsonb_to_recordset(%s::jsonb) as x(p bigint, s text, i text)
where s.process_id = x.p and s.step = x.s and s.item = x.i and s.state = 'parked'
"""

_PROCESSES_AGAIN = """
update processes set state = 'running' from jsonb_to_recordset(%s::jsonb) as x(p bigint)
where id = x.p and state = 'parked'
"""
