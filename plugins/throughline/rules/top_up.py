"""Scrap: when a work order ends with fewer good pieces than wanted, the rest is ordered again as a supplement."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from throughline.canonical import ProductionReport, Quantity, SalesOrder, WorkOrder, line_of
from throughline.errors import Unknown
from throughline.rules.dossier import Dossier
from throughline.rules.progress import (
    finished_work_orders,
    good_by_work_order,
    line_progress,
    order_line_of,
    standing_reports,
    work_orders,
)
from throughline.rules.registry import rule
from throughline.rules.units import ZERO, base_unit, in_base, plain

MES = "mes"


@rule("scrap_top_up", kind="decide")
def scrap_top_up(subject: SalesOrder, item: ProductionReport, dossier: Dossier) -> dict[str, Any]:
    """How many pieces must be made again after the final report of a work order."""
    nothing = {"needed": False, "quantity": "0"}
    if not item.final or dossier.item_id not in standing_reports(dossier):
        return nothing
    order = dossier.get(item.work_order, WorkOrder)
    if order is None:
        raise Unknown(f"the work order {item.work_order} is not known", awaited=f"{item.work_order}@erp")
    line = order_line_of(order, dossier)
    missing = _missing(subject, line, dossier) if line else ZERO
    if line is None or missing <= ZERO:
        return nothing
    _all_told(subject, item, order, line, dossier)
    root = root_of(item.work_order, dossier)
    number = supplement_number(root, dossier)
    unit = base_unit(order.item, dossier)
    return {
        "needed": True,
        "quantity": plain(missing),
        "unit": unit,
        "line": line,
        "number": number,
        "supplements": root,
        "sentence": {
            "en": f"{plain(missing)} {unit} short after {item.number}: {number} makes them again",
            "zh": f"{item.number} 报工后缺 {plain(missing)} {unit}:由 {number} 补做",
        },
    }


@rule("work_order_top_up", kind="make", makes="work_order")
def work_order_top_up(dossier: Dossier) -> WorkOrder | None:
    """The supplementary work order for what scrap left missing."""
    verdict = next((found for found in dossier.verdicts.values() if found.get("needed")), None)
    if verdict is None:
        return None
    made = supplement(str(verdict["supplements"]), Decimal(str(verdict["quantity"])), str(verdict["unit"]), dossier)
    return made.model_copy(update={"number": str(verdict["number"])})


def supplement(ref: str, more: Decimal, unit: str, dossier: Dossier) -> WorkOrder:
    """A work order of its own for so many more of what another one makes; a running order is never raised."""
    original = dossier.get(ref, WorkOrder)
    if original is None:
        raise Unknown(f"the work order {ref} is not known, so nothing can be added to it", awaited=ref)
    return WorkOrder(
        number=supplement_number(root_of(ref, dossier), dossier),
        status="planned",
        order_line=order_line_of(original, dossier),
        item=original.item,
        quantity=Quantity(value=more, unit=unit),
        planned_on=original.planned_on,
        supplements=root_of(ref, dossier),
    )


def supplement_number(root: str, dossier: Dossier) -> str:
    """The next free number below a work order: WO-1-S1, WO-1-S2."""
    return f"{root.split(':', 2)[2]}-S{_supplements_of(root, dossier) + 1}"


def root_of(ref: str, dossier: Dossier) -> str:
    """The work order at the bottom of a chain of supplements."""
    for _ in range(10):
        order = dossier.get(ref, WorkOrder)
        if order is None or not order.supplements:
            return ref
        ref = order.supplements
    return ref


def outstanding(line: str, dossier: Dossier) -> Decimal:
    """What work orders still under way will yet bring for an order line, supplements promised before included."""
    good, finished = good_by_work_order(dossier), finished_work_orders(dossier)
    known = work_orders(dossier)
    coming = ZERO
    for ref, order in known.items():
        if ref not in finished and order_line_of(order, dossier) == line:
            coming += max(ZERO, in_base(order.quantity, order.item, dossier) - good.get(ref, ZERO))
    numbers = {order.number for order in known.values()}
    for verdict in dossier.earlier:
        if verdict.get("needed") and verdict.get("line") == line and verdict.get("number") not in numbers:
            coming += Decimal(str(verdict["quantity"]))
    return coming


def _missing(subject: SalesOrder, line: str, dossier: Dossier) -> Decimal:
    mine = next((found for found in line_progress(subject, dossier) if found.line == line_of(line)), None)
    return mine.ordered - mine.produced - outstanding(line, dossier) - _untold(line, dossier) if mine else ZERO


def _untold(line: str, dossier: Dossier) -> Decimal:
    """Good pieces the shop floor counts on its work orders whose reports have not arrived yet."""
    told, finished = good_by_work_order(dossier), finished_work_orders(dossier)
    more = ZERO
    for ref, order in dossier.of(WorkOrder, MES):
        if order.good is not None and ref in finished and order_line_of(dossier.get(ref, WorkOrder), dossier) == line:
            more += max(ZERO, in_base(order.good, order.item, dossier) - told.get(ref, ZERO))
    return more


def _all_told(subject: SalesOrder, item: ProductionReport, order: WorkOrder, line: str, dossier: Dossier) -> None:
    """Go on only when every piece of the work order is accounted for; a final report may overtake an earlier one."""
    counted = dossier.get(item.work_order, WorkOrder, MES)
    over = counted is not None and counted.good is not None and counted.status in ("completed", "closed")
    if over or item.work_order in dossier.stopped:
        return
    reports = [report for report in standing_reports(dossier).values() if report.work_order == item.work_order]
    told = sum((in_base(q, order.item, dossier) for r in reports for q in (r.good, r.scrap)), ZERO)
    ordered = sum((found.ordered for found in line_progress(subject, dossier) if found.line == line_of(line)), ZERO)
    wanted = min(in_base(order.quantity, order.item, dossier), ordered)
    if told < wanted:
        said = (
            f"{item.number} is final, but only {plain(told)} of {plain(wanted)} pieces of {order.number} are reported"
        )
        raise Unknown(f"{said}: reports or the shop floor's totals are still to come", awaited=f"{item.work_order}@mes")


def _supplements_of(root: str, dossier: Dossier) -> int:
    made = {order.number for _, order in dossier.of(WorkOrder) if order.supplements == root}
    promised = {str(found["number"]) for found in dossier.earlier if found.get("supplements") == root}
    return len(made | promised)
