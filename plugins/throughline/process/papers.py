"""Canonical documents out of the ledger, parsed once per version and kept while they are in use."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from throughline.canonical import DOCUMENTS, CanonicalDocument
from throughline.ledger.entries import CurrentDocument

MASTER_DATA = ("item:", "customer:")
_Paper = tuple[CanonicalDocument, frozenset[str]]


class Papers:
    """A cache of parsed documents; a version never changes, so what was parsed once stays true."""

    def __init__(self, size: int = 20_000) -> None:
        self._parsed: OrderedDict[tuple[int, str], _Paper] = OrderedDict()
        self._size = size

    def parse(self, version_id: int, kind: str, canonical: Mapping[str, Any], digest: str = "") -> CanonicalDocument:
        """The document of one version."""
        return self._paper(version_id, kind, canonical, digest)[0]

    def current(self, entry: CurrentDocument) -> CanonicalDocument:
        """The document an entry stands for."""
        return self._paper(entry.version_id, entry.document, entry.canonical, entry.canonical_hash)[0]

    def master_data_named(self, entries: Iterable[CurrentDocument]) -> set[str]:
        """Canonical ids of the items and customers these documents name."""
        papers = (self._paper(e.version_id, e.document, e.canonical, e.canonical_hash) for e in entries)
        return {ref for paper in papers for ref in paper[1]}

    def _paper(self, version_id: int, kind: str, canonical: Mapping[str, Any], digest: str) -> _Paper:
        place = (version_id, digest)
        found = self._parsed.get(place)
        if found is None:
            document = DOCUMENTS[kind].model_validate(canonical)
            found = (document, frozenset(ref for ref in document.references() if ref.startswith(MASTER_DATA)))
            self._parsed[place] = found
            if len(self._parsed) > self._size:
                self._parsed.popitem(last=False)
        return found
