"""A registry that knows nobody, for field tables that are only being compiled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

Pair = tuple[str, str]


class Strangers:
    """Answers every question with nothing."""

    def canonical_many(self, role: str, wanted: Collection[Pair]) -> Mapping[Pair, str]:  # noqa: ARG002 - a protocol's shape
        """Nobody is known."""
        return {}

    def theirs_many(self, role: str, wanted: Collection[Pair]) -> Mapping[Pair, str]:  # noqa: ARG002 - a protocol's shape
        """Nobody is known."""
        return {}

    def factors_many(self, items: Collection[str]) -> Mapping[str, tuple[str, Mapping[str, Decimal]]]:  # noqa: ARG002 - a protocol's shape
        """No item is known."""
        return {}
