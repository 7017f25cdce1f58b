"""Bugs to be planted into the real hub, one at a time, to see whether the schedules and the checker find them.

Each breaks one mechanism by replacing one thing inside `throughline` for as long as it is planted. They exist in the
test tree only. A wrong design looks right in most schedules: this list is what makes the other figures believable.
"""

from __future__ import annotations

from tests.faults.planted import books, deliveries, doors, sources, words
from tests.faults.planted.planting import Bug, planted

BUGS: dict[str, Bug] = {bug.name: bug for room in (sources, doors, words, deliveries, books) for bug in room.BUGS}

__all__ = ["BUGS", "Bug", "planted"]
