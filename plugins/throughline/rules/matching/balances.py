"""How much of each credit note is open: credited after its invoice was paid, and not yet set off."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from throughline.rules.matching.credits import Credit
from throughline.rules.matching.money import ZERO


class Balances:
    """Credit notes against what was paid before they came; requests that netted them use them up."""

    def __init__(self, credits_: list[Credit], used: dict[str, Decimal]) -> None:
        self._by_invoice: dict[str, list[tuple[str, Decimal]]] = defaultdict(list)
        self._used = dict(used)
        self.left: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for credit in reversed(credits_):
            for invoice, amount in credit.applied.items():
                self._by_invoice[invoice].append((credit.ref, amount))

    def cover(self, invoice: str, too_much: Decimal) -> tuple[Decimal, Decimal]:
        """What of an overpaid invoice its credit notes cover, and what of that is still open."""
        covered = still_open = ZERO
        for ref, amount in self._by_invoice.get(invoice, ()):
            part = min(amount, too_much - covered)
            netted = min(part, self._used.get(ref, ZERO))
            if netted:
                self._used[ref] -= netted
            covered += part
            still_open += part - netted
            self.left[ref] += part - netted
        return covered, still_open
