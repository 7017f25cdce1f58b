"""One receipt line as the match sees it: what came, what went back, what inspection says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from throughline.rules.matching.money import ZERO


@dataclass(slots=True, eq=False)
class Stock:
    """Quantities of one receipt line in the order line's unit; `left` is what no invoice has taken yet."""

    ref: str
    day: date
    number: str
    line: str
    received: Decimal
    reversed: Decimal = ZERO
    returned: Decimal = ZERO
    accepted: Decimal = ZERO
    rejected: Decimal = ZERO
    left: Decimal = ZERO

    @property
    def rank(self) -> tuple[date, str, str]:
        """Oldest first, then by number and line: never by arrival."""
        return (self.day, self.number, self.line)

    @property
    def net(self) -> Decimal:
        """Received and not sent back."""
        return max(ZERO, self.received - self.reversed - self.returned)

    @property
    def uninspected(self) -> Decimal:
        """What inspection has said nothing about yet."""
        return max(ZERO, self.net - self.accepted - self.rejected_here)

    @property
    def rejected_here(self) -> Decimal:
        """Rejected and still here: what goes back is taken to be the rejected part first."""
        return min(self.net, max(ZERO, self.rejected - self.returned))

    def usable(self, way: int) -> Decimal:
        """What an invoice may be matched with: in a 4-way match only what was accepted."""
        return min(self.net, self.accepted) if way == 4 else self.net
