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


@rule("scrap_top_up", kind="decide")
def scrap_top_up(subject: SalesOrder, item: ProductionReport, dossier: Dossier) -> dict[str, Any]:
    """How many pieces must be made again after the final report of a work order."""
    nothing = {"needed": False, "quantity": "0"}
    order = dossier.get(item.work_order, WorkOrder)
    line = order_line_of(order, dossier)
    if not item.final or order is None or line is None or dossier.item_id not in standing_reports(dossier):
        return nothing
    missing = _missing(subject, line, dossier)
    if missing <= ZERO:
        return nothing
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
    return mine.ordered - mine.produced - outstanding(line, dossier) if mine else ZERO


def _supplements_of(root: str, dossier: Dossier) -> int:
    made = {order.number for _, order in dossier.of(WorkOrder) if order.supplements == root}
    promised = {str(found["number"]) for found in dossier.earlier if found.get("supplements") == root}
    return len(made | promised)
