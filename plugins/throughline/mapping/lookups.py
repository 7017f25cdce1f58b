"""Names of other documents: their ids against ours, asked for once per batch.

While a batch is translated, every name that is not known yet is noted and a placeholder stands for it; then the
registry is asked once for all of them and the documents concerned are translated again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final, Protocol, TypeVar

from throughline.mapping.complaints import Missing
from throughline.mapping.units import Factors

LINE = ".line"
PENDING: Final = "pending:batch:pending"
"""Stands for a reference that the registry is about to be asked for; never leaves this room."""

Pair = tuple[str, str]
Name = TypeVar("Name", Pair, str)


class Registry(Protocol):
    """What the hub remembers about who is who; the ledger answers, a set at a time."""

    def canonical_many(self, role: str, wanted: Collection[Pair]) -> Mapping[Pair, str]:
        """(kind, their id) -> canonical id, for those that are known."""
        ...

    def theirs_many(self, role: str, wanted: Collection[Pair]) -> Mapping[Pair, str]:
        """(kind, canonical id) -> their id in this role, for those that are known."""
        ...

    def factors_many(self, items: Collection[str]) -> Mapping[str, tuple[str, Mapping[str, Decimal]]]:
        """Item -> its own unit and how many of it one of another unit holds, for the items that are known."""
        ...


class Lookups:
    """What one batch has learnt so far."""

    def __init__(self, registry: Registry, role: str, owners: Mapping[str, str]) -> None:
        self.role = role
        self.pending = False
        self._registry = registry
        self._owners = owners
        self._canonical: dict[Pair, str | None] = {}
        self._theirs: dict[Pair, str | None] = {}
        self._factors: dict[str, Factors | None] = {}
        self._wanted: tuple[set[Pair], set[Pair], set[str]] = (set(), set(), set())

    def canonical(self, kind: str, their_id: str) -> str:
        """The canonical id of their record, `PENDING`, or `Missing`."""
        pair = (kind, their_id)
        if pair not in self._canonical:
            return self._ask(self._wanted[0], pair)
        found = self._canonical[pair]
        if found is None:
            raise Missing(f"is a {kind} of {self.role} that no system has told us about yet", their_id,
                          f"{self.role}/{kind}/{their_id}")  # fmt: skip
        return found

    def theirs(self, kind: str, canonical_id: str) -> str:
        """The id their system gave this document, `PENDING`, or `Missing`."""
        pair = (kind, canonical_id)
        if pair not in self._theirs:
            return self._ask(self._wanted[1], pair)
        found = self._theirs[pair]
        if found is None:
            raise Missing(f"is not in {self.role} as a {kind} yet", canonical_id, f"{canonical_id}@{self.role}")
        return found

    def factors(self, item: str) -> Factors | None:
        """The item's units; None while they are being asked for."""
        if item is PENDING or item not in self._factors:
            self._ask(self._wanted[2], item)
            return None
        found = self._factors[item]
        if found is None:
            raise Missing("is an item whose units no system has told us about yet", item,
                          f"{item}@{self._owners.get('item', 'hub')}")  # fmt: skip
        return found

    def fetch(self) -> None:
        """Ask the registry for everything that was wanted, one question of each sort."""
        theirs, ours, items = self._wanted
        if theirs:
            found = self._registry.canonical_many(self.role, sorted(theirs))
            self._canonical |= {pair: found.get(pair) for pair in theirs}
        if ours:
            found = self._registry.theirs_many(self.role, sorted(ours))
            self._theirs |= {pair: found.get(pair) for pair in ours}
        if items:
            known = self._registry.factors_many(sorted(items))
            self._factors |= {item: known.get(item) for item in items}
        self._wanted = (set(), set(), set())

    def _ask(self, wanted: set[Name], name: Name) -> str:
        self.pending = True
        if name is not PENDING:
            wanted.add(name)
        return PENDING
