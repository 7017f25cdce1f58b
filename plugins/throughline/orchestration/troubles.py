"""Notes in the ledger what a person must mend: `throughline status` says it, and nobody must look for red tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from throughline.errors import Misconfigured, Transient

if TYPE_CHECKING:
    from throughline.ledger import Ledger


def reading(role: str) -> str:
    """The place where a system is read."""
    return f"reading {role}"


@dataclass
class Place:
    """Somewhere work is done; `works` says that nothing stands in its way (any more)."""

    ledger: Ledger
    name: str
    role: str | None = None

    def works(self) -> None:
        """The work succeeded, so what was wrong here is mended."""
        with self.ledger.transaction() as books:
            books.troubles.over(self.name)

    def troubled(self, error: Misconfigured) -> None:
        """A person must mend something; a ledger that is away just now hears of it with the next attempt."""
        try:
            with self.ledger.transaction() as books:
                books.troubles.note(self.name, error.message, error.signature, role=self.role)
        except Transient:
            return


@contextmanager
def noting(ledger: Ledger, name: str, role: str | None = None) -> Iterator[Place]:
    """Do work in a place: a `Misconfigured` is noted before it goes on its way."""
    place = Place(ledger, name, role)
    try:
        yield place
    except Misconfigured as error:
        place.troubled(error)
        raise
