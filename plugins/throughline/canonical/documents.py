"""The business documents the hub speaks of, each a frozen model.

`kind` names the document in flows, tables and the ledger. `number` is the business number people say aloud. `status`
moves along the kind's lattice. `references()` lists every other document it names, which is how it finds its process.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from throughline.canonical.quantities import Money, Quantity
from throughline.canonical.references import Reference

Text = Annotated[str, Field(max_length=4000)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CanonicalDocument(_Frozen):
    """What every business document has: a kind, a number, a status, and the documents it names."""

    kind: ClassVar[str]

    number: Annotated[str, Field(min_length=1, max_length=200)]
    status: str = "created"

    def references(self) -> Iterator[str]:
        """Every canonical reference inside this document, header and lines."""
        for model in (self, *self.parts()):
            for name in _reference_fields(type(model)):
                value = getattr(model, name)
                if value is not None:
                    yield value

    def parts(self) -> tuple[BaseModel, ...]:
        """The document's lines, when it has any."""
        return tuple(getattr(self, "lines", ()))


@cache
def _reference_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """The fields of a model that name other documents."""
    return tuple(name for name, info in model.model_fields.items() if _is_reference(info.annotation, info.metadata))


def _is_reference(annotation: Any, metadata: list[Any]) -> bool:
    marks = [*metadata, *(m for a in getattr(annotation, "__args__", ()) for m in getattr(a, "__metadata__", ()))]
    return any("a-z_]+:" in str(getattr(mark, "pattern", "")) for mark in marks)


class Address(_Frozen):
    """Where something goes, in the customer's own words."""

    recipient: Text | None = None
    phone: Text | None = None
    street: Text = ""
    city: Text | None = None
    country: Text | None = None


class Customer(CanonicalDocument):
    """A company that buys. `number` is its number in the system that owns customers."""

    kind: ClassVar[str] = "customer"
    status: str = "active"
    name: Text
    tax_number: Text | None = None
    email: Text | None = None
    address: Address | None = None


class Item(CanonicalDocument):
    """Something bought, made or sold, with its own unit factors: 1 of `factors`' unit = so many of `unit`."""

    kind: ClassVar[str] = "item"
    status: str = "active"
    name: Text
    unit: str
    factors: dict[str, Decimal] = Field(default_factory=dict)
    made: bool = False


class SalesOrderLine(_Frozen):
    """One thing a customer wants, how many, at what price."""

    line: str
    item: Reference
    quantity: Quantity
    unit_price: Money | None = None
    requested_on: date | None = None


class SalesOrder(CanonicalDocument):
    """What a customer ordered."""

    kind: ClassVar[str] = "sales_order"
    customer: Reference
    currency: str = "CNY"
    ordered_at: AwareDatetime | None = None
    requested_on: date | None = None
    customer_order_number: Text | None = None
    contact_email: Text | None = None
    ship_to: Address | None = None
    remark: Text | None = None
    lines: tuple[SalesOrderLine, ...] = ()


class OrderUpdate(CanonicalDocument):
    """News about an order, told back to the system that took it; `number` is unique to the piece of news."""

    kind: ClassVar[str] = "order_update"
    order: Reference
    erp_number: Text | None = None
    message: Text | None = None


class WorkOrder(CanonicalDocument):
    """An instruction to make so many of an item, for an order line when it is made to order.

    `good` and `scrap` are the totals so far, as the shop floor itself counts them.
    """

    kind: ClassVar[str] = "work_order"
    order_line: Reference | None = None
    item: Reference
    quantity: Quantity
    planned_on: date | None = None
    supplements: Reference | None = None
    good: Quantity | None = None
    scrap: Quantity | None = None


class ProductionReport(CanonicalDocument):
    """The shop floor says: so many good, so many scrapped, and whether the work order is finished with that."""

    kind: ClassVar[str] = "production_report"
    work_order: Reference
    item: Reference | None = None
    good: Quantity
    scrap: Quantity
    final: bool = False
    reported_at: AwareDatetime | None = None
    reverses: Reference | None = None


class ReceiptNoticeLine(_Frozen):
    """So many of an item are about to arrive in the warehouse."""

    line: str
    item: Reference
    quantity: Quantity


class ReceiptNotice(CanonicalDocument):
    """Tells the warehouse what will arrive, before it arrives (an ASN)."""

    kind: ClassVar[str] = "receipt_notice"
    work_order: Reference | None = None
    report: Reference | None = None
    lines: tuple[ReceiptNoticeLine, ...] = ()


class ReceiptLine(_Frozen):
    """What the warehouse really put away."""

    line: str
    item: Reference
    quantity: Quantity
    lot: str | None = None


class Receipt(CanonicalDocument):
    """The warehouse received goods against a notice."""

    kind: ClassVar[str] = "receipt"
    notice: Reference | None = None
    received_at: AwareDatetime | None = None
    lines: tuple[ReceiptLine, ...] = ()


class OutboundOrderLine(_Frozen):
    """So many of an item are to leave for an order line."""

    line: str
    order_line: Reference | None = None
    item: Reference
    quantity: Quantity


class OutboundOrder(CanonicalDocument):
    """Tells the warehouse what to send to whom."""

    kind: ClassVar[str] = "outbound_order"
    order: Reference
    customer_name: Text
    ship_to: Address | None = None
    requested_on: date | None = None
    lines: tuple[OutboundOrderLine, ...] = ()


class ShipmentLine(_Frozen):
    """What really left, for which line of the outbound order."""

    line: str
    outbound_line: Reference | None = None
    item: Reference
    quantity: Quantity
    lot: str | None = None


class Shipment(CanonicalDocument):
    """Goods left the warehouse for a customer; one outbound order may leave in several shipments."""

    kind: ClassVar[str] = "shipment"
    outbound: Reference
    order: Reference | None = None
    carrier: Text | None = None
    tracking_number: Text | None = None
    shipped_at: AwareDatetime | None = None
    last: bool | None = None
    remark: Text | None = None
    lines: tuple[ShipmentLine, ...] = ()


class StockLevel(CanonicalDocument):
    """How many of an item lie at a site now."""

    kind: ClassVar[str] = "stock_level"
    item: Reference
    site: str
    on_hand: Quantity
    available: Quantity | None = None
    as_of: datetime | None = None


class Notice(CanonicalDocument):
    """A message to a person outside or inside the company."""

    kind: ClassVar[str] = "notice"
    about: Reference
    recipient: Text
    subject: Text
    body: Annotated[str, Field(max_length=100_000)]


DOCUMENTS: dict[str, type[CanonicalDocument]] = {
    model.kind: model
    for model in (
        Customer, Item, SalesOrder, OrderUpdate, WorkOrder, ProductionReport, ReceiptNotice, Receipt, OutboundOrder,
        Shipment, StockLevel, Notice,
    )
}  # fmt: skip
