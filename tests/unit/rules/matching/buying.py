"""Short ways to write down buying documents: by default supplier S-1, order PO-1, prices in CNY, tax 13 %."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import permutations
from typing import Any

from throughline.canonical import (
    CanonicalDocument,
    Inspection,
    Item,
    Money,
    Payment,
    PaymentRequest,
    PurchaseInvoice,
    PurchaseInvoiceLine,
    PurchaseOrder,
    PurchaseOrderLine,
    PurchaseReceipt,
    PurchaseReceiptLine,
    Quantity,
    Supplier,
)
from throughline.rules.matching import Outcome, Policy, match

TODAY = date(2026, 3, 31)
S1 = "supplier:erp:S-1"
POLICY: dict[str, Any] = {
    "default": {
        "way": 3,
        "price": {"percent": "2", "absolute": {"CNY": "5", "USD": "1", "EUR": "1"}},
        "quantity": {"percent": "0", "absolute": "0"},
        "over_receipt": {"percent": "5", "absolute": "10"},
        "amount": {"percent": "1", "absolute": {"CNY": "1", "USD": "1", "EUR": "1"}},
        "tax": {"percent": "1", "absolute": {"CNY": "0.50", "USD": "0.50", "EUR": "0.50"}},
        "date": {"before_order": 0, "in_future": 0, "early": 5, "late": 5},
    },
    "categories": {
        "inspected": {"way": 4},
        "services": {"way": 2},
        "loose": {"quantity": {"percent": "1", "absolute": "3"}},
    },
    "charges": {"freight": {"percent": "10", "absolute": {"CNY": "80"}}},
    "holds": {"delivered_early": True},
}  # fmt: skip


def policy(**changes: Any) -> Policy:
    return Policy.model_validate({**POLICY, **changes})


def d(text: object) -> Decimal:
    return Decimal(str(text))


def day(text: str) -> date:
    return date.fromisoformat(f"2026-{text}")


def money(amount: object, currency: str = "CNY") -> Money:
    return Money(amount=d(amount), currency=currency)


def pieces(value: object, unit: str = "pcs") -> Quantity:
    return Quantity(value=d(value), unit=unit)


def supplier(number: str = "S-1", **more: Any) -> Supplier:
    return Supplier(number=number, name=f"Supplier {number}", bank_account="6222 0001", **more)


def item(number: str = "RM-1", unit: str = "pcs", **factors: str) -> Item:
    return Item(number=number, name=number, unit=unit, factors={key: d(value) for key, value in factors.items()})


def order_line(quantity: object = 100, price: object = 10, line: str = "10", **more: Any) -> PurchaseOrderLine:
    unit, currency = more.pop("unit", "pcs"), more.pop("currency", "CNY")
    fields = {"item": "item:erp:RM-1", "tax_rate": d(13), **more}
    return PurchaseOrderLine(line=line, quantity=pieces(quantity, unit), unit_price=money(price, currency), **fields)


def order(*lines: PurchaseOrderLine, number: str = "PO-1", **more: Any) -> PurchaseOrder:
    fields = {"supplier": S1, "company": "C1", "ordered_on": day("03-01"), **more}
    return PurchaseOrder(number=number, lines=lines or (order_line(),), **fields)


def po(line: str = "10", number: str = "PO-1") -> str:
    return f"purchase_order:erp:{number}#{line}"


def receipt_line(quantity: object, line: str = "1", unit: str = "pcs", **more: Any) -> PurchaseReceiptLine:
    return PurchaseReceiptLine(line=line, quantity=pieces(quantity, unit), **{"order_line": po(), **more})


def receipt(number: str, *lines: PurchaseReceiptLine | int, on: str = "03-10", **more: Any) -> PurchaseReceipt:
    rows = tuple(receipt_line(row) if isinstance(row, int) else row for row in lines)
    return PurchaseReceipt(number=number, received_on=day(on), lines=rows, **more)


def gr(number: str, line: str = "1") -> str:
    return f"purchase_receipt:wms:{number}#{line}"


def inspection(number: str, receipt_number: str, accepted: object, rejected: object = 0) -> Inspection:
    row = {"line": "1", "receipt_line": gr(receipt_number), "accepted": pieces(accepted), "rejected": pieces(rejected)}
    return Inspection.model_validate({"number": number, "lines": [row]})


def bill_line(
    quantity: object | None, price: object = 10, line: str = "1", **more: Any
) -> PurchaseInvoiceLine:  # fmt: skip
    unit, currency = more.pop("unit", "pcs"), more.pop("currency", "CNY")
    amount = more.pop("amount", None)
    if amount is None:
        amount = cents(d(quantity) * d(price)) if quantity is not None else d(price)
    fields: dict[str, Any] = {"tax_rate": d(13), **more}
    if "charge" not in fields and "credits_line" not in fields:
        fields.setdefault("order_line", po())
    if quantity is not None:
        fields |= {"quantity": pieces(quantity, unit), "unit_price": money(price, currency)}
    return PurchaseInvoiceLine(line=line, amount=money(amount, currency), **fields)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


def invoice(number: str, *lines: PurchaseInvoiceLine, on: str = "03-20", **more: Any) -> PurchaseInvoice:
    currency = more.pop("currency", "CNY")
    net = sum((row.amount.amount for row in lines), d(0))
    tax = more.pop("tax", None)
    if tax is None:
        tax = cents(sum((row.amount.amount * (row.tax_rate or 0) / 100 for row in lines), d(0)))
    gross = more.pop("gross", net + d(tax))
    fields = {"supplier": S1, "company": "C1", "supplier_number": f"{number}", **more}
    return PurchaseInvoice(
        number=number, invoiced_on=day(on), lines=lines, currency=currency, net=money(more.pop("net", net), currency),
        tax=money(tax, currency), gross=money(gross, currency), **{k: v for k, v in fields.items() if k != "net"},
    )  # fmt: skip


def inv(number: str, line: str | None = None) -> str:
    return f"purchase_invoice:finance:{number}" + (f"#{line}" if line else "")


def credit(number: str, *lines: PurchaseInvoiceLine, on: str = "03-25", **more: Any) -> PurchaseInvoice:
    return invoice(number, *lines, on=on, nature="credit_note", **more)


def request(number: str, invoice_number: str, amount: object, instalment: str = "1", **more: Any) -> PaymentRequest:
    fields = {"company": "C1", "supplier": S1, "status": "sent", **more}
    return PaymentRequest(
        number=number, invoice=inv(invoice_number), instalment=instalment, amount=money(amount), **fields
    )


def payment(number: str, invoice_number: str, amount: object, instalment: str = "1", **more: Any) -> Payment:
    return Payment(number=number, invoice=inv(invoice_number), instalment=instalment, amount=money(amount), **more)


def judged(
    *documents: CanonicalDocument, master: bool = True, rules: Policy | None = None, on: date = TODAY
) -> Outcome:
    """The outcome, after making sure that several orders of arrival give the same one."""
    named = {(document.kind, document.number) for document in documents}
    usual = [one for one in (supplier(), item()) if master and (one.kind, one.number) not in named]
    everything = [*usual, *documents]
    found = match(everything, rules or policy(), as_of=on)
    for shuffled in _orders(everything):
        assert match(shuffled, rules or policy(), as_of=on) == found
    return found


def _orders(documents: list[CanonicalDocument]) -> Iterable[list[CanonicalDocument]]:
    if len(documents) <= 4:
        return (list(order) for order in permutations(documents))
    turned = (documents[at:] + documents[:at] for at in range(1, len(documents)))
    return [documents[::-1], *turned]
