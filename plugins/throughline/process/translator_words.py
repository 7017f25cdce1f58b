"""The mapping room's translator in the shape the engine asks for: roles instead of products, sets of documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from throughline.errors import ThroughlineError
from throughline.ledger.entries import Identity
from throughline.mapping import Translator
from throughline.process.surroundings import Reading, Systems, Writing


class TranslatorWords:
    """Speaks every system's words through its product's tables."""

    def __init__(self, translator: Translator, landscape: Systems) -> None:
        self._translator, self._landscape = translator, landscape

    def version(self, role: str, document: str) -> str:
        """The version of the table that reads this kind of document."""
        return self._translator.version(self._product(role), document)

    def read(
        self, role: str, document: str, records: Sequence[Mapping[str, Any]]
    ) -> Sequence[Reading | ThroughlineError]:  # fmt: skip
        """Their records in our words, each with whose ids are whose."""
        product = self._product(role)
        translated = self._translator.read_many(product, role, document, records)
        readings: list[Reading | ThroughlineError] = []
        for raw, result in zip(records, translated, strict=True):
            if isinstance(result, ThroughlineError):
                readings.append(result)
                continue
            identities = self._translator.read_identities(product, role, document, raw)
            names = tuple(Identity(role, i.kind, i.their_id, i.canonical_id, i.number) for i in identities)
            readings.append(Reading(self._translator.canonical_id(result), result, names))
        return readings

    def write(self, role: str, writings: Sequence[Writing]) -> Sequence[Mapping[str, Any] | ThroughlineError]:
        """Our documents in their words; one question to the tables for each kind and operation."""
        product = self._product(role)
        results: list[Mapping[str, Any] | ThroughlineError | None] = [None] * len(writings)
        groups: dict[tuple[str, str], list[int]] = {}
        for place, writing in enumerate(writings):
            groups.setdefault((writing.kind, writing.operation), []).append(place)
        for (kind, operation), places in groups.items():
            documents = [writings[place].document for place in places]
            befores = [writings[place].before for place in places]
            payloads = self._translator.write_many(product, role, kind, documents, operation=operation, befores=befores)
            for place, payload in zip(places, payloads, strict=True):
                results[place] = payload
        return [result for result in results if result is not None]

    def _product(self, role: str) -> str:
        return self._landscape.systems[role].product
