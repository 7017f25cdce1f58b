"""Readings of everything a system has of one kind: what each has seen so far, as keys and hashes only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from throughline.errors import Transient
from throughline.ledger.entries import CapturedRecord
from throughline.ledger.exact_json import content_hash, dumps
from throughline.ledger.session import Session, as_rows

STALE = timedelta(hours=6)
"""A reading nobody has gone on with for so long begins again: what it saw first is too old to compare."""


@dataclass(frozen=True)
class WholeReading:
    """One reading of everything; `mark`: it says nothing about versions with a greater number."""

    id: int
    role: str
    document: str
    mark: int
    pages: int
    position: dict[str, Any] | None
    complete: bool
    stored: int
    began_at: datetime


class Snapshots:
    """Readings under way. Each page is taken by one reader only; what a reading saw is dropped when it ends."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def begin(self, role: str, document: str) -> WholeReading:
        """Begin a reading, or go on with one that was interrupted at a page it can be taken up from."""
        found = self._session.entries(WholeReading, _UNDER_WAY, role, document)
        if found and found[0].position is not None and self._is_fresh(found[0].id):
            return found[0]
        for old in found:
            self.end(old, "given_up", {})
        begun = self._session.entries(WholeReading, _BEGIN, role, document, self._session.now, self._session.now)
        if not begun:
            raise Transient(f"another reading of all {document} of {role} begins at this moment", system=role)
        return begun[0]

    def take(
        self, reading: WholeReading, records: Sequence[CapturedRecord], position: Mapping[str, Any] | None, *,
        complete: bool,
    ) -> WholeReading | None:  # fmt: skip
        """Note the keys and hashes of one page; None when another reader has gone on with this reading meanwhile."""
        told = None if position is None else dumps(position)
        moved = self._session.entries(
            WholeReading, _MOVE, told, complete, self._session.now, reading.id, reading.pages
        )  # fmt: skip
        if moved and records:
            self._session.run(_NOTE, reading.id, _keys(records))
        return moved[0] if moved else None

    def different(self, reading: WholeReading, records: Sequence[CapturedRecord]) -> list[CapturedRecord]:
        """Those of these records that the ledger lacks or has otherwise, and that were not stored since it began.

        They stay locked until the transaction ends, so that no newer content can come between.
        """
        rows = _keys(records)
        self._session.run(_LOCK, rows, reading.role, reading.document)
        wanted = {row[0] for row in self._session.rows(_DIFFERENT, rows, reading.role, reading.document, reading.mark)}
        return [record for record in records if record.their_id in wanted]

    def end(self, reading: WholeReading, state: str, counts: Mapping[str, Any]) -> None:
        """Close a reading and drop what it noted."""
        self._session.run(_END, state, self._session.now, dumps(counts), reading.id)
        self._session.run(_DROP, reading.id)

    def newest(self, role: str, document: str) -> dict[str, Any] | None:
        """How the last reading that ended came out: state, when, and its counts."""
        rows = self._session.rows(_NEWEST, role, document)
        return {"state": rows[0][0], "ended_at": rows[0][1], **rows[0][2]} if rows else None

    def _is_fresh(self, snapshot_id: int) -> bool:
        return bool(self._session.value(_FRESH, snapshot_id, self._session.now - STALE))


def _keys(records: Sequence[CapturedRecord]) -> str:
    return as_rows({"t": each.their_id, "h": content_hash(each.raw), "d": each.deleted} for each in records)


_READING = "id, role, document, mark, pages, position, complete, stored, began_at"

_UNDER_WAY = f"select {_READING} from snapshots where role = %s and document = %s and state = 'reading' for update"  # noqa: S608

_FRESH = "select true from snapshots where id = %s and touched_at > %s"

_BEGIN = f"""
insert into snapshots (role, document, state, began_at, touched_at, mark)
values (%s, %s, 'reading', %s, %s, nextval('record_versions_id_seq'))
on conflict (document, role) where state = 'reading' do nothing returning {_READING}
"""  # noqa: S608 - our own text
"""The mark is drawn from the versions' own numbers: no clocks are compared."""

_MOVE = f"""
update snapshots set pages = pages + 1, position = %s::jsonb, complete = complete and %s, touched_at = %s
where id = %s and pages = %s and state = 'reading' returning {_READING}
"""  # noqa: S608 - our own text

_NOTE = """
insert into snapshot_keys (snapshot_id, their_id, content_hash)
select distinct on (t) %s::bigint, t, h from jsonb_to_recordset(%s::jsonb) as x(t text, h text)
on conflict (their_id, snapshot_id) do update set content_hash = excluded.content_hash
"""

_LOCK = """
select r.id from source_records r join jsonb_to_recordset(%s::jsonb) as x(t text) on r.their_id = x.t
where r.role = %s and r.document = %s order by r.id for update of r
"""

_DIFFERENT = """
select x.t from jsonb_to_recordset(%s::jsonb) as x(t text, h text, d boolean)
left join source_records r on r.their_id = x.t and r.role = %s and r.document = %s
where r.version_id is null
    or (r.version_id <= %s and (r.content_hash is distinct from x.h or r.deleted is distinct from x.d))
"""

_END = """
update snapshots set state = %s, ended_at = %s, counts = %s::jsonb where id = %s and state = 'reading'
"""

_DROP = "delete from snapshot_keys where snapshot_id = %s"

_NEWEST = """
select state, ended_at, counts from snapshots where role = %s and document = %s and state <> 'reading'
order by id desc limit 1
"""
