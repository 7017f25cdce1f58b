"""What suppliers charge, and how it is paid."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BaseModel, StringConstraints

from throughline.canonical.documents import CanonicalDocument, Text
from throughline.canonical.purchasing import Currency, Part, TaxTreatment
from throughline.canonical.quantities import Exact, Money, Quantity
from throughline.canonical.references import Reference

Nature = Annotated[str, StringConstraints(pattern=r"^(invoice|credit_note|prepayment)$")]


class ReceiptUse(Part):
    """A receipt line that an invoice line says it is for."""

    receipt_line: Reference


class PurchaseInvoiceLine(Part):
    """One thing charged, or credited on a credit note: amounts and quantities are positive on both.

    `order_line` for goods, `charge` for freight and the like (a code of `include/matching`). `amount` is net.
    On a credit note `credits_line` names the invoice line; without a quantity only the price is corrected.
    """

    line: str
    order_line: Reference | None = None
    credits_line: Reference | None = None
    charge: str | None = None
    item: Reference | None = None
    description: Text | None = None
    quantity: Quantity | None = None
    unit_price: Money | None = None
    price_per: Exact = Decimal(1)
    price_unit: str | None = None
    amount: Money
    tax_rate: Exact | None = None
    receipts: tuple[ReceiptUse, ...] = ()


class Instalment(Part):
    """A part of an invoice with its own due date: a percentage or an amount. A milestone is paid once `reached`."""

    number: str
    percent: Exact | None = None
    amount: Money | None = None
    due_on: date | None = None
    milestone: Text | None = None
    reached: bool = True


class PurchaseInvoice(CanonicalDocument):
    """An invoice, a credit note or a prepayment invoice of a supplier.

    `number` is our own; `supplier_number` is the one the supplier printed. `order_date` is the date of the order as the
    invoice states it. `credits` names the invoice a credit note is for, `order` the order a prepayment is for.
    `bank_account` is what the paper prints: it is compared, never paid to.
    """

    kind: ClassVar[str] = "purchase_invoice"
    status: str = "captured"
    nature: Nature = "invoice"
    supplier: Reference
    supplier_number: Text
    company: Text | None = None
    currency: Currency = "CNY"
    invoiced_on: date
    order_date: date | None = None
    order: Reference | None = None
    credits: Reference | None = None
    net: Money
    tax: Money
    gross: Money
    tax_treatment: TaxTreatment | None = None
    due_on: date | None = None
    discount_percent: Exact | None = None
    discount_until: date | None = None
    bank_account: Text | None = None
    pay_currency: Currency | None = None
    channel: Text | None = None
    instalments: tuple[Instalment, ...] = ()
    lines: tuple[PurchaseInvoiceLine, ...] = ()

    def parts(self) -> tuple[BaseModel, ...]:
        """The lines and the receipts they name."""
        return (*self.lines, *(use for line in self.lines for use in line.receipts))


class NettedCredit(Part):
    """So much of a credit note is used up by a payment request."""

    credit: Reference
    amount: Money


class PaymentRequest(CanonicalDocument):
    """Asks finance to settle one instalment of an invoice, once.

    `amount` is what is settled, in the invoice's currency; `netted` is the part of it settled by credit notes.
    """

    kind: ClassVar[str] = "payment_request"
    status: str = "proposed"
    invoice: Reference
    instalment: str = "1"
    company: Text | None = None
    supplier: Reference | None = None
    amount: Money
    requested_on: date | None = None
    due_on: date | None = None
    bank_account: Text | None = None
    netted: tuple[NettedCredit, ...] = ()

    def parts(self) -> tuple[BaseModel, ...]:
        """The credit notes it uses up."""
        return self.netted


class Payment(CanonicalDocument):
    """Money that went to the supplier, or came back (`refund`).

    `amount` is what the bank moved; `settles` the same in the invoice's currency, where that differs.
    """

    kind: ClassVar[str] = "payment"
    status: str = "settled"
    invoice: Reference
    instalment: str = "1"
    request: Reference | None = None
    amount: Money
    settles: Money | None = None
    refund: bool = False
    paid_on: date | None = None
    bank_reference: Text | None = None


class MatchRelease(CanonicalDocument):
    """A person accepts one reason of a verdict. `fingerprint` ties it to the figures the person saw."""

    kind: ClassVar[str] = "match_release"
    status: str = "released"
    invoice: Reference
    fingerprint: Text
    released_by: Text
    released_on: date | None = None
    remark: Text | None = None


class ExchangeRate(CanonicalDocument):
    """1 `currency` = `rate` of `into`, from `valid_on` on until a newer one."""

    kind: ClassVar[str] = "exchange_rate"
    currency: Currency
    into: Currency
    rate: Exact
    valid_on: date


INVOICING: tuple[type[CanonicalDocument], ...] = (
    PurchaseInvoice, PaymentRequest, Payment, MatchRelease, ExchangeRate,
)  # fmt: skip
