"""What an accepted change asks of ERP, warehouse and shop floor: what to change, cancel, close at a gate, or add.

A running work order is never raised: what is wanted more becomes a supplement of its own.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from throughline.canonical import Quantity, SalesOrder, WorkOrder, line_of
from throughline.errors import Unknown
from throughline.rules.dossier import Act, Dossier
from throughline.rules.progress import (
    finished_work_orders,
    good_by_work_order,
    is_cancelled,
    order_line_of,
    standing_reports,
    work_orders,
)
from throughline.rules.registry import rule
from throughline.rules.top_up import supplement
from throughline.rules.units import ZERO, is_made
from throughline.rules.warehouse import outbound_order_for_sales_order, reference_of


@rule("order_after_change", kind="make", makes="sales_order")
def order_after_change(item: SalesOrder, dossier: Dossier) -> Act | None:
    """The order as the ERP is to have it from now on, or its cancellation."""
    if not _applies(dossier):
        return None
    return Act("cancel" if is_cancelled(item) else "change", item)


@rule("outbound_after_change", kind="make", makes="outbound_order")
def outbound_after_change(subject: SalesOrder, item: SalesOrder, dossier: Dossier) -> Act | None:
    """What the warehouse is to send from now on, or that it is to send nothing."""
    outbound = outbound_order_for_sales_order(subject, item, dossier)
    if not _applies(dossier) or reference_of(outbound) not in dossier.was_carried("wms", "outbound_order"):
        return None
    return Act("cancel" if is_cancelled(item) else "change", outbound)


@rule("work_orders_after_change", kind="make", makes="work_order")
def work_orders_after_change(dossier: Dossier) -> list[Act]:
    """What the shop floor is to do: cancel what has not begun, close what has, make less, or make more besides."""
    acts = [_stopped(order, dossier) for order in _unwanted(dossier)]
    acts += [Act("change", order) for order in _reduced(dossier)]
    return acts + [Act("create", order) for order in _added(dossier)]


def _stopped(order: WorkOrder, dossier: Dossier) -> Act:
    return Act("close" if _reported(order, dossier) else "cancel", order)


def _reduced(dossier: Dossier) -> list[WorkOrder]:
    """Work orders with a smaller quantity, where less is wanted but not nothing."""
    reduced = []
    for order, remaining in _lowered(dossier):
        if remaining > _good(order, dossier):
            told = Quantity(value=remaining, unit=order.quantity.unit)
            reduced.append(order.model_copy(update={"quantity": told}))
    return reduced


def _added(dossier: Dossier) -> list[WorkOrder]:
    """A supplement for every line that is made and whose quantity went up: the ERP plans nothing more for it."""
    added = []
    for change in _changes(dossier):
        more = Decimal(change["after"]) - Decimal(change["before"])
        planned = _planned_first(change, dossier) if more > ZERO and change["change"] == "increase" else None
        if planned:
            added.append(supplement(planned, more, str(change["unit"]), dossier))
    return added


def _planned_first(change: dict[str, Any], dossier: Dossier) -> str | None:
    """The work order that a supplement adds to; one that the ERP has planned and not told yet is waited for."""
    for ref, order in work_orders(dossier).items():
        if _serves(order, change["line"], dossier):
            return ref
    if not is_made(change["item"], dossier):
        return None
    said = f"the ERP has not told its work order for line {change['line']} yet, so nothing can be added to it"
    raise Unknown(said, awaited=f"{dossier.key}@erp")


def _verdict(dossier: Dossier) -> dict[str, Any]:
    return next((dict(found) for found in dossier.verdicts.values() if "outcome" in found), {})


def _applies(dossier: Dossier) -> bool:
    return _verdict(dossier).get("outcome") == "apply"


def _changes(dossier: Dossier) -> list[dict[str, Any]]:
    return list(_verdict(dossier).get("lines", [])) if _applies(dossier) else []


def _unwanted(dossier: Dossier) -> list[WorkOrder]:
    if _applies(dossier) and _verdict(dossier).get("kind") == "cancel":
        return [order for order in _all_on_the_floor(dossier) if not _over(order, dossier)]
    return [order for order, remaining in _lowered(dossier) if remaining <= _good(order, dossier)]


def _lowered(dossier: Dossier) -> list[tuple[WorkOrder, Decimal]]:
    """Work orders of lines that went down, youngest first, each with what it should still bring in all."""
    lowered: list[tuple[WorkOrder, Decimal]] = []
    for change in _changes(dossier):
        less = Decimal(change["before"]) - (ZERO if change["change"] == "item" else Decimal(change["after"]))
        for order in reversed(_on_the_floor(change["line"], dossier)):
            if less <= ZERO:
                break
            open_part = max(ZERO, order.quantity.value - _good(order, dossier))
            taken = min(less, open_part)
            if taken > ZERO:
                lowered.append((order, order.quantity.value - taken))
            less -= taken
    return lowered


def _on_the_floor(line: str, dossier: Dossier) -> list[WorkOrder]:
    return [
        order for order in _all_on_the_floor(dossier) if _serves(order, line, dossier) and not _over(order, dossier)
    ]


def _serves(order: WorkOrder, line: str, dossier: Dossier) -> bool:
    return line_of(order_line_of(order, dossier) or "") == line


def _all_on_the_floor(dossier: Dossier) -> list[WorkOrder]:
    carried = dossier.was_carried("mes", "work_order")
    return [order for ref, order in sorted(work_orders(dossier).items()) if ref in carried]


def _over(order: WorkOrder, dossier: Dossier) -> bool:
    ref = _ref(order, dossier)
    return ref in finished_work_orders(dossier)


def _reported(order: WorkOrder, dossier: Dossier) -> bool:
    return _good(order, dossier) > ZERO or any(
        report.work_order == _ref(order, dossier) for report in standing_reports(dossier).values()
    )


def _good(order: WorkOrder, dossier: Dossier) -> Decimal:
    return good_by_work_order(dossier).get(_ref(order, dossier), ZERO)


def _ref(order: WorkOrder, dossier: Dossier) -> str:
    return next((ref for ref, known in work_orders(dossier).items() if known.number == order.number), "")
