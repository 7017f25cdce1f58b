"""Who is who, for the translator: the ledger's identities and items, asked a whole set at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from throughline.canonical import Item
from throughline.ledger import Ledger
from throughline.process.papers import Papers

Pair = tuple[str, str]


class LedgerRegistry:
    """Answers the translator's questions from the ledger, in transactions of its own."""

    def __init__(self, ledger: Ledger, papers: Papers | None = None) -> None:
        self._ledger, self._papers = ledger, papers or Papers()

    def canonical_many(self, role: str, wanted: Collection[Pair]) -> Mapping[Pair, str]:
        """(kind, their id) -> canonical id, for those that are known."""
        with self._ledger.transaction() as books:
            found = books.identities.canonical_of((role, kind, their_id) for kind, their_id in wanted)
        return {(kind, their_id): canonical_id for (_, kind, their_id), canonical_id in found.items()}

    def theirs_many(self, role: str, wanted: Collection[Pair]) -> Mapping[Pair, str]:
        """(kind, canonical id) -> their id in this role, for those that are known."""
        with self._ledger.transaction() as books:
            found = books.identities.theirs_of((role, canonical_id, kind) for kind, canonical_id in wanted)
        return {(kind, canonical_id): their_id for (_, canonical_id, kind), their_id in found.items()}

    def factors_many(self, items: Collection[str]) -> Mapping[str, tuple[str, Mapping[str, Decimal]]]:
        """Item -> its own unit and its factors, from the system that owns the item."""
        with self._ledger.transaction() as books:
            current = books.records.current(items)
        known: dict[str, tuple[str, Mapping[str, Decimal]]] = {}
        for entry in current:
            if entry.role != entry.canonical_id.split(":", 2)[1]:
                continue
            document = self._papers.current(entry)
            if isinstance(document, Item):
                known[entry.canonical_id] = (document.unit, document.factors)
        return known
