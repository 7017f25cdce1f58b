"""What the warehouse reported, named as the books need it: a shipment by its order, a receipt by its work order."""

from __future__ import annotations

from decimal import Decimal

from throughline.canonical import (
    Quantity,
    Receipt,
    ReceiptNotice,
    SalesOrder,
    SalesOrderLine,
    Shipment,
    ShipmentLine,
    WorkOrder,
    line_reference,
)
from throughline.rules.dossier import Dossier
from throughline.rules.progress import order_line_shipped
from throughline.rules.registry import rule
from throughline.rules.top_up import root_of
from throughline.rules.units import base_unit, in_base, plain


@rule("shipment_for_order", kind="make", makes="shipment")
def shipment_for_order(subject: SalesOrder, item: Shipment, dossier: Dossier) -> Shipment:
    """The shipment with the order it belongs to, each line naming the order's own line."""
    lines = tuple(
        line.model_copy(
            update={
                "outbound_line": order_line_shipped(line.outbound_line, line.item, subject, dossier)
                or line.outbound_line
            }
        )
        for line in item.lines
    )
    return item.model_copy(update={"order": dossier.key, "lines": lines})


@rule("delivery_note_for_order", kind="make", makes="shipment")
def delivery_note_for_order(subject: SalesOrder, item: Shipment, dossier: Dossier) -> Shipment:
    """The shipment in the words of the order: cartons where cartons were ordered and come out whole."""
    made = shipment_for_order(subject, item, dossier)
    ordered = {line_reference(dossier.key, line.line): line for line in subject.lines}
    lines, remarks = [], []
    for line in made.lines:
        order_line = ordered.get(line.outbound_line or "")
        if order_line is None or order_line.item != line.item:
            lines.append(line)
            continue
        quantity = _as_ordered(line, order_line.quantity.unit, dossier)
        lines.append(line.model_copy(update={"quantity": quantity}))
        if quantity.unit != order_line.quantity.unit:
            remarks.append(_not_whole(order_line, quantity))
    return made.model_copy(update={"lines": tuple(lines), "remark": " ".join(remarks) or None})


def _as_ordered(line: ShipmentLine, unit: str, dossier: Dossier) -> Quantity:
    """The amount in the order line's unit when that is exact, otherwise in the item's own."""
    amount = in_base(line.quantity, line.item, dossier)
    holds = in_base(Quantity(value=Decimal(1), unit=unit), line.item, dossier)
    if holds > 0 and amount % holds == 0:
        return Quantity(value=amount / holds, unit=unit)
    return Quantity(value=amount, unit=base_unit(line.item, dossier))


def _not_whole(order_line: SalesOrderLine, quantity: Quantity) -> str:
    told, unit = f"{plain(quantity.value)} {quantity.unit}", order_line.quantity.unit
    return f"Line {order_line.line}: {told}, not whole {unit}. / 第 {order_line.line} 行:{told},不足整 {unit}。"


@rule("receipt_for_work_order", kind="make", makes="receipt")
def receipt_for_work_order(item: Receipt, dossier: Dossier) -> Receipt:
    """The receipt naming the ERP's work order it completes, whichever supplement the goods came from."""
    notice = dossier.get(item.notice, ReceiptNotice) if item.notice else None
    if notice is None or notice.work_order is None:
        return item
    root = root_of(notice.work_order, dossier)
    return item.model_copy(update={"notice": root}) if dossier.get(root, WorkOrder) else item
