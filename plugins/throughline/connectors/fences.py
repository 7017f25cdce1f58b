"""How a source is kept from losing rows that are committed late: every polled document declares which fence it has.

- `W1`: the source's own transaction ids. Read up to the oldest one still open: nothing is lost or read twice.
- `W2`: an overlap longer than the source's longest transaction; what is seen again is known by its content.
- `W3`: all keys and contents, read again from time to time. The only fence that also finds what was deleted.

Measured on a real PostgreSQL: a cursor with none of them lost 29 % of the rows (tests/faults/test_late_commits.py).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from throughline.connectors.yaml_files import Strict

Fenced = Literal["W1", "W1 + W3", "W2 + W3", "W3"]


class NoFence(Strict):
    """Why a document that is read needs no fence: a sentence a person can check."""

    none_needed: Annotated[str, Field(min_length=20)]


def _which(told: Any) -> str:
    return "none" if isinstance(told, dict | NoFence) else "fence"


Fence = Annotated[Annotated[Fenced, Tag("fence")] | Annotated[NoFence, Tag("none")], Discriminator(_which)]


def fence_words(fence: Fence | None) -> frozenset[str]:
    """The single fences of a declaration: `W2 + W3` is both; none where a reason is given."""
    return frozenset(fence.split(" + ")) if isinstance(fence, str) else frozenset()
