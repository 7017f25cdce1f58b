"""Whether a document can be right at all: signs, currencies and line numbers. What cannot is judged by nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from throughline.canonical import (
    CanonicalDocument,
    ExchangeRate,
    Inspection,
    Item,
    Payment,
    PaymentRequest,
    PurchaseInvoice,
    PurchaseOrder,
    PurchaseReceipt,
)
from throughline.rules.matching.reasons import Reason, reason

Fault = tuple[str, str | None, dict[str, object]]
D = TypeVar("D", bound=CanonicalDocument)
_OWNER = {
    "purchase_order": "buyer", "purchase_requisition": "buyer", "supplier_confirmation": "buyer", "item": "buyer",
    "purchase_receipt": "warehouse", "inspection": "warehouse", "supplier": "supplier_steward",
}  # fmt: skip


def owners_of(kind: str, found: Reason) -> Reason:
    """The reason, owned by whoever keeps documents of this kind."""
    return replace(found, owners=(_OWNER.get(kind, "finance"),))


def unsound(ref: str, document: CanonicalDocument) -> list[Reason]:
    """Everything that cannot be right in one document."""
    check = _CHECKS.get(document.kind)
    faults = check(document) if check else ()
    return [owners_of(document.kind, reason(code, ref, line, document=ref, **data)) for code, line, data in faults]


def _positive(value: Decimal, line: str | None, field: str) -> Iterator[Fault]:
    if value <= 0:
        yield ("negative" if value < 0 else "not_positive"), line, {"field": field, "value": value}


def _not_negative(value: Decimal | None, line: str | None, field: str) -> Iterator[Fault]:
    if value is not None and value < 0:
        yield "negative", line, {"field": field, "value": value}


def _same(found: str, currency: str, line: str | None, field: str) -> Iterator[Fault]:
    if found != currency:
        yield "currency_mixed", line, {"field": field, "value": found, "currency": currency}


def _share(value: Decimal | None, field: str) -> Iterator[Fault]:
    if value is not None and not 0 <= value <= 100:
        yield "out_of_range", None, {"field": field, "value": value}


def _once(lines: Any) -> Iterator[Fault]:
    seen: set[str] = set()
    for line in lines:
        if line.line in seen:
            yield "line_twice", line.line, {"value": line.line}
        seen.add(line.line)


def _order(order: PurchaseOrder) -> Iterator[Fault]:
    yield from _once(order.lines)
    yield from _share(order.prepayment_percent, "prepayment_percent")
    yield from _share(order.retention_percent, "retention_percent")
    if order.prepayment_amount:
        yield from _not_negative(order.prepayment_amount.amount, None, "prepayment_amount")
        yield from _same(order.prepayment_amount.currency, order.currency, None, "prepayment_amount")
    for rate in order.agreed_rates:
        yield from _positive(rate.rate, None, "agreed_rates")
    for charge in order.charges:
        yield from _not_negative(charge.amount.amount, None, f"charge {charge.code}")
    for line in order.lines:
        yield from _positive(line.quantity.value, line.line, "quantity")
        yield from _not_negative(line.unit_price.amount, line.line, "unit_price")
        yield from _same(line.unit_price.currency, order.currency, line.line, "unit_price")
        yield from _positive(line.price_per, line.line, "price_per")
        yield from _not_negative(line.tax_rate, line.line, "tax_rate")
        for unit, factor in line.factors.items():
            yield from _positive(factor, line.line, f"factor of {unit}")


def _receipt(receipt: PurchaseReceipt) -> Iterator[Fault]:
    yield from _once(receipt.lines)
    for line in receipt.lines:
        yield from _positive(line.quantity.value, line.line, "quantity")
        if line.weighed is not None:
            yield from _positive(line.weighed.value, line.line, "weighed")


def _inspection(inspection: Inspection) -> Iterator[Fault]:
    yield from _once(inspection.lines)
    for line in inspection.lines:
        yield from _not_negative(line.accepted.value, line.line, "accepted")
        if line.rejected is not None:
            yield from _not_negative(line.rejected.value, line.line, "rejected")


def _invoice(invoice: PurchaseInvoice) -> Iterator[Fault]:
    yield from _once(invoice.lines)
    yield from _share(invoice.discount_percent, "discount_percent")
    for name in ("net", "tax", "gross"):
        money = getattr(invoice, name)
        yield from _not_negative(money.amount, None, name)
        yield from _same(money.currency, invoice.currency, None, name)
    for part in invoice.instalments:
        if part.amount is not None:
            yield from _positive(part.amount.amount, None, f"instalment {part.number}")
            yield from _same(part.amount.currency, invoice.currency, None, f"instalment {part.number}")
        yield from _share(part.percent, f"instalment {part.number}")
    for line in invoice.lines:
        yield from _not_negative(line.amount.amount, line.line, "amount")
        yield from _same(line.amount.currency, invoice.currency, line.line, "amount")
        yield from _positive(line.price_per, line.line, "price_per")
        yield from _not_negative(line.tax_rate, line.line, "tax_rate")
        if line.quantity is not None:
            yield from _positive(line.quantity.value, line.line, "quantity")
        if line.unit_price is not None:
            yield from _not_negative(line.unit_price.amount, line.line, "unit_price")
            yield from _same(line.unit_price.currency, invoice.currency, line.line, "unit_price")


def _request(request: PaymentRequest) -> Iterator[Fault]:
    yield from _positive(request.amount.amount, None, "amount")
    for used in request.netted:
        yield from _positive(used.amount.amount, None, "netted")
        yield from _same(used.amount.currency, request.amount.currency, None, "netted")


def _payment(payment: Payment) -> Iterator[Fault]:
    yield from _positive(payment.amount.amount, None, "amount")
    if payment.settles is not None:
        yield from _positive(payment.settles.amount, None, "settles")


def _rate(rate: ExchangeRate) -> Iterator[Fault]:
    yield from _positive(rate.rate, None, "rate")


def _item(item: Item) -> Iterator[Fault]:
    for unit, factor in item.factors.items():
        yield from _positive(factor, None, f"factor of {unit}")


_CHECKS: dict[str, Callable[[Any], Iterator[Fault]]] = {
    "purchase_order": _order, "purchase_receipt": _receipt, "inspection": _inspection, "purchase_invoice": _invoice,
    "payment_request": _request, "payment": _payment, "exchange_rate": _rate, "item": _item,
}  # fmt: skip
