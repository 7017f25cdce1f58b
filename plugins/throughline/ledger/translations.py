"""What became of each content a system told us: translated, waiting for somebody else's news, or failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from throughline.ledger.entries import Failure, PendingVersion, PutOff, Translated, Translation, Waiting
from throughline.ledger.exact_json import content_hash
from throughline.ledger.parked import Parked
from throughline.ledger.session import Session, as_rows, batches
from throughline.ledger.work_entries import Case


@dataclass
class _Known:
    """What a record said in canonical words before this translation."""

    version_id: int | None
    hash: str | None
    deleted: bool
    canonical: Mapping[str, Any] | None = None
    """what it said in this batch: the record itself is written once, with its last words"""


class Translations:
    """The way of every content from what was told to what it means."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def pending(self, role: str | None = None, limit: int = 1000) -> list[PendingVersion]:
        """Contents not yet translated, oldest first; kept from other translators until this transaction ends."""
        self._session.run(_COME_DUE, self._session.now, limit)
        return self._session.entries(PendingVersion, _PENDING, role, role, limit)

    def has_pending(self, role: str | None = None) -> bool:
        """Whether anything waits to be translated (cheap enough to ask all the time)."""
        return bool(self._session.value(_HAS_PENDING, role, role, self._session.now, role, role))

    def translated(self, translations: Sequence[Translation]) -> list[Translated]:
        """Keep canonical documents and say which of them are news, in the order the versions were told."""
        answers: list[Translated] = []
        for portion in batches(sorted(translations, key=lambda entry: entry.version_id)):
            answers += self._translated(portion)
        return answers

    def waiting(self, waits: Sequence[Waiting]) -> None:
        """Put contents aside that name something unknown; registering it wakes them."""
        rows = as_rows({"id": w.version_id, "a": w.awaited, "r": w.reason, "s": w.signature} for w in waits)
        self._session.run(_WAIT, rows)
        self._session.names.update(wait.awaited for wait in waits if not wait.registered)

    def put_off(self, version_ids: Sequence[int], until: datetime, reason: str, signature: str) -> None:
        """Let contents wait that a person's mending elsewhere makes readable; they are tried again by themselves."""
        self._session.run(_PUT_OFF, until, reason, signature, list(version_ids))

    def put_off_now(self) -> list[PutOff]:
        """What waits for such a mending, by system, kind of document and cause, the oldest first."""
        return self._session.entries(PutOff, _PUT_OFF_NOW)

    def retry_now(self, signature: str | None = None) -> int:
        """Somebody mended something: what waits for that (or for this cause) may be read again at once."""
        count = self._session.run(_RETRY_NOW, self._session.now, signature, signature)
        if count:
            self._session.news.add("versions")
        return count

    def failed(self, failures: Sequence[Failure]) -> None:
        """Put contents aside that somebody must mend, and list them as parked."""
        rows = as_rows({"id": f.version_id, "r": f.reason, "s": f.signature} for f in failures)
        subjects = {row[0]: row[1:] for row in self._session.rows(_FAIL, rows)}
        cases = [
            Case(
                subject=subjects[failure.version_id][1], role=subjects[failure.version_id][0],
                error_kind=failure.error_kind, signature=failure.signature, reason=failure.reason,
                version_id=failure.version_id, details=failure.details,
            )
            for failure in failures if failure.version_id in subjects
        ]  # fmt: skip
        Parked(self._session).park(cases)

    def _translated(self, portion: Sequence[Translation]) -> list[Translated]:
        locked = self._session.rows(_LOCK, [entry.version_id for entry in portion])
        by_version = {row[0]: row[1:] for row in locked}
        known: dict[int, _Known] = {}
        answers: list[Translated] = []
        rows: dict[int, dict[str, Any]] = {}
        for entry in portion:
            record_id, role, document, deleted, *before = by_version[entry.version_id]
            state = known.setdefault(record_id, _Known(*before))
            digest = state.hash if entry.canonical is None else content_hash(entry.canonical)
            current = state.version_id is None or entry.version_id >= state.version_id
            changed = current and (digest, deleted) != (state.hash, state.deleted)
            answers.append(
                Translated(
                    entry.version_id, record_id, role, document, entry.canonical_id, changed, current, state.version_id
                )
            )
            stands = entry.canonical if entry.canonical is not None else state.canonical
            rows[entry.version_id] = {**_row(entry, record_id, digest, deleted), "news": changed, "stands": stands}
            if current:
                known[record_id] = _Known(entry.version_id, digest, deleted, stands)
        newest = {state.version_id for state in known.values()}
        for version_id, row in rows.items():
            row["newest"] = version_id in newest
        self._session.run(_TRANSLATED, as_rows(rows.values()), self._session.now, self._session.now)
        self._session.run(_OVERTAKE, list(newest), self._session.now)
        return answers


