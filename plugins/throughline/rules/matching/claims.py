"""One invoice line as a claim on an order line: what it charges, less what credit notes took back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from throughline.canonical import PurchaseInvoice, PurchaseInvoiceLine
from throughline.rules.matching.money import HUNDRED, ZERO, split
from throughline.rules.matching.reasons import Reason
from throughline.rules.matching.stock import Stock

if TYPE_CHECKING:
    from throughline.rules.matching.order_book import LineVersion, OrderLine

Rank = tuple[bool, date, str, str]


@dataclass(slots=True, eq=False)
class Claim:
    """A line's figures while they are matched. Quantities in the order line's unit; `gross` is its share of the total.

    `value` is what of `gross` is matched; `judged` is false where the documents do not allow to say.
    """

    invoice: str
    document: PurchaseInvoice
    line: PurchaseInvoiceLine
    ref: str
    rank: Rank
    net: Decimal
    gross: Decimal
    order_line: OrderLine | None = None
    version: LineVersion | None = None
    quantity: Decimal = ZERO
    credited: bool = False
    counts: bool = True
    judged: bool = True
    matched: Decimal = ZERO
    over_ordered: Decimal = ZERO
    value: Decimal = ZERO
    takes: list[tuple[Stock, Decimal]] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)


def day_of_order(invoice: PurchaseInvoice) -> date:
    """The day whose version of the order judges the invoice: the order's date it states, else its own."""
    return invoice.order_date or invoice.invoiced_on


def gross_shares(invoice: PurchaseInvoice, rates: Sequence[Decimal | None]) -> list[Decimal]:
    """The invoice's total with tax, split over its lines to the cent by their amounts with tax."""
    weights = [line.amount.amount * (HUNDRED + (rate or ZERO)) for line, rate in zip(invoice.lines, rates, strict=True)]
    return split(invoice.gross.amount, weights, invoice.currency)
