"""What is asked for, ordered, confirmed, received and inspected when the company buys."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from throughline.canonical.documents import Address, CanonicalDocument, Text
from throughline.canonical.quantities import Exact, Money, Quantity
from throughline.canonical.references import Reference

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Version = Annotated[Decimal, Field(ge=0, multiple_of=1)]
TaxTreatment = Annotated[str, StringConstraints(pattern=r"^(standard|reverse_charge|exempt)$")]
Movement = Annotated[str, StringConstraints(pattern=r"^(receipt|return|reversal)$")]


class Part(BaseModel):
    """A part of a document: a line, a term, an account."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Supplier(CanonicalDocument):
    """A company we buy from. Payment goes to `bank_account`, whatever an invoice prints.

    `group` names the family of companies it belongs to: the same invoice from two of them is looked for.
    `bank_confirmed_by` called the supplier back about its bank account; that is never who changed it.
    """

    kind: ClassVar[str] = "supplier"
    status: str = "active"
    name: Text
    group: Text | None = None
    tax_number: Text | None = None
    email: Text | None = None
    address: Address | None = None
    certificate_until: date | None = None
    bank_account: Text | None = None
    bank_changed_on: date | None = None
    bank_changed_by: Text | None = None
    bank_confirmed_on: date | None = None
    bank_confirmed_by: Text | None = None


class PurchaseRequisitionLine(Part):
    """One thing somebody needs bought."""

    line: str
    item: Reference | None = None
    description: Text | None = None
    category: Text | None = None
    quantity: Quantity
    estimated_price: Money | None = None
    needed_on: date | None = None
    cost_centre: Text | None = None
    project: Text | None = None
    supplier: Reference | None = None


class PurchaseRequisition(CanonicalDocument):
    """What somebody asked to have bought; `approved_content` is the hash of what was approved."""

    kind: ClassVar[str] = "purchase_requisition"
    status: str = "draft"
    requested_by: Text | None = None
    company: Text | None = None
    currency: Currency = "CNY"
    submitted_on: date | None = None
    approved_content: Text | None = None
    lines: tuple[PurchaseRequisitionLine, ...] = ()


class OrderedFor(Part):
    """So many of an order line serve this requisition line; one may serve many, and many one."""

    requisition_line: Reference
    quantity: Quantity


class PurchaseOrderLine(Part):
    """One thing ordered. The price is for `price_per` of `price_unit` (nothing said: of the quantity's unit).

    `factors`: 1 of this unit = so many of the item's own unit, where this supplier's packing differs from the item's.
    `tax_rate` in percent. `delivery_complete`: nothing more will come, whatever is missing.
    """

    line: str
    item: Reference | None = None
    description: Text | None = None
    category: Text | None = None
    quantity: Quantity
    unit_price: Money
    price_per: Exact = Decimal(1)
    price_unit: str | None = None
    tax_rate: Exact | None = None
    due_on: date | None = None
    delivery_complete: bool = False
    factors: dict[str, Decimal] = Field(default_factory=dict)
    sources: tuple[OrderedFor, ...] = ()


class AgreedRate(Part):
    """Contract rate: 1 of the order's currency = `rate` of `currency`."""

    currency: Currency
    rate: Exact


class PlannedCharge(Part):
    """Freight, packaging and the like that the order already agrees to, net."""

    code: str
    amount: Money


class PurchaseOrder(CanonicalDocument):
    """What was ordered from a supplier; one document per version, all under the same number.

    A version holds from `valid_from` (nothing said: from the day of the order) until a higher one holds.
    Prepayment: so many percent of the order's value with tax, or the amount. Retention: so many percent of every
    invoice, kept until `retention_until`.
    """

    kind: ClassVar[str] = "purchase_order"
    company: Text | None = None
    supplier: Reference
    currency: Currency = "CNY"
    ordered_on: date
    version: Version = Decimal(1)
    valid_from: date | None = None
    requisition: Reference | None = None
    tax_treatment: TaxTreatment | None = None
    prepayment_percent: Exact | None = None
    prepayment_amount: Money | None = None
    retention_percent: Exact | None = None
    retention_until: date | None = None
    agreed_rates: tuple[AgreedRate, ...] = ()
    charges: tuple[PlannedCharge, ...] = ()
    lines: tuple[PurchaseOrderLine, ...] = ()

    def parts(self) -> tuple[BaseModel, ...]:
        """The lines and what each is ordered for."""
        return (*self.lines, *(source for line in self.lines for source in line.sources))


class SupplierConfirmationLine(Part):
    """What the supplier says it will deliver for one order line."""

    line: str
    order_line: Reference
    quantity: Quantity
    unit_price: Money | None = None
    due_on: date | None = None


class SupplierConfirmation(CanonicalDocument):
    """The supplier's answer to a purchase order."""

    kind: ClassVar[str] = "supplier_confirmation"
    order: Reference
    confirmed_on: date | None = None
    lines: tuple[SupplierConfirmationLine, ...] = ()


class PurchaseReceiptLine(Part):
    """What was really taken in, or sent back, for an order line.

    `weighed` is what the scales said, and counts instead of `quantity` (catch weight). `returns` names the receipt line
    these goods came with.
    """

    line: str
    order_line: Reference | None = None
    item: Reference | None = None
    quantity: Quantity
    weighed: Quantity | None = None
    returns: Reference | None = None
    lot: str | None = None


class PurchaseReceipt(CanonicalDocument):
    """Goods taken in from a supplier, goods sent back (`return`), or a booking undone (`reversal`).

    Quantities are never negative: the movement says which way they go. `reverses` undoes a whole document; a reversal
    of some lines names them by `returns`.
    """

    kind: ClassVar[str] = "purchase_receipt"
    status: str = "received"
    movement: Movement = "receipt"
    supplier: Reference | None = None
    received_on: date
    delivery_note: Text | None = None
    reverses: Reference | None = None
    lines: tuple[PurchaseReceiptLine, ...] = ()


class InspectionLine(Part):
    """How much of a receipt line is good and how much is not."""

    line: str
    receipt_line: Reference
    accepted: Quantity
    rejected: Quantity | None = None


class Inspection(CanonicalDocument):
    """The result of an incoming inspection; several may share one receipt line, each for its part."""

    kind: ClassVar[str] = "inspection"
    inspected_on: date | None = None
    lines: tuple[InspectionLine, ...] = ()


PURCHASING: tuple[type[CanonicalDocument], ...] = (
    Supplier, PurchaseRequisition, PurchaseOrder, SupplierConfirmation, PurchaseReceipt, Inspection,
)  # fmt: skip
