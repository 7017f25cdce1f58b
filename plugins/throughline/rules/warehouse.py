"""What the warehouse must know beforehand: what will arrive from production, and what to send to whom."""

from __future__ import annotations

from throughline.canonical import (
    CanonicalDocument,
    Customer,
    OutboundOrder,
    OutboundOrderLine,
    ProductionReport,
    ReceiptNotice,
    ReceiptNoticeLine,
    SalesOrder,
    line_reference,
    reference,
)
from throughline.rules.dossier import Dossier
from throughline.rules.progress import is_cancelled, item_of
from throughline.rules.registry import rule


@rule("receipt_notice_for_report", kind="make", makes="receipt_notice")
def receipt_notice_for_report(item: ProductionReport, dossier: Dossier) -> ReceiptNotice | None:
    """Announces the good pieces of one production report to the warehouse; nothing good, nothing to announce."""
    made = item_of(item, dossier)
    if made is None or item.good.value <= 0 or item.status == "reversed" or item.reverses:
        return None
    return ReceiptNotice(
        number=f"RN-{item.number}",
        work_order=item.work_order,
        report=dossier.item_id,
        lines=(ReceiptNoticeLine(line="1", item=made, quantity=item.good),),
    )


def reference_of(outbound: OutboundOrder) -> str:
    """The canonical id of an outbound order: the hub itself is its owner."""
    return reference("outbound_order", "hub", outbound.number)


@rule("outbound_order_for_sales_order", kind="make", makes="outbound_order")
def outbound_order_for_sales_order(
    subject: SalesOrder, item: CanonicalDocument | None, dossier: Dossier
) -> OutboundOrder:
    """What the warehouse is to send for an order; for a revision, what it is to send from now on."""
    order = item if isinstance(item, SalesOrder) else subject
    wanted = subject if is_cancelled(order) else order
    customer = dossier.get(wanted.customer, Customer)
    ship_to = wanted.ship_to or (customer.address if customer else None)
    name = customer.name if customer else (ship_to.recipient if ship_to and ship_to.recipient else wanted.customer)
    return OutboundOrder(
        number=f"OB-{wanted.number}",
        status="cancelled" if is_cancelled(order) else "created",
        order=dossier.key,
        customer_name=name,
        ship_to=ship_to,
        requested_on=wanted.requested_on,
        lines=tuple(
            OutboundOrderLine(
                line=line.line,
                order_line=line_reference(dossier.key, line.line),
                item=line.item,
                quantity=line.quantity,
            )
            for line in wanted.lines
        ),
    )
