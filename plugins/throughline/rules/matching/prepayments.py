"""Money asked for in advance: checked against what the order agrees, then taken off the order's invoices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from throughline.canonical import PurchaseOrder
from throughline.rules.matching.claims import day_of_order
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.folder import Folder
from throughline.rules.matching.line_judgement import gap_reason
from throughline.rules.matching.measures import MissingRate
from throughline.rules.matching.money import HUNDRED, ZERO, rounded
from throughline.rules.matching.reasons import State, reason
from throughline.rules.matching.settlements import Settlements


@dataclass(slots=True, eq=False)
class Advance:
    """What of a prepayment no invoice has used yet."""

    ref: str
    left: Decimal


class Prepayments:
    """Judges prepayment invoices and gives what they paid to the invoices of the same order, oldest first."""

    def __init__(self, desk: Desk, settlements: Settlements) -> None:
        self._desk, self._settlements = desk, settlements
        self._agreed: dict[str, Decimal] = defaultdict(lambda: ZERO)
        self._left: dict[tuple[str, str], list[Advance]] = defaultdict(list)

    def judge(self, folder: Folder, charged: dict[str, Decimal]) -> None:
        """Whether the order agrees to it; `charged` is what invoices already took of each order, paid or asked for."""
        due = sum((claim.gross for claim in folder.claims), ZERO) if folder.claims else folder.document.gross.amount
        due = max(ZERO, due - folder.header_credit)
        order = self._order(folder)
        if order is None:
            folder.unjudged = due
            return
        try:
            self._compare(folder, order[0], order[1], due, charged[order[0]])
        except MissingRate as gap:
            folder.reasons.append(self._desk.settle(gap_reason(gap, folder.ref, None, None)))
        folder.due = ZERO if folder.stopped else due

    def offer(self, folder: Folder) -> None:
        """Make a clean prepayment, or what is out of another, available to the order's invoices."""
        if folder.orders:
            clean = folder.state is State.CLEAN
            there = folder.due if clean else min(folder.due, self._settlements.engaged(folder.ref))
            self._left[folder.orders[0], folder.document.currency].append(Advance(folder.ref, there))

    def take(self, folder: Folder, most: Decimal) -> None:
        """Take off an invoice what was paid in advance for its orders."""
        for order in folder.orders:
            for advance in self._left.get((order, folder.document.currency), ()):
                part = min(advance.left, most - folder.prepaid)
                if part > ZERO:
                    advance.left -= part
                    folder.prepaid += part
                    data = {"amount": part, "currency": folder.document.currency, "prepayment": advance.ref}
                    folder.reasons.append(reason("prepayment_consumed", folder.ref, None, **data))

    def _order(self, folder: Folder) -> tuple[str, PurchaseOrder] | None:
        for ref in folder.orders:
            versions = self._desk.papers.versions(ref)
            day = day_of_order(folder.document)
            begun = [one for one in versions if (one.valid_from or one.ordered_on) <= day] or versions[:1]
            if begun:
                return ref, begun[-1]
            folder.reasons.append(self._desk.settle(reason("order_awaited", folder.ref, None, order_line=ref)))
            return None
        folder.reasons.append(self._desk.settle(reason("line_without_order", folder.ref, None)))
        return None

    def _compare(self, folder: Folder, ref: str, order: PurchaseOrder, due: Decimal, charged: Decimal) -> None:
        invoice = folder.document
        rate = self._desk.rates.rate(order.currency, invoice.currency, invoice.invoiced_on, order).value
        value = order_value(order)
        agreed = order.prepayment_amount.amount if order.prepayment_amount else None
        if agreed is None and order.prepayment_percent is not None:
            agreed = value * order.prepayment_percent / HUNDRED
        if agreed is None:
            folder.reasons.append(self._desk.settle(reason("prepayment_not_agreed", folder.ref, None, order=ref)))
            return
        agreed = rounded(agreed * rate, invoice.currency)
        left = max(ZERO, agreed - self._agreed[ref])
        if folder.rank[0]:
            left = min(left, max(ZERO, rounded(value * rate, invoice.currency) - charged))
        if due > left:
            data = {"amount": due, "currency": invoice.currency, "left": left, "agreed": agreed}
            folder.reasons.append(self._desk.settle(reason("prepayment_over_agreed", folder.ref, None, **data)))
        elif not folder.stopped:
            self._agreed[ref] += due


def order_value(order: PurchaseOrder) -> Decimal:
    """What an order is worth with tax."""
    values: Iterable[Decimal] = (
        line.quantity.value * line.unit_price.amount / line.price_per * (HUNDRED + (line.tax_rate or ZERO)) / HUNDRED
        for line in order.lines
    )
    return sum(values, ZERO)
