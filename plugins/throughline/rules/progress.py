"""How far an order has come, line by line, from the documents alone; the header's status follows from its lines."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from throughline.canonical import (
    LATTICES,
    OutboundOrder,
    ProductionReport,
    Receipt,
    SalesOrder,
    Shipment,
    WorkOrder,
    header_of,
    line_of,
    line_reference,
)
from throughline.rules.dossier import Dossier
from throughline.rules.units import ZERO, in_base, is_made


@dataclass(frozen=True)
class LineProgress:
    """One order line in numbers, all in the item's base unit."""

    line: str
    item: str
    made: bool
    ordered: Decimal
    planned: Decimal
    produced: Decimal
    shipped: Decimal

    @property
    def floor(self) -> Decimal:
        """Below this the line cannot be reduced: so many exist or have left."""
        return max(self.produced, self.shipped)


def is_cancelled(order: SalesOrder) -> bool:
    """Whether the order itself says nothing of it is wanted any more."""
    return order.status in LATTICES["sales_order"].exits


def line_progress(order: SalesOrder, dossier: Dossier) -> list[LineProgress]:
    """Every line of the order with what was planned, produced and shipped for it."""
    planned = _planned(dossier)
    produced = _by_line(good_by_work_order(dossier), dossier)
    shipped = _shipped(order, dossier)
    lines = []
    for line in order.lines:
        ref = line_reference(dossier.key, line.line)
        ordered = ZERO if is_cancelled(order) else in_base(line.quantity, line.item, dossier)
        lines.append(
            LineProgress(
                line.line, line.item, is_made(line.item, dossier), ordered,
                planned.get(ref, ZERO), produced.get(ref, ZERO), shipped.get(ref, ZERO),
            )
        )  # fmt: skip
    return lines


def work_orders(dossier: Dossier) -> dict[str, WorkOrder]:
    """Every work order of the process that is not cancelled: the ERP's own and the supplements we made."""
    found = {ref: order for role in ("erp", "hub") for ref, order in dossier.of(WorkOrder, role)}
    return {ref: order for ref, order in found.items() if order.status != "cancelled"}


def order_line_of(work_order: WorkOrder | None, dossier: Dossier) -> str | None:
    """The order line a work order serves, through the work order it supplements when it is a supplement."""
    for _ in range(10):
        if work_order is None or work_order.order_line:
            return work_order.order_line if work_order else None
        work_order = dossier.get(work_order.supplements, WorkOrder) if work_order.supplements else None
    return None


def standing_reports(dossier: Dossier) -> dict[str, ProductionReport]:
    """Production reports that count: not reversed, and not themselves the reversal of another."""
    reports = dict(dossier.of(ProductionReport))
    reversed_ids = {report.reverses for report in reports.values() if report.reverses}
    return {
        ref: report
        for ref, report in reports.items()
        if ref not in reversed_ids and not report.reverses and report.status != "reversed"
    }


def good_by_work_order(dossier: Dossier) -> dict[str, Decimal]:
    """Good pieces reported per work order, in the item's base unit."""
    good: dict[str, Decimal] = {}
    for report in standing_reports(dossier).values():
        item = item_of(report, dossier)
        if item:
            amount = in_base(report.good, item, dossier)
            good[report.work_order] = good.get(report.work_order, ZERO) + amount
    return good


def finished_work_orders(dossier: Dossier) -> set[str]:
    """Work orders that will bring no more: the shop floor says so, a final report was made, or we stopped them."""
    told = {ref for ref, order in dossier.of(WorkOrder, "mes") if order.status in ("completed", "closed", "cancelled")}
    reported = {report.work_order for report in standing_reports(dossier).values() if report.final}
    return told | reported | dossier.stopped


def item_of(report: ProductionReport, dossier: Dossier) -> str | None:
    """The item a report is about: its own word, or its work order's."""
    order = dossier.get(report.work_order, WorkOrder)
    return report.item or (order.item if order else None)


def received_by_item(dossier: Dossier) -> dict[str, Decimal]:
    """What the warehouse put away for this process, per item, in base units."""
    received: dict[str, Decimal] = {}
    for _, receipt in dossier.of(Receipt):
        if receipt.status == "reversed":
            continue
        for line in receipt.lines:
            received[line.item] = received.get(line.item, ZERO) + in_base(line.quantity, line.item, dossier)
    return received


def produced_by_item(dossier: Dossier) -> dict[str, Decimal]:
    """Good pieces reported for this process, per item, in base units."""
    produced: dict[str, Decimal] = {}
    for report in standing_reports(dossier).values():
        item = item_of(report, dossier)
        if item:
            produced[item] = produced.get(item, ZERO) + in_base(report.good, item, dossier)
    return produced


def order_status(order: SalesOrder, dossier: Dossier) -> str:
    """The header's status, derived from the lines."""
    if is_cancelled(order):
        return "cancelled"
    lines = line_progress(order, dossier)
    if lines and all(line.shipped >= line.ordered for line in lines):
        return "shipped"
    if any(line.shipped for line in lines):
        return "part_shipped"
    return _status_before_shipping([line for line in lines if line.made], dossier)


def _status_before_shipping(made: list[LineProgress], dossier: Dossier) -> str:
    if made and all(line.produced >= line.ordered for line in made):
        return "completed"
    if any(line.produced for line in made):
        return "part_completed"
    if dossier.was_carried("mes", "work_order"):
        return "in_production"
    return "planned" if made and all(line.planned >= line.ordered for line in made) else "accepted"


def _planned(dossier: Dossier) -> dict[str, Decimal]:
    """What work orders have brought or will bring: a finished one counts what came out of it."""
    good, finished = good_by_work_order(dossier), finished_work_orders(dossier)
    amounts = {
        ref: good.get(ref, ZERO) if ref in finished else in_base(order.quantity, order.item, dossier)
        for ref, order in work_orders(dossier).items()
    }
    return _by_line(amounts, dossier)


def _by_line(amounts: dict[str, Decimal], dossier: Dossier) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for ref, amount in amounts.items():
        line = order_line_of(dossier.get(ref, WorkOrder), dossier)
        if line:
            total[line] = total.get(line, ZERO) + amount
    return total


def _shipped(order: SalesOrder, dossier: Dossier) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for _, shipment in dossier.of(Shipment):
        if shipment.status in ("reversed", "picked"):
            continue
        for line in shipment.lines:
            ref = order_line_shipped(line.outbound_line, line.item, order, dossier)
            if ref:
                total[ref] = total.get(ref, ZERO) + in_base(line.quantity, line.item, dossier)
    return total


def order_line_shipped(outbound_line: str | None, item: str, order: SalesOrder, dossier: Dossier) -> str | None:
    """The order line a shipment line serves: through the outbound order's line, or the only line of that item."""
    if outbound_line:
        outbound = dossier.get(header_of(outbound_line), OutboundOrder)
        wanted = line_of(outbound_line)
        for line in outbound.lines if outbound else ():
            if line.line == wanted and line.order_line:
                return line.order_line
        if wanted is not None and wanted in _line_ids(order):
            return line_reference(dossier.key, wanted)
    same_item = [line.line for line in order.lines if line.item == item]
    return line_reference(dossier.key, same_item[0]) if len(same_item) == 1 else None


def _line_ids(order: SalesOrder) -> set[str]:
    return {line.line for line in order.lines}
