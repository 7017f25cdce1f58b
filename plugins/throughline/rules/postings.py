"""What the warehouse reported, named as the books need it: a shipment by its order, a receipt by its work order."""

from __future__ import annotations

from throughline.canonical import Receipt, ReceiptNotice, SalesOrder, Shipment, WorkOrder
from throughline.rules.dossier import Dossier
from throughline.rules.progress import order_line_shipped
from throughline.rules.registry import rule
from throughline.rules.top_up import root_of


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


@rule("receipt_for_work_order", kind="make", makes="receipt")
def receipt_for_work_order(item: Receipt, dossier: Dossier) -> Receipt:
    """The receipt naming the ERP's work order it completes, whichever supplement the goods came from."""
    notice = dossier.get(item.notice, ReceiptNotice) if item.notice else None
    if notice is None or notice.work_order is None:
        return item
    root = root_of(notice.work_order, dossier)
    return item.model_copy(update={"notice": root}) if dossier.get(root, WorkOrder) else item
