"""One invoice while it is matched: its claims, what it came to so far, and the reasons found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from throughline.canonical import PurchaseInvoice, header_of
from throughline.rules.matching.claims import Claim, Rank
from throughline.rules.matching.money import ZERO
from throughline.rules.matching.reasons import Reason, State


@dataclass(slots=True, eq=False)
class Folder:
    """An invoice or a prepayment. `due` is what is matched, with tax, after credit notes."""

    ref: str
    document: PurchaseInvoice
    rank: Rank
    claims: list[Claim]
    reasons: list[Reason] = field(default_factory=list)
    credited: Decimal = ZERO
    header_credit: Decimal = ZERO
    due: Decimal = ZERO
    unjudged: Decimal = ZERO
    """amounts of lines about which the documents do not allow to say anything: neither paid nor claimed back"""
    prepaid: Decimal = ZERO
    retained: Decimal = ZERO
    stopped: bool = False
    """not matched with anything: a suspected duplicate, or reversed"""

    @property
    def state(self) -> State:
        """The worst of all reasons."""
        return max((one.state for one in self.all_reasons()), default=State.CLEAN)

    def all_reasons(self) -> Iterator[Reason]:
        """The invoice's own reasons and its lines'."""
        yield from self.reasons
        for claim in self.claims:
            yield from claim.reasons

    @property
    def orders(self) -> list[str]:
        """Every order it names, in the order of its lines."""
        named = [header_of(claim.line.order_line) for claim in self.claims if claim.line.order_line]
        return list(dict.fromkeys([*named, *([self.document.order] if self.document.order else [])]))
