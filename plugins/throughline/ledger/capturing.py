"""What a system tells is kept once per content: this decides what is new, what is late, and writes it down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from throughline.ledger.entries import CapturedRecord, Stored
from throughline.ledger.exact_json import content_hash
from throughline.ledger.session import Session, as_rows, batches


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


class Capturing:
    """Takes in records: locks them, compares, and keeps the contents that are new."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def store(self, role: str, captured: Sequence[CapturedRecord], *, run_id: str | None = None) -> list[Stored]:
        """Keep what a system told us; what was known already (by content) is not kept twice. Answers in order."""
        stored: list[Stored] = []
        for portion in batches(captured):
            stored += self._store(role, portion, run_id)
        if any(entry.new and entry.current for entry in stored):
            self._session.news.add("versions")
        return stored

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
        latest = {key: state.changed_at for key, state in newest.items()}
        late = []
        for entry in told:
            key, moment = (entry.record.document, entry.record.their_id), entry.record.changed_at
            known = latest[key]
            if moment is not None and known is not None and moment < known:
                late.append({"r": newest[key].record_id, "h": entry.hash})
            elif moment is not None:
                latest[key] = moment
        return {(row[0], row[1]) for row in self._session.rows(_LATE_KNOWN, as_rows(late))} if late else set()

    def _insert_versions(
        self, role: str, rows: list[dict[str, Any]], run_id: str | None, touched: list[_Newest]
    ) -> None:
        if rows:
            self._session.run(_INSERT_VERSIONS, as_rows(rows), role, self._session.now, run_id, self._session.now)
        if touched:
            self._session.run(_UPDATE_RECORDS, as_rows(_newest_row(state) for state in touched))


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
