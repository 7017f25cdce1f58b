"""Documents the hub makes itself: what they say is canonical from the beginning, so nobody has to translate them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from throughline.ledger.capturing import Capturing
from throughline.ledger.entries import Minted, Translation
from throughline.ledger.exact_json import content_hash
from throughline.ledger.session import as_rows, batches
from throughline.ledger.translations import Translations


@dataclass(frozen=True)
class _HubRecord:
    """A document of our own, told as a system would."""

    document: str
    their_id: str
    raw: Any
    number: str | None
    revision: str = ""
    changed_at: datetime | None = None
    deleted: bool = False


class Minting(Capturing, Translations):
    """Keeps what the hub made."""

    def mint(self, minted: Sequence[Minted]) -> None:
        """Keep documents the hub itself made, already in canonical words; the same content again changes nothing."""
        for portion in batches(list({entry.canonical_id: entry for entry in minted}.values())):
            told = {(entry.document, entry.canonical_id): entry for entry in portion}
            newest = self._lock_records("hub", [_as_told(entry) for entry in portion])
            first = {newest[place].record_id: told[place] for place in told if newest[place].version_id is None}
            if first:
                rows = as_rows(_first_row(record_id, entry) for record_id, entry in first.items())
                self._session.run(_MADE, rows, self._session.now, self._session.now, self._session.now)
            known = [told[place] for place in told if newest[place].version_id is not None]
            if known:
                self._made_again(known)

    def _made_again(self, minted: Sequence[Minted]) -> None:
        stored = self.store("hub", [_as_told(entry) for entry in minted])
        self.translated([
            Translation(row.version_id, entry.canonical_id, entry.canonical)
            for row, entry in zip(stored, minted, strict=True)
            if row.new
        ])  # fmt: skip


def _as_told(entry: Minted) -> _HubRecord:
    return _HubRecord(entry.document, entry.canonical_id, entry.canonical, entry.number)


def _first_row(record_id: int, entry: Minted) -> dict[str, Any]:
    return {
        "record_id": record_id, "document": entry.document, "canonical_id": entry.canonical_id,
        "number": entry.number, "hash": content_hash(entry.canonical), "canonical": entry.canonical,
    }  # fmt: skip


_MADE = """
with made as (
    select * from jsonb_to_recordset(%s::jsonb) as x(record_id bigint, document text, canonical_id text, number text,
        hash text, canonical jsonb)
), versions as (
    insert into record_versions (record_id, role, document, revision, captured_at, deleted, content_hash, state,
        canonical_id, canonical_hash, mapping_version, translated_at, news)
    select record_id, 'hub', document, '', %s, false, hash, 'translated', canonical_id, hash, '', %s, true from made
    order by record_id
    returning id, record_id, captured_at, translated_at
), contents as (
    insert into payloads (version_id, part, captured_at, body)
    select v.id, p.part, v.captured_at, m.canonical
    from versions v join made m on m.record_id = v.record_id, (values ('raw'), ('canonical')) as p(part)
)
update source_records r
set version_id = v.id, content_hash = m.hash, number = coalesce(m.number, r.number), deleted = false,
    canonical_id = m.canonical_id, canonical = m.canonical, canonical_hash = m.hash, canonical_version_id = v.id,
    canonical_deleted = false, translated_at = %s
from made m join versions v on v.record_id = m.record_id where r.id = m.record_id
"""
