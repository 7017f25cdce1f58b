"""Records that a reading of everything did not find: held for a person, looked for again, or marked as deleted.

Nothing here forgets a document. A deletion is one more version of it, with the content it had last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from throughline.ledger.exact_json import dumps
from throughline.ledger.session import Session
from throughline.ledger.snapshots import WholeReading

ENOUGH = 2
"""Missing in so many complete readings in a row counts as seen to be gone."""
EXAMPLES = 10


@dataclass(frozen=True)
class Comparison:
    """What a reading saw beside what the ledger has: how many live records we know, it read, it did not find."""

    known: int
    read: int
    missing: int
    examples: tuple[str, ...] = ()
    """numbers (or ids) of a few that were not found"""


@dataclass(frozen=True)
class GoneRecord:
    """A record that is marked as deleted now."""

    their_id: str
    number: str | None


class Missing:
    """What is not found any more."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def compare(self, reading: WholeReading) -> Comparison:
        """Set the ledger's live records against what a reading saw. Whatever was stored since it began is left out."""
        where = (reading.id, reading.role, reading.document, reading.mark)
        known = self._session.value(_KNOWN, reading.role, reading.document)
        read = self._session.value(_READ, reading.id)
        missing = self._session.value(_COUNT, *where)
        examples = self._session.rows(_EXAMPLES, *where, EXAMPLES)
        return Comparison(known, read, missing, tuple(row[2] for row in examples))

    def remember(self, reading: WholeReading, *, held: bool) -> None:
        """Write down what was not found, and how often in a row; what was found again is forgotten."""
        where = (reading.id, reading.role, reading.document, reading.mark)
        self._session.run(_FORGET, reading.role, reading.document, *where)
        self._session.run(_REMEMBER, reading.id, held, *where)

    def suspects(self, reading: WholeReading) -> list[str]:
        """Ids of what this reading missed for the first time: to be asked for one by one, where that can be done."""
        return [row[0] for row in self._session.rows(_SUSPECTS, reading.id, ENOUGH)]

    def found(self, reading: WholeReading, their_ids: Sequence[str]) -> None:
        """These are there after all."""
        self._session.run(_FOUND, reading.id, list(their_ids))

    def delete(self, reading: WholeReading, seen_gone: Sequence[str], *, run_id: str | None) -> list[GoneRecord]:
        """Mark as deleted what was asked for and is gone, and what was missed often enough in a row."""
        return self._gone([reading.id], False, ENOUGH, list(seen_gone), run_id)

    def approved(self, snapshot_ids: Sequence[int], by: str) -> list[GoneRecord]:
        """Mark as deleted what was held back for a person, who said yes; what was told of since stays."""
        return self._gone(list(snapshot_ids), True, 0, [], by)

    def hold(self, reading: WholeReading, *, signature: str, reason: str, details: Mapping[str, Any]) -> None:
        """List this reading in the parking lot, one case for each kind of document of a system."""
        subject = f"{reading.role}/{reading.document}"
        self._session.run(
            _HOLD, reading.id, reading.role, subject, signature, reason, dumps(details), self._session.now
        )

    def settle(self, role: str, document: str) -> None:
        """A reading has come out well: an older one that waits for a person needs nobody any more."""
        self._session.run(_SETTLE, self._session.now, f"{role}/{document}")

    def _gone(
        self, snapshot_ids: list[int], held: bool, misses: int, their_ids: list[str], run_id: str | None
    ) -> list[GoneRecord]:
        now = self._session.now
        gone = self._session.entries(GoneRecord, _DELETE, snapshot_ids, held, misses, their_ids, now, run_id, now, now)
        if gone:
            self._session.news.add("versions")
        return gone


_KNOWN = """
select count(*) from source_records where role = %s and document = %s and version_id is not null and not deleted
"""

_READ = "select count(*) from snapshot_keys where snapshot_id = %s"

