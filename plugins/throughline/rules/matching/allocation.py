"""Shares out what was received over the invoice lines that charge for it, one order line at a time.

Lines of invoices with a live payment or request come first, so that money already out stays covered; then by the
invoice's date, its number and line. Each first takes the receipts it names, then the oldest that are left. Nothing
depends on the order in which documents arrived.
"""

from __future__ import annotations

from decimal import Decimal

from throughline.rules.matching.claims import Claim
from throughline.rules.matching.money import ZERO
from throughline.rules.matching.order_book import OrderLine
from throughline.rules.matching.stock import Stock


def allocate(line: OrderLine, way: int) -> None:
    """Match the line's claims; afterwards matched ≤ min(received − returned or accepted, ordered)."""
    claims = sorted((claim for claim in line.claims if claim.counts), key=lambda claim: (*claim.rank, claim.line.line))
    _note_over_ordered(claims)
    if way == 2:
        for claim in claims:
            _take(line, claim, claim.quantity, None)
        return
    for stock in line.stocks:
        stock.left = stock.usable(way)
    by_ref = {stock.ref: stock for stock in line.stocks}
    queue = _Queue(line.stocks)
    for unpaid in (False, True):
        group = [claim for claim in claims if claim.rank[0] is unpaid]
        for claim in group:
            _take_named(line, claim, by_ref)
        for claim in group:
            queue.serve(line, claim)


def _take_named(line: OrderLine, claim: Claim, by_ref: dict[str, Stock]) -> None:
    for use in claim.line.receipts:
        stock = by_ref.get(use.receipt_line)
        if stock is not None:
            _take(line, claim, stock.left, stock)


class _Queue:
    """The receipts, oldest first; those used up are never looked at again."""

    def __init__(self, stocks: list[Stock]) -> None:
        self._stocks = stocks
        self._at = 0

    def serve(self, line: OrderLine, claim: Claim) -> None:
        """Give a claim what it still lacks."""
        while claim.matched < claim.quantity and self._at < len(self._stocks):
            stock = self._stocks[self._at]
            if stock.left and not _take(line, claim, stock.left, stock):
                return
            if not stock.left:
                self._at += 1


def _take(line: OrderLine, claim: Claim, offered: Decimal, stock: Stock | None) -> bool:
    ordered = claim.version.ordered if claim.version else ZERO
    taken = min(offered, claim.quantity - claim.matched, ordered - line.matched)
    if taken <= ZERO:
        return False
    claim.matched += taken
    line.matched += taken
    if stock is not None:
        stock.left -= taken
        claim.takes.append((stock, taken))
    return True


def _note_over_ordered(claims: list[Claim]) -> None:
    """How much of each claim goes beyond the order, counting the claims before it."""
    before = ZERO
    for claim in claims:
        ordered = claim.version.ordered if claim.version else ZERO
        claim.over_ordered = min(claim.quantity, max(ZERO, before + claim.quantity - ordered))
        before += claim.quantity
