"""Where a document stands, asked from outside the engine: for sensors and their triggers. Only reads."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from throughline.canonical import header_of
from throughline.errors import Misconfigured
from throughline.orchestration.reaching import Reach, reach

if TYPE_CHECKING:
    from throughline.ledger import Books, Ledger


@dataclass(frozen=True)
class Sought:
    """The document somebody waits for: any number of any system, and optionally which kind and in which system."""

    number: str
    wanted: frozenset[str]
    document: str | None = None
    system: str | None = None
    field: str = "status"

    def described(self) -> dict[str, Any]:
        """As plain data, for a trigger."""
        return {**asdict(self), "wanted": sorted(self.wanted)}

    @staticmethod
    def from_description(data: dict[str, Any]) -> Sought:
        """The other way round."""
        return Sought(**{**data, "wanted": frozenset(data["wanted"])})


@dataclass(frozen=True)
class Sighting:
    """What was seen: how far the document has come, and who says so."""

    reach: Reach
    canonical_id: str | None = None
    system: str | None = None
    status: str | None = None

    def described(self) -> dict[str, Any]:
        """As plain data, for an event and for the task's return value."""
        return {**asdict(self), "reach": str(self.reach)}


def sight(ledger: Ledger, sought: Sought) -> Sighting:
    """Look once."""
    with ledger.transaction() as books:
        canonical_id = _the_one(books, sought)
        if canonical_id is None:
            return Sighting(Reach.NOT_YET)
        current = [
            Sighting(_how_far(document.document, status, sought), canonical_id, document.role, status)
            for document in books.records.current([canonical_id], role=sought.system)
            for status in [_text(document.canonical.get(sought.field))]
        ]
    order = [Reach.REACHED, Reach.NEVER, Reach.NOT_YET]
    return min(current, key=lambda sighting: order.index(sighting.reach), default=Sighting(Reach.NOT_YET, canonical_id))


def _the_one(books: Books, sought: Sought) -> str | None:
    found = {header_of(identity.canonical_id) for identity in books.identities.search(sought.number)}
    if sought.document:
        found = {name for name in found if name.startswith(f"{sought.document}:")}
    if len(found) > 1:
        raise Misconfigured(
            f"{sought.number} names {len(found)} documents ({', '.join(sorted(found)[:4])}): say which kind",
            where="the sensor's `document`",
        )
    return next(iter(found), None)


def _how_far(kind: str, status: str | None, sought: Sought) -> Reach:
    if sought.field == "status":
        return reach(kind, status, sought.wanted)
    return Reach.REACHED if status in sought.wanted else Reach.NOT_YET


def _text(value: object) -> str | None:
    return None if value is None else str(value)
