"""What the engine needs from the rooms around it, as narrow shapes: systems, words, connectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from throughline.canonical import CanonicalDocument
from throughline.connectors.contract import Captured, Connector
from throughline.errors import ThroughlineError
from throughline.ledger.entries import Identity

Clock = Callable[[], datetime]


class Delivering(Protocol):
    """How a system wants to be written to."""

    @property
    def concurrency(self) -> int:
        """How many calls at once."""
        ...


class System(Protocol):
    """One role of the landscape."""

    @property
    def product(self) -> str:
        """Which product plays the role."""
        ...

    @property
    def deliver(self) -> Delivering:
        """How it wants to be written to."""
        ...


class Systems(Protocol):
    """The landscape: which system plays which role, and who owns which kind of document."""

    @property
    def systems(self) -> Mapping[str, System]:
        """Every system by its role."""
        ...

    def owner_of(self, kind: str) -> str:
        """The role that owns a kind of document; `hub` when we mint it."""
        ...


@dataclass(frozen=True)
class Reading:
    """What a record means: the canonical document, its canonical id, and whose ids are whose."""

    canonical_id: str
    document: CanonicalDocument
    identities: tuple[Identity, ...] = ()


@dataclass(frozen=True)
class Writing:
    """A document to put into a system's words, for one operation; `before` is how it stood, when it is changed."""

    document: CanonicalDocument
    canonical_id: str
    kind: str
    operation: str
    before: CanonicalDocument | None = None


class Words(Protocol):
    """The translator, a whole set at a time; what does not translate comes back as its error, in its place."""

    def version(self, role: str, document: str) -> str:
        """The version of the table that reads this kind of document, for the ledger."""
        ...

    def read(
        self, role: str, document: str, records: Sequence[Mapping[str, Any]]
    ) -> Sequence[Reading | ThroughlineError]:  # fmt: skip
        """Their records in our words."""
        ...

    def write(self, role: str, writings: Sequence[Writing]) -> Sequence[Mapping[str, Any] | ThroughlineError]:
        """Our documents in their words."""
        ...


class Inbound(Protocol):
    """What a connector does with a message that was pushed to us."""

    def parse(self, message_kind: str, body: bytes) -> list[Captured]:
        """The records inside a message."""
        ...


Connectors = Callable[[str], Connector]
"""The connector of a role, ready to be entered as an async context manager."""