def _row(entry: Translation, record_id: int, digest: str | None, deleted: bool) -> dict[str, Any]:
    return {
        "id": entry.version_id, "record_id": record_id, "canonical_id": entry.canonical_id, "hash": digest,
        "canonical": entry.canonical, "mapping_version": entry.mapping_version, "deleted": deleted,
    }  # fmt: skip


_PENDING = """
select v.id as version_id, v.record_id, v.role, v.document, r.their_id, r.number, v.revision, v.changed_at,
    v.captured_at, v.deleted, p.body as raw
from record_versions v
join source_records r on r.id = v.record_id
join payloads p on p.version_id = v.id and p.captured_at = v.captured_at and p.part = 'raw'
where v.state = 'pending' and v.ready_at is null and (%s::text is null or v.role = %s)
order by v.role, v.id limit %s for update of v skip locked
"""

_HAS_PENDING = """
select (
    select true from record_versions where state = 'pending' and ready_at is null and (%s::text is null or role = %s)
    order by role, id limit 1
) or (
    select true from record_versions where state = 'pending' and ready_at <= %s and (%s::text is null or role = %s)
    order by ready_at limit 1
)
"""

_COME_DUE = """
update record_versions set ready_at = null where id in (
    select id from record_versions where state = 'pending' and ready_at <= %s
    order by ready_at limit %s for update skip locked
)
"""

_PUT_OFF = """
update record_versions set ready_at = %s, reason = %s, signature = %s where id = any(%s) and state = 'pending'
"""

_PUT_OFF_NOW = """
select role, document, signature, min(reason) as reason, count(*) as count, min(captured_at) as oldest,
    min(ready_at) as again
from record_versions where state = 'pending' and ready_at is not null and signature is not null
group by role, document, signature order by oldest
"""

_RETRY_NOW = """
update record_versions set ready_at = %s
where state = 'pending' and ready_at is not null and signature like 'Misconfigured%%'
    and (%s::text is null or signature = %s)
"""

_LOCK = """
select v.id, v.record_id, v.role, v.document, v.deleted, r.canonical_version_id, r.canonical_hash, r.canonical_deleted
from record_versions v join source_records r on r.id = v.record_id
where v.id = any(%s) order by r.id, v.id for update of r
"""

_TRANSLATED = """
with told as (
    select * from jsonb_to_recordset(%s::jsonb) as x(id bigint, record_id bigint, canonical_id text, hash text,
        canonical jsonb, stands jsonb, mapping_version text, deleted boolean, newest boolean, news boolean)
), versions as (
    update record_versions v
    set state = 'translated', canonical_id = t.canonical_id, canonical_hash = t.hash,
        mapping_version = t.mapping_version, translated_at = %s, news = t.news,
        awaited = null, signature = null, reason = null
    from told t where v.id = t.id
    returning v.id, v.captured_at
), contents as (
    insert into payloads (version_id, part, captured_at, body)
    select t.id, 'canonical', v.captured_at, t.canonical from told t join versions v on v.id = t.id
    where t.canonical is not null
    on conflict (version_id, part, captured_at) do update set body = excluded.body
)
update source_records r
set canonical_id = t.canonical_id, canonical = coalesce(t.stands, r.canonical),
    canonical_hash = t.hash, canonical_version_id = t.id, canonical_deleted = t.deleted, translated_at = %s
from told t where t.newest and r.id = t.record_id
"""

_OVERTAKE = """
with overtaken as (
    update record_versions old set state = 'superseded', awaited = null
    from record_versions newest
    where newest.id = any(%s) and old.record_id = newest.record_id and old.id < newest.id
        and old.state in ('failed', 'waiting')
    returning old.id
)
update parked set replayed_at = %s, replayed_by = 'a newer version' from overtaken
where parked.version_id = overtaken.id and parked.replayed_at is null
"""

_WAIT = """
update record_versions v
set state = 'waiting', awaited = x.a, reason = x.r, signature = x.s
from jsonb_to_recordset(%s::jsonb) as x(id bigint, a text, r text, s text)
where v.id = x.id and v.state in ('pending', 'waiting', 'failed')
"""

_FAIL = """
update record_versions v
set state = 'failed', awaited = null, reason = x.r, signature = x.s
from jsonb_to_recordset(%s::jsonb) as x(id bigint, r text, s text), source_records r
where v.id = x.id and r.id = v.record_id and v.state in ('pending', 'waiting', 'failed')
returning v.id, v.role, coalesce(r.canonical_id, r.document || ' ' || coalesce(r.number, r.their_id))
"""
