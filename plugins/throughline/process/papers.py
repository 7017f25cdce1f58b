"""Canonical documents out of the ledger, parsed once per version and kept while they are in use."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from throughline.canonical import DOCUMENTS, CanonicalDocument
from throughline.ledger.entries import CurrentDocument

MASTER_DATA = ("item", "customer")


class Papers:
    """A cache of parsed documents; a version never changes, so what was parsed once stays true."""

    def __init__(self, size: int = 20_000) -> None:
        self._parsed: OrderedDict[tuple[int, str], CanonicalDocument] = OrderedDict()
        self._size = size

    def parse(self, version_id: int, kind: str, canonical: Mapping[str, Any], digest: str = "") -> CanonicalDocument:
        """The document of one version."""
        place = (version_id, digest)
        found = self._parsed.get(place)
        if found is None:
            found = DOCUMENTS[kind].model_validate(canonical)
            self._parsed[place] = found
            if len(self._parsed) > self._size:
                self._parsed.popitem(last=False)
        return found

    def current(self, entry: CurrentDocument) -> CanonicalDocument:
        """The document an entry stands for."""
        return self.parse(entry.version_id, entry.document, entry.canonical, entry.canonical_hash)


def master_data_named(documents: Iterable[CanonicalDocument]) -> set[str]:
    """Canonical ids of the items and customers these documents name."""
    named = (ref for document in documents for ref in document.references())
    return {ref for ref in named if ref.partition(":")[0] in MASTER_DATA}
