"""The documents a match looks at: each once, by kind and canonical id, whatever order they arrived in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from throughline.canonical import LATTICES, CanonicalDocument, PurchaseOrder, reference
from throughline.rules.dossier import Linked
from throughline.rules.matching.reasons import Reason, reason
from throughline.rules.matching.soundness import owners_of, unsound

OWNERS: Mapping[str, str] = {
    "supplier": "erp", "item": "erp", "purchase_requisition": "oa", "purchase_order": "erp",
    "supplier_confirmation": "srm", "purchase_receipt": "wms", "inspection": "wms", "purchase_invoice": "finance",
    "payment_request": "hub", "payment": "finance", "match_release": "hub", "exchange_rate": "finance",
}  # fmt: skip
"""Who owns a kind of document when it comes without a canonical id."""

D = TypeVar("D", bound=CanonicalDocument)


@dataclass
class Papers:
    """The sound documents by kind and canonical id, and what is wrong with the others."""

    kinds: dict[str, dict[str, list[CanonicalDocument]]] = field(default_factory=lambda: defaultdict(dict))
    problems: dict[str, list[Reason]] = field(default_factory=dict)
    unsound: dict[str, list[CanonicalDocument]] = field(default_factory=dict)

    def all(self, model: type[D]) -> Iterable[tuple[str, D]]:
        """Every sound document of a kind, in the order of their ids."""
        return ((ref, cast("D", found[-1])) for ref, found in self.kinds[model.kind].items())

    def get(self, ref: str, model: type[D]) -> D | None:
        """One sound document."""
        found = self.kinds[model.kind].get(ref)
        return cast("D", found[-1]) if found else None

    def versions(self, ref: str) -> list[PurchaseOrder]:
        """Every version of an order, the first one first."""
        return cast("list[PurchaseOrder]", self.kinds["purchase_order"].get(ref, []))


def sorted_papers(documents: Iterable[CanonicalDocument | Linked]) -> Papers:
    """Lay the documents out so that nothing depends on the order in which they came."""
    piles: dict[str, list[CanonicalDocument]] = defaultdict(list)
    for entry in documents:
        ref, document = _named(entry)
        if document.kind in OWNERS and document not in piles[ref]:
            piles[ref].append(document)
    papers = Papers()
    for ref in sorted(piles):
        _lay(ref, piles[ref], papers)
    return papers


def _named(entry: CanonicalDocument | Linked) -> tuple[str, CanonicalDocument]:
    if isinstance(entry, Linked):
        return entry.canonical_id, entry.document
    owner = OWNERS.get(entry.kind, "hub")
    return reference(entry.kind, owner, entry.number), entry


def _lay(ref: str, pile: list[CanonicalDocument], papers: Papers) -> None:
    found, problems = _one_each(ref, pile)
    for document in found:
        problems += unsound(ref, document)
    if problems:
        papers.problems[ref] = problems
        papers.unsound[ref] = found
    elif found:
        papers.kinds[found[0].kind][ref] = found


def _one_each(ref: str, pile: list[CanonicalDocument]) -> tuple[list[CanonicalDocument], list[Reason]]:
    if len(pile) == 1:
        return pile, []
    versions: dict[Any, list[CanonicalDocument]] = defaultdict(list)
    for document in sorted(pile, key=lambda one: one.model_dump_json()):
        versions[getattr(document, "version", None)].append(document)
    kept, problems = [], []
    for version in sorted(versions, key=lambda known: known or 0):
        first, *others = versions[version]
        for other in others:
            fields = _differences(first, other)
            if fields != ["status"]:
                problems.append(_contradiction(ref, first.kind, fields))
            first = _further(first, other)
        kept.append(first)
    return kept, problems


def _differences(one: CanonicalDocument, other: CanonicalDocument) -> list[str]:
    return [name for name in type(one).model_fields if getattr(one, name) != getattr(other, name)]


def _further(one: CanonicalDocument, other: CanonicalDocument) -> CanonicalDocument:
    lattice = LATTICES.get(one.kind)
    if lattice is None or not (lattice.knows(one.status) and lattice.knows(other.status)):
        return max(one, other, key=lambda document: document.status)
    ahead, back = lattice.moves(one.status, other.status), lattice.moves(other.status, one.status)
    if ahead != back:
        return other if ahead else one
    return max(one, other, key=lambda document: document.status)


def _contradiction(ref: str, kind: str, fields: list[str]) -> Reason:
    return owners_of(kind, reason("document_contradicts", ref, document=ref, fields=", ".join(sorted(fields))))
