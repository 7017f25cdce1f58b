"""Whether a document has come as far as somebody waits for: reached, not yet, or never."""

from __future__ import annotations

from enum import StrEnum

from throughline.canonical import LATTICES
from throughline.errors import Misconfigured


class Reach(StrEnum):
    """The answer, in the words of the task log."""

    REACHED = "reached"
    NOT_YET = "not yet"
    NEVER = "never"


def reach(kind: str, status: str | None, wanted: frozenset[str]) -> Reach:
    """Compare a document's status with the ones somebody waits for.

    A status further along its lattice counts as having been reached. A document that left by a side exit
    (cancelled, rejected) nobody waits for will never get there.
    """
    if status is None:
        return Reach.NOT_YET
    if status in wanted:
        return Reach.REACHED
    lattice = LATTICES.get(kind)
    if lattice is None:
        return Reach.NOT_YET
    if status in lattice.exits:
        return Reach.NEVER
    steps = {name: place for place, name in enumerate(lattice.order)}
    here = steps.get(status, -1)
    return Reach.REACHED if any(steps.get(name, here + 1) <= here for name in wanted) else Reach.NOT_YET


def check_statuses(kind: str, wanted: frozenset[str]) -> None:
    """Refuse to wait for a status this kind of document does not have."""
    lattice = LATTICES.get(kind)
    strange = sorted(name for name in wanted if lattice and not lattice.knows(name))
    if not wanted or strange:
        named = ", ".join(strange) or "nothing"
        raise Misconfigured(f"a {kind} never becomes {named}: name statuses it can have", where="the sensor's `status`")
