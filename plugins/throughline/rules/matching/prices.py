"""Compares what a line charges with what the order's version says, in the invoice's currency."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from throughline.rules.matching.claims import Claim
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.measures import LineUnit
from throughline.rules.matching.money import HUNDRED, ZERO, cent, rounded
from throughline.rules.matching.order_book import LineVersion, OrderLine
from throughline.rules.matching.reasons import Reason, State, reason

_SHOWN = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Price:
    """A price for `lot` of the order line's unit, in the invoice's currency."""

    expected: Decimal
    charged: Decimal
    lot: Decimal

    @property
    def over(self) -> Decimal:
        """How much more is charged than ordered, for one lot."""
        return self.charged - self.expected


def judge_price(desk: Desk, claim: Claim, line: OrderLine, version: LineVersion) -> tuple[list[Reason], Decimal]:
    """The reasons about the price, and the net price for one of the line's unit that counts as matched."""
    rate = desk.rates.rate(
        version.order.currency, claim.document.currency, claim.document.invoiced_on, order=version.order
    )
    lot = _lot(line.unit, version.line.price_per, version.line.price_unit, version.line.quantity.unit)
    expected = version.line.unit_price.amount * rate.value
    price = Price(expected, _charged(claim, line, lot, expected), lot)
    reasons = []
    if version.order.currency != claim.document.currency:
        data = {"ordered": version.line.unit_price.amount, "order_currency": version.order.currency}
        told = {"expected": _shown(expected), "currency": claim.document.currency, "rate": _shown(rate.value)}
        reasons.append(_reason("currency_converted", claim, **data, **told, source=rate.source))
    verdict = _variance(claim, line, price)
    if verdict is None:
        return reasons, price.charged / lot
    settled = desk.settle(verdict)
    accepted = settled.state is State.CLEAN or settled.code == "price_favourable"
    return [*reasons, settled], (price.charged if accepted else expected) / lot


def _lot(unit: LineUnit, per: Decimal, priced_in: str | None, counted_in: str) -> Decimal:
    return per * unit.factor(priced_in or counted_in)


def _charged(claim: Claim, line: OrderLine, lot: Decimal, expected: Decimal) -> Decimal:
    """The price charged for one lot. A difference that is only the rounding of the line's amount is none."""
    if not claim.quantity:
        return expected
    by_amount = claim.net / claim.quantity * lot
    if abs(by_amount - expected) * claim.quantity / lot <= cent(claim.document.currency) / 2:
        return expected
    priced = claim.line
    if claim.credited or priced.unit_price is None or priced.quantity is None:
        return by_amount
    return priced.unit_price.amount / _lot(line.unit, priced.price_per, priced.price_unit, priced.quantity.unit) * lot


def _variance(claim: Claim, line: OrderLine, price: Price) -> Reason | None:
    if price.over == ZERO or not claim.quantity:
        return None
    currency = claim.document.currency
    share = abs(price.over) / price.expected * HUNDRED if price.expected else HUNDRED
    told = {"difference": _shown(abs(price.over)), "currency": currency, "percent": _percent(share)}
    if price.over < ZERO:
        return _reason("price_favourable", claim, **told)
    allowed = line.terms.price.allowed(price.expected, currency)
    told["allowed"] = _shown(allowed) if allowed.is_finite() else "∞"
    if price.over <= allowed:
        return _reason("price_within", claim, **told)
    shown = {
        "price": _shown(price.charged),
        "expected": _shown(price.expected),
        "per": f"{price.lot:f} {line.unit.name}",
    }
    return _reason("price_over", claim, **shown, **told)


def judge_amount(claim: Claim) -> Reason | None:
    """Whether quantity times price make the line's amount, to the smallest coin."""
    line = claim.line
    if (
        line.unit_price is None
        or line.quantity is None
        or (line.price_unit or line.quantity.unit) != line.quantity.unit
    ):
        return None
    currency = claim.document.currency
    made = line.quantity.value * line.unit_price.amount / line.price_per
    if abs(made - line.amount.amount) < cent(currency):
        return None
    data = {"quantity": line.quantity.value, "price": line.unit_price.amount, "expected": rounded(made, currency)}
    return _reason("line_amount_differs", claim, **data, amount=line.amount.amount, currency=currency)


def _reason(code: str, claim: Claim, **data: object) -> Reason:
    return reason(code, claim.invoice, claim.line.line, **data)


def _shown(amount: Decimal) -> Decimal:
    return amount if amount == amount.quantize(_SHOWN) else amount.quantize(_SHOWN)


def _percent(share: Decimal) -> Decimal:
    return share.quantize(Decimal("0.01"))