_MISSING = """
select r.id, r.version_id, coalesce(r.number, r.their_id) as name from source_records r
left join snapshot_keys k on k.their_id = r.their_id and k.snapshot_id = %s
where r.role = %s and r.document = %s and not r.deleted and r.version_id <= %s and k.their_id is null
"""

_COUNT = f"select count(*) from ({_MISSING}) as missing"  # noqa: S608 - our own text
_EXAMPLES = f"{_MISSING} order by r.id limit %s"

_FORGET = f"""
delete from missing_records m using source_records r
where r.id = m.record_id and r.role = %s and r.document = %s
    and not exists (select from ({_MISSING}) as missing where missing.id = m.record_id)
"""  # noqa: S608 - our own text

_REMEMBER = f"""
insert into missing_records as known (record_id, version_id, snapshot_id, held)
select id, version_id, %s, %s from ({_MISSING}) as missing
on conflict (record_id) do update set
    misses = case when known.version_id = excluded.version_id and known.snapshot_id <> excluded.snapshot_id
        then known.misses + 1 else 1 end,
    version_id = excluded.version_id, snapshot_id = excluded.snapshot_id, held = excluded.held
"""  # noqa: S608 - our own text

_SUSPECTS = """
select r.their_id from missing_records m join source_records r on r.id = m.record_id
where m.snapshot_id = %s and m.misses < %s order by r.id
"""

_FOUND = """
delete from missing_records m using source_records r
where r.id = m.record_id and m.snapshot_id = %s and r.their_id = any(%s)
"""

_DELETE = """
with gone as (
    select r.*, nextval('record_versions_id_seq') as gone_id from (
        select r.id, r.role, r.document, r.their_id, r.number, r.version_id, r.content_hash, r.canonical_id
        from missing_records m join source_records r on r.id = m.record_id
        where m.snapshot_id = any(%s) and m.held = %s and (m.misses >= %s or r.their_id = any(%s))
            and not r.deleted and r.version_id = m.version_id
        order by r.id for update of r
    ) as r
), versions as (
    insert into record_versions
        (id, record_id, role, document, revision, captured_at, deleted, run_id, content_hash, state)
    select g.gone_id, g.id, g.role, g.document, v.revision || ' deleted', %s, true, %s, g.content_hash,
        case when g.canonical_id is null then 'superseded' else 'pending' end
    from gone g join record_versions v on v.id = g.version_id
), contents as (
    insert into payloads (version_id, part, captured_at, body)
    select g.gone_id, 'raw', %s, coalesce(p.body, '{}'::jsonb)
    from gone g join record_versions v on v.id = g.version_id
    left join payloads p on p.version_id = v.id and p.captured_at = v.captured_at and p.part = 'raw'
), records as (
    update source_records r set version_id = g.gone_id, deleted = true from gone g where r.id = g.id
), never_understood as (
    update record_versions v set state = 'superseded', awaited = null
    from gone g where v.record_id = g.id and g.canonical_id is null and v.state in ('pending', 'waiting', 'failed')
    returning v.id
), closed as (
    update parked set replayed_at = %s, replayed_by = 'deleted at its source' from never_understood n
    where parked.version_id = n.id and parked.replayed_at is null
), forgotten as (
    delete from missing_records m using gone g where m.record_id = g.id
)
select their_id, number from gone order by id
"""
"""A record that was never understood leaves nothing behind that anybody would have to decide about."""

_HOLD = """
insert into parked (snapshot_id, role, subject, error_kind, signature, reason, details, parked_at)
values (%s, %s, %s, 'MassDelete', %s, %s, %s::jsonb, %s)
on conflict (subject) where replayed_at is null and snapshot_id is not null
do update set snapshot_id = excluded.snapshot_id, reason = excluded.reason, details = excluded.details
"""

_SETTLE = """
update parked set replayed_at = %s, replayed_by = 'a newer snapshot'
where subject = %s and snapshot_id is not null and replayed_at is null
"""
