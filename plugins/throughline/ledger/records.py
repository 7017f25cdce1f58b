"""Documents as systems tell them: stored once per content, with every content they ever had."""

from __future__ import annotations

from collections.abc import Iterable

from throughline.ledger.entries import Content, CurrentDocument, Version
from throughline.ledger.minting import Minting
from throughline.ledger.session import as_rows


class Records(Minting):
    """Every record of every system, its contents, and the canonical document it is now."""

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

    def told(self, number: str) -> list[Version]:
        """What was told under this number or id and is not understood (yet): waiting for a name, or parked."""
        return self._session.entries(Version, _TOLD, number, number)

    def contents(self, version_ids: Iterable[int]) -> list[Content]:
        """What was told in these versions, raw and canonical (None when its month was dropped)."""
        return self._session.entries(Content, _CONTENTS, list(version_ids))


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

_VERSION = """
select v.id as version_id, v.record_id, v.role, v.document, r.their_id, v.revision, v.changed_at, v.captured_at,
    v.deleted, v.run_id, v.content_hash, v.state, v.awaited, v.reason, v.canonical_id, v.mapping_version, v.news,
    v.id is not distinct from r.canonical_version_id as current
from source_records r join record_versions v on v.record_id = r.id
"""
_VERSIONS = f"{_VERSION} where r.canonical_id = any(%s) order by v.id"
_TOLD = f"""{_VERSION}
where (r.number = %s or r.their_id = %s) and v.state in ('pending', 'waiting', 'failed') order by v.id
"""

_CONTENTS = """
select v.id as version_id, v.role, v.document, v.revision, v.canonical_id, raw.body as raw, own.body as canonical
from record_versions v
left join payloads raw on raw.version_id = v.id and raw.captured_at = v.captured_at and raw.part = 'raw'
left join payloads own on own.version_id = v.id and own.captured_at = v.captured_at and own.part = 'canonical'
where v.id = any(%s) order by v.id
"""
