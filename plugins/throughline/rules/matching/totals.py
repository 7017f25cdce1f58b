"""Checks an invoice's totals and its tax. The supplier's own figures are kept; they only have to be close enough."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal

from throughline.canonical import PurchaseInvoice
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.money import HUNDRED, ZERO, rounded
from throughline.rules.matching.reasons import Reason, reason

_UNTAXED = ("reverse_charge", "exempt")


def judge_totals(desk: Desk, about: str, invoice: PurchaseInvoice) -> Iterator[Reason]:
    """Lines against the net total, net and tax against the total; differences of rounding are allowed."""
    bound = desk.terms.of(invoice.supplier, None).amount
    lines = sum((line.amount.amount for line in invoice.lines), ZERO)
    both = invoice.net.amount + invoice.tax.amount
    for code, stated, expected in (
        ("net_differs", invoice.net.amount, lines),
        ("gross_differs", invoice.gross.amount, both),
    ):
        if stated != expected and (code != "net_differs" or invoice.lines):
            allowed = bound.allowed(expected, invoice.currency)
            if abs(stated - expected) > allowed:
                data = {"stated": stated, "currency": invoice.currency, "expected": expected, "allowed": allowed}
                yield reason(code, about, None, **data)


def judge_tax(
    desk: Desk, about: str, invoice: PurchaseInvoice, rates: Sequence[Decimal | None], treatments: set[str]
) -> Iterator[Reason]:
    """The tax by its rates, rounded once for each rate or line by line: the nearer of the two counts."""
    stated = invoice.tax.amount
    for expected in sorted(treatments):
        if invoice.tax_treatment and invoice.tax_treatment != expected:
            yield reason("tax_treatment_differs", about, None, stated=invoice.tax_treatment, expected=expected)
    without = [line.line for line, rate in zip(invoice.lines, rates, strict=True) if rate is None]
    untaxed = invoice.tax_treatment in _UNTAXED
    if without and stated and not untaxed:
        yield reason("tax_unexplained", about, None, stated=stated, currency=invoice.currency, which=without[0])
        return
    expected_tax = ZERO if untaxed else _nearest(invoice, rates)
    if stated == expected_tax:
        return
    allowed = desk.terms.of(invoice.supplier, None).tax.allowed(expected_tax, invoice.currency)
    if abs(stated - expected_tax) > allowed:
        data = {"stated": stated, "currency": invoice.currency, "expected": expected_tax, "allowed": allowed}
        yield reason("tax_differs", about, None, **data)


def _nearest(invoice: PurchaseInvoice, rates: Sequence[Decimal | None]) -> Decimal:
    by_rate: dict[Decimal, Decimal] = defaultdict(lambda: ZERO)
    by_line = ZERO
    for line, rate in zip(invoice.lines, rates, strict=True):
        if rate:
            by_rate[rate] += line.amount.amount
            by_line += rounded(line.amount.amount * rate / HUNDRED, invoice.currency)
    at_once = sum((rounded(net * rate / HUNDRED, invoice.currency) for rate, net in by_rate.items()), ZERO)
    return min((at_once, by_line), key=lambda tax: abs(tax - invoice.tax.amount))
