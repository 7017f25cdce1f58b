"""Documents as systems tell them: stored once per content, with every content they ever had."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from throughline.ledger.entries import CapturedRecord, Content, CurrentDocument, Minted, Stored, Translation, Version
from throughline.ledger.exact_json import content_hash
from throughline.ledger.session import as_rows, batches
from throughline.ledger.translations import Translations


@dataclass
class _Newest:
    """A record's newest content while one call is being worked through."""

    record_id: int
    version_id: int | None
    content_hash: str | None
    changed_at: datetime | None
    deleted: bool
    number: str | None
    touched: bool = False


@dataclass(frozen=True)
class _Told:
    record: CapturedRecord
    hash: str


class Records(Translations):
    """Every record of every system, its contents, and the canonical document it is now."""

    def store(self, role: str, captured: Sequence[CapturedRecord], *, run_id: str | None = None) -> list[Stored]:
        """Keep what a system told us; what was known already (by content) is not kept twice. Answers in order."""
        stored: list[Stored] = []
        for portion in batches(captured):
            stored += self._store(role, portion, run_id)
        if any(entry.new and entry.current for entry in stored):
            self._session.news.add("versions")
        return stored

    def mint(self, minted: Sequence[Minted]) -> None:
        """Keep documents the hub itself made, already in canonical words; the same content again changes nothing."""
        told = [_HubRecord(entry.document, entry.canonical_id, entry.canonical, entry.number) for entry in minted]
        stored = self._store("hub", told, None) if told else []
        self.translated(
            [
                Translation(row.version_id, entry.canonical_id, entry.canonical)
                for row, entry in zip(stored, minted, strict=True)
                if row.new
            ]
        )

    def known(self, role: str, document: str, pairs: Iterable[tuple[str, str]]) -> set[str]:
        """Which of these (their id, content hash) we have just like that already."""
        rows = as_rows({"t": their_id, "h": digest} for their_id, digest in pairs)
        return {row[0] for row in self._session.rows(_KNOWN, rows, role, document)}

    def current(self, canonical_ids: Iterable[str], role: str | None = None) -> list[CurrentDocument]:
        """The newest canonical form of these documents, one per system that tells of them (or of one system)."""
        return self._session.entries(CurrentDocument, CURRENT, list(canonical_ids), role, role)

    def versions(self, canonical_ids: Iterable[str]) -> list[Version]:
        """Every content these documents ever had, in every system, oldest first."""
        return self._session.entries(Version, _VERSIONS, list(canonical_ids))

    def contents(self, version_ids: Iterable[int]) -> list[Content]:
        """What was told in these versions, raw and canonical (None when its month was dropped)."""
        return self._session.entries(Content, _CONTENTS, list(version_ids))

    def _store(self, role: str, captured: Sequence[CapturedRecord], run_id: str | None) -> list[Stored]:
        newest = self._lock_records(role, captured)
        told = [_Told(record, content_hash(record.raw)) for record in captured]
        late = self._late_known(newest, told)
        ids = self._session.rows(_NEW_IDS, len(told))
        stored: list[Stored] = []
        rows: list[dict[str, Any]] = []
        for entry, (version_id,) in zip(told, ids, strict=True):
            state = newest[entry.record.document, entry.record.their_id]
            answer = _judge(state, entry, version_id, late)
            stored.append(answer)
            if answer.new:
                rows.append(_version_row(answer, entry))
        self._insert_versions(role, rows, run_id, [state for state in newest.values() if state.touched])
        return stored

    def _lock_records(self, role: str, captured: Sequence[CapturedRecord]) -> dict[tuple[str, str], _Newest]:
        keys = {(record.document, record.their_id): record.number for record in captured}
        rows = as_rows({"d": document, "t": their_id, "n": number} for (document, their_id), number in keys.items())
        self._session.run(_INSERT_RECORDS, role, self._session.now, rows)
        return {
            (document, their_id): _Newest(*values)
            for document, their_id, *values in self._session.rows(_LOCK_RECORDS, rows, role)
        }

    def _late_known(self, newest: dict[tuple[str, str], _Newest], told: Sequence[_Told]) -> set[tuple[int, str]]:
        """Contents among these that are older than what we have, and were seen before all the same."""
        late = [
            {"r": state.record_id, "h": entry.hash}
            for entry in told
            if _late(state := newest[entry.record.document, entry.record.their_id], entry)
        ]
        return {(row[0], row[1]) for row in self._session.rows(_LATE_KNOWN, as_rows(late))} if late else set()

    def _insert_versions(
        self, role: str, rows: list[dict[str, Any]], run_id: str | None, touched: list[_Newest]
    ) -> None:
        if rows:
            self._session.run(_INSERT_VERSIONS, as_rows(rows), role, self._session.now, run_id, self._session.now)
        if touched:
            self._session.run(_UPDATE_RECORDS, as_rows(_newest_row(state) for state in touched))


@dataclass(frozen=True)
class _HubRecord:
    document: str
    their_id: str
    raw: Any
    number: str | None
    revision: str = ""
    changed_at: datetime | None = None
    deleted: bool = False


