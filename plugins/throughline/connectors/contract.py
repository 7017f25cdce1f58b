"""What a connector is to the rest of the hub, whatever product stands behind it.

A connector captures what changed (`changes`), finds a document by our reference (`find`), and carries out one declared
operation (`send`). It never retries a write by itself: the engine decides that from the declared tier.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable


class Tier(StrEnum):
    """What a target guarantees about a write that is sent twice."""

    T1 = "T1"
    """A native idempotency key: the same key twice is one effect. Resend at will."""
    T2 = "T2"
    """A unique external reference: a second create is refused or upserts. Look up, then send."""
    T3 = "T3"
    """Only a search: look up, then create, alone, after the longest late execution has passed."""
    T4 = "T4"
    """Nothing: one attempt, and a person decides about a doubt."""


@dataclass(frozen=True)
class ObjectKind:
    """One kind of document as a product offers it: can it be polled, found by our reference, written, and how."""

    document: str
    polled: bool = False
    pushed: bool = False
    fences: frozenset[str] = frozenset()
    """how it is kept from losing what is committed late: W1, W2, W3 (see `fences`)"""
    operations: Mapping[str, Operation] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """One thing a product can do to a document (`create`, `change`, `cancel`, `close`, …) and what it guarantees."""

    name: str
    tier: Tier
    late_execution: float = 60.0
    findable: bool = False


@dataclass(frozen=True)
class Connection:
    """Address and secret of one system, as an Airflow connection holds them."""

    name: str
    host: str
    login: str = ""
    password: str = field(default="", repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Captured:
    """One record exactly as a system told it, with what is needed to know it again.

    `revision` is the source's own version or change stamp (text, for people and for effect keys); `changed_at` its
    moment. `raw` holds JSON values with every number kept exact (`Decimal` or text, never float).
    """

    document: str
    their_id: str
    raw: Mapping[str, Any]
    number: str | None = None
    revision: str = ""
    changed_at: datetime | None = None
    deleted: bool = False


@dataclass(frozen=True)
class Page:
    """A page of changes and the cursor to store once these are stored. Cursors are JSON-able and opaque to the hub."""

    records: tuple[Captured, ...]
    cursor: Mapping[str, Any]


@dataclass(frozen=True)
class WholePage:
    """A page of everything a system has of one kind, and where to read on after it.

    `position` is JSON-able and opaque; None means that an interrupted reading begins again. `complete` is False when
    rows came or went while the pages were read: what is missing may only have slipped between them. `total` is how many
    records the system says there are, where it does.
    """

    records: tuple[Captured, ...]
    position: Mapping[str, Any] | None = None
    complete: bool = True
    total: int | None = None


@dataclass(frozen=True)
class Carried:
    """The target's confirmation of a write: its own id and number, and the ids it gave to our lines."""

    their_id: str
    number: str | None = None
    lines: Mapping[str, str] = field(default_factory=dict)
    """our line id -> their line id"""
    answer: Mapping[str, Any] = field(default_factory=dict)


class Connector(Protocol):
    """One system, ready to talk. Use as an async context manager; safe for concurrent calls on one loop."""

    role: str
    product: str

    def objects(self) -> Mapping[str, ObjectKind]:
        """What this product offers, by canonical document kind."""
        ...

    def changes(
        self, document: str, cursor: Mapping[str, Any] | None, *,
        since: datetime | None = None, until: datetime | None = None,
    ) -> AsyncIterator[Page]:  # fmt: skip
        """Pages of what changed after `cursor` (or inside [since, until), for a backfill), oldest first.

        The profile's overlap is applied here: records near the cursor come again and the ledger knows them by hash.
        """
        ...

    async def find(self, document: str, reference: str) -> Carried | None:
        """The document that carries our reference, if the system has it."""
        ...

    async def send(
        self, document: str, operation: str, payload: Mapping[str, Any], *, reference: str, key: str,
    ) -> Carried:  # fmt: skip
        """Carry out one operation once. Raises by consequence (`errors`): a time-out after sending is `InDoubt`.

        `reference` is our business reference the target stores (what `find` looks for); `key` is the effect key, for
        targets of tier T1. Never retries a write.
        """
        ...

    async def test(self) -> str:
        """Log in and read one harmless thing; returns a sentence for the connection form, or raises."""
        ...

    async def __aenter__(self) -> Connector: ...

    async def __aexit__(self, *exc: object) -> None: ...


@runtime_checkable
class ReadsWhole(Protocol):
    """A connector that can also read everything a system has (fence W3), to find what was missed and what is gone."""

    def whole(self, document: str, position: Mapping[str, Any] | None = None) -> AsyncIterator[WholePage]:
        """Pages of every record there is, from the beginning or after `position`."""
        ...

    async def again(self, document: str, their_ids: Sequence[str]) -> Mapping[str, Captured] | None:
        """Those of these records that are there after all, by their id; None where single ones cannot be asked for."""
        ...
