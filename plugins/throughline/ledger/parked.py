"""The parking lot: work that stops until somebody mends something, grouped by cause, replayed after the mending."""

from __future__ import annotations

from collections.abc import Sequence

from throughline.ledger.replays import Replays
from throughline.ledger.session import as_rows
from throughline.ledger.work_entries import Case, ParkedCase, ParkedGroup


class Parked(Replays):
    """Steps and versions that stopped, each with its reason and its error signature."""

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

    def let_go(self, version_ids: Sequence[int], error_kind: str) -> set[int]:
        """Those of these versions that were parked for this reason, and that a person has let go on."""
        return {row[0] for row in self._session.rows(_LET_GO, list(version_ids), error_kind)}


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
    max(parked_at) as newest, (array_agg(reason order by id))[1] as reason,
    (array_agg(subject order by id))[1:3] as examples
from parked where replayed_at is null group by signature, error_kind order by count(*) desc, signature
"""

_LET_GO = "select version_id from parked where version_id = any(%s) and error_kind = %s and replayed_at is not null"