def _late(state: _Newest, entry: _Told) -> bool:
    changed_at = entry.record.changed_at
    return changed_at is not None and state.changed_at is not None and changed_at < state.changed_at


def _judge(state: _Newest, entry: _Told, version_id: int, late: set[tuple[int, str]]) -> Stored:
    """Decide whether a content is new, and whether it is the record's newest."""
    record = entry.record
    same = state.content_hash == entry.hash and state.deleted == record.deleted
    if _late(state, entry):
        seen = same or (state.record_id, entry.hash) in late
        late.add((state.record_id, entry.hash))
        known_as = state.version_id or version_id
        return Stored(
            state.record_id, known_as if seen else version_id, record.document, record.their_id, not seen, False
        )
    if record.changed_at is not None and record.changed_at != state.changed_at:
        state.changed_at, state.touched = record.changed_at, True
    if not same:
        state.version_id, state.content_hash, state.deleted = version_id, entry.hash, record.deleted
        state.number, state.touched = record.number or state.number, True
    assert state.version_id is not None  # noqa: S101 - a record without a version has no hash, so it was not the same
    return Stored(state.record_id, state.version_id, record.document, record.their_id, not same, True)


def _version_row(stored: Stored, entry: _Told) -> dict[str, Any]:
    record = entry.record
    return {
        "id": stored.version_id, "record_id": stored.record_id, "document": record.document, "hash": entry.hash,
        "revision": record.revision, "changed_at": record.changed_at, "deleted": record.deleted, "raw": record.raw,
        "state": "pending" if stored.current else "superseded",
    }  # fmt: skip


def _newest_row(state: _Newest) -> dict[str, Any]:
    return {
        "id": state.record_id, "version_id": state.version_id, "hash": state.content_hash, "number": state.number,
        "changed_at": state.changed_at, "deleted": state.deleted,
    }  # fmt: skip


_NEW_IDS = "select nextval('record_versions_id_seq') from generate_series(1, %s) order by 1"

_INSERT_RECORDS = """
insert into source_records (role, document, their_id, number, first_seen_at)
select %s, d, t, n, %s from jsonb_to_recordset(%s::jsonb) as x(d text, t text, n text) order by d, t
on conflict do nothing
"""

_LOCK_RECORDS = """
select r.document, r.their_id, r.id, r.version_id, r.content_hash, r.changed_at, r.deleted, r.number
from source_records r join jsonb_to_recordset(%s::jsonb) as x(d text, t text) on r.document = x.d and r.their_id = x.t
where r.role = %s order by r.id for update of r
"""

_LATE_KNOWN = """
select v.record_id, v.content_hash from record_versions v
join jsonb_to_recordset(%s::jsonb) as x(r bigint, h text) on v.record_id = x.r and v.content_hash = x.h
"""

_INSERT_VERSIONS = """
with told as (
    select * from jsonb_to_recordset(%s::jsonb) as x(id bigint, record_id bigint, document text, hash text,
        revision text, changed_at timestamptz, deleted boolean, raw jsonb, state text)
), versions as (
    insert into record_versions
        (id, record_id, role, document, revision, changed_at, captured_at, deleted, run_id, content_hash, state)
    select id, record_id, %s, document, revision, changed_at, %s, deleted, %s, hash, state from told
)
insert into payloads (version_id, part, captured_at, body) select id, 'raw', %s, raw from told
"""

_UPDATE_RECORDS = """
update source_records r
set version_id = x.version_id, content_hash = x.hash, number = x.number, changed_at = x.changed_at, deleted = x.deleted
from jsonb_to_recordset(%s::jsonb)
    as x(id bigint, version_id bigint, hash text, number text, changed_at timestamptz, deleted boolean)
where r.id = x.id
"""

_KNOWN = """
select r.their_id from source_records r
join jsonb_to_recordset(%s::jsonb) as x(t text, h text) on r.their_id = x.t and r.content_hash = x.h
where r.role = %s and r.document = %s
"""

CURRENT = """
select distinct on (canonical_id, role) canonical_id, role, document, their_id, number,
    canonical_version_id as version_id, canonical, canonical_hash, changed_at, translated_at,
    canonical_deleted as deleted
from source_records
where canonical_id = any(%s) and canonical is not null and (%s::text is null or role = %s)
order by canonical_id, role, canonical_deleted, canonical_version_id desc
"""

_VERSIONS = """
select v.id as version_id, v.record_id, v.role, v.document, r.their_id, v.revision, v.changed_at, v.captured_at,
    v.deleted, v.run_id, v.content_hash, v.state, v.awaited, v.reason, v.canonical_id, v.mapping_version,
    v.id is not distinct from r.canonical_version_id as current
from source_records r join record_versions v on v.record_id = r.id
where r.canonical_id = any(%s) order by v.id
"""

_CONTENTS = """
select v.id as version_id, v.role, v.document, v.revision, v.canonical_id, raw.body as raw, own.body as canonical
from record_versions v
left join payloads raw on raw.version_id = v.id and raw.captured_at = v.captured_at and raw.part = 'raw'
left join payloads own on own.version_id = v.id and own.captured_at = v.captured_at and own.part = 'canonical'
where v.id = any(%s) order by v.id
"""
