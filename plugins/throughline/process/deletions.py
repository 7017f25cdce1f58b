"""A document that is gone at its source: nobody's business any more, or a person's.

A deletion says less than a cancellation: somebody tidied up, lost a permission, or really meant it. So what belongs to
a process under way is parked, and the process goes on as it stands until a person has looked. Restored at the source,
the case closes by itself. Let go on (`throughline replay`), the document counts as cancelled (or reversed), and its
process goes the way it goes for every cancellation. What no process waits for is only marked as deleted.
"""

from __future__ import annotations

from collections.abc import Sequence

from throughline.canonical import LATTICES, CanonicalDocument
from throughline.errors import Invalid, ThroughlineError
from throughline.ledger import Books
from throughline.ledger.entries import AuditEntry, PendingVersion
from throughline.process.surroundings import Reading

Read = tuple[PendingVersion, Reading | ThroughlineError]
EXITS = ("cancelled", "reversed")
"""How a document ends that was meant to be and is not, in the words of the lattices."""
UNDER_WAY = frozenset({"running", "parked"})


class Deleted(Invalid):
    """A document of a process under way is gone at its source: a person decides what that means."""


def gone(kind: str, status: object, *, deleted: bool) -> bool:
    """Whether a document counts as not there: deleted, and not (by a person's word) as cancelled."""
    return deleted and not (status in EXITS and status in _exits(kind))


def in_turn(pending: Sequence[PendingVersion]) -> list[PendingVersion]:
    """Without deletions of what is told in this same batch: those come next, when it is known what that has started."""
    earlier: set[int] = set()
    now = []
    for version in sorted(pending, key=lambda each: each.version_id):
        if version.deleted and version.record_id in earlier:
            continue
        earlier.add(version.record_id)
        now.append(version)
    return now


def sort_out(books: Books, read: Sequence[Read], actor: str) -> tuple[list[Read], set[int]]:
    """Deletions that concern a process become a person's case; those a person let go on become cancellations.

    Answers the readings, and the versions that are news although they are deletions.
    """
    deletions = {v.version_id: r.canonical_id for v, r in read if v.deleted and isinstance(r, Reading)}
    if not deletions:
        return list(read), set()
    processes = _under_way(books, set(deletions.values()))
    let_go = books.parked.let_go(list(deletions), Deleted.__name__)
    sorted_out: list[Read] = []
    for version, reading in read:
        if version.version_id in deletions and isinstance(reading, Reading):
            concerned = processes.get(reading.canonical_id)
            sorted_out.append((version, _sorted(version, reading, concerned, agreed=version.version_id in let_go)))
            if concerned is None:
                books.audit.append([AuditEntry(actor, "deleted", reading.canonical_id, None, {"by": version.role})])
        else:
            sorted_out.append((version, reading))
    return sorted_out, let_go


def _sorted(
    version: PendingVersion, reading: Reading, process: str | None, *, agreed: bool
) -> Reading | ThroughlineError:  # fmt: skip
    document = reading.document
    if agreed:
        return Reading(reading.canonical_id, _ended(document), reading.identities)
    if process is None:
        return reading
    return Deleted(
        f"{document.kind} '{document.number}' is gone in {version.role} while '{process}' is under way: restore it"
        f" there, or let it go on here, and it counts as {_ended(document).status}",
        system=version.role, code=document.kind,
    )  # fmt: skip


def _ended(document: CanonicalDocument) -> CanonicalDocument:
    exits = _exits(document.kind)
    ending = next((status for status in EXITS if status in exits), document.status)
    return document.model_copy(update={"status": ending})


def _exits(kind: str) -> frozenset[str]:
    lattice = LATTICES.get(kind)
    return lattice.exits if lattice else frozenset()


def _under_way(books: Books, canonical_ids: set[str]) -> dict[str, str]:
    """By canonical id, the key of a process under way that it belongs to."""
    numbers = books.processes.of(canonical_ids)
    states = books.processes.load({number for several in numbers.values() for number in several})
    keys = {state.process.id: state.process.key for state in states if state.process.state in UNDER_WAY}
    return {
        canonical_id: keys[number]
        for canonical_id, several in numbers.items() for number in sorted(several) if number in keys
    }  # fmt: skip
