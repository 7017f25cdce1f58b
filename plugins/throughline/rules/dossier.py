"""Everything a rule may look at about one process: its documents, what was carried where, what was decided before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from throughline.canonical import CanonicalDocument

D = TypeVar("D", bound=CanonicalDocument)


@dataclass(frozen=True)
class Linked:
    """A document that belongs to the process, as one system tells it (`role` is `hub` for those we derived)."""

    canonical_id: str
    role: str
    document: CanonicalDocument


@dataclass(frozen=True)
class Act:
    """A document and what to do with it, for a step that may carry out several operations."""

    operation: str
    document: CanonicalDocument


@dataclass(frozen=True)
class Dossier:
    """The papers of one process, as a rule sees them."""

    key: str
    """canonical id of the subject"""
    item_id: str = ""
    """canonical id of the item the rule is asked about, when there is one"""
    linked: tuple[Linked, ...] = ()
    referenced: Mapping[str, CanonicalDocument] = field(default_factory=dict)
    """master data the documents name: items, customers"""
    carried: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    """(system, kind of document) -> canonical ids we created there, or are about to"""
    stopped: frozenset[str] = frozenset()
    """canonical ids of what we cancelled or closed somewhere"""
    numbers: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(system, canonical id) -> the number that system gave it"""
    verdicts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """what was decided about the same item, by step"""
    earlier: tuple[Mapping[str, Any], ...] = ()
    """what the same decision said about other items"""
    refusals: Mapping[str, str] = field(default_factory=dict)
    """steps of the same item that a system refused, with its reason"""

    def of(self, model: type[D], role: str | None = None) -> Iterator[tuple[str, D]]:
        """Every linked document of one kind, from one system or from any; each canonical id once."""
        seen: set[str] = set()
        for entry in self.linked:
            if not isinstance(entry.document, model) or (role is not None and entry.role != role):
                continue
            if entry.canonical_id not in seen:
                seen.add(entry.canonical_id)
                yield entry.canonical_id, entry.document

    def get(self, ref: str, model: type[D], role: str | None = None) -> D | None:
        """One document by its canonical id, among the linked ones or the master data."""
        for entry in self.linked:
            if entry.canonical_id == ref and isinstance(entry.document, model) and role in (None, entry.role):
                return entry.document
        found = self.referenced.get(ref)
        return found if isinstance(found, model) else None

    def was_carried(self, system: str, kind: str) -> frozenset[str]:
        """Canonical ids of what the hub created in a system."""
        return self.carried.get((system, kind), frozenset())
