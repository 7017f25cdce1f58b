"""What an accepted change asks of the shop floor: orders to cancel, to close at a gate, and supplements to add.

A running work order is never raised: what is wanted more becomes a supplement of its own.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from throughline.canonical import Quantity, WorkOrder, line_of
from throughline.rules.dossier import Dossier
from throughline.rules.progress import (
    finished_work_orders,
    good_by_work_order,
    order_line_of,
    standing_reports,
    work_orders,
)
from throughline.rules.registry import rule
from throughline.rules.units import ZERO


@rule("work_orders_to_cancel", kind="make", makes="work_order")
def work_orders_to_cancel(dossier: Dossier) -> list[WorkOrder]:
    """Work orders on the shop floor that are not wanted any more and of which nothing was reported."""
    return [order for order in _unwanted(dossier) if not _reported(order, dossier)]


@rule("work_orders_to_close", kind="make", makes="work_order")
def work_orders_to_close(dossier: Dossier) -> list[WorkOrder]:
    """Work orders on the shop floor that stop where they are: something was made, and no more is wanted."""
    return [order for order in _unwanted(dossier) if _reported(order, dossier)]


@rule("work_orders_to_reduce", kind="make", makes="work_order")
def work_orders_to_reduce(dossier: Dossier) -> list[WorkOrder]:
    """Work orders on the shop floor with a smaller quantity, where less is wanted but not nothing."""
    reduced = []
    for order, remaining in _lowered(dossier):
        if remaining > _good(order, dossier):
            told = Quantity(value=remaining, unit=order.quantity.unit)
            reduced.append(order.model_copy(update={"quantity": told}))
    return reduced


@rule("work_orders_to_add", kind="make", makes="work_order")
def work_orders_to_add(dossier: Dossier) -> list[WorkOrder]:
    """A supplement for every line whose quantity went up while its work order is already on the shop floor."""
    added = []
    for change in _changes(dossier):
        more = Decimal(change["after"]) - Decimal(change["before"])
        running = _on_the_floor(change["line"], dossier)
        if more > ZERO and running:
            added.append(_supplement(running[0], more, change, dossier))
    return added


def _supplement(order: WorkOrder, more: Decimal, change: dict[str, Any], dossier: Dossier) -> WorkOrder:
    ref = _ref(order, dossier)
    revision = dossier.item_id.rpartition("@")[2]
    return WorkOrder(
        number=f"{order.number}-R{revision}",
        status="planned",
        order_line=order.order_line,
        item=order.item,
        quantity=Quantity(value=more, unit=str(change["unit"])),
        planned_on=order.planned_on,
        supplements=ref,
    )


def _verdict(dossier: Dossier) -> dict[str, Any]:
    return next((dict(found) for found in dossier.verdicts.values() if "outcome" in found), {})


def _changes(dossier: Dossier) -> list[dict[str, Any]]:
    verdict = _verdict(dossier)
    return list(verdict.get("lines", [])) if verdict.get("outcome") == "apply" else []


def _unwanted(dossier: Dossier) -> list[WorkOrder]:
    if _verdict(dossier).get("kind") == "cancel" and _verdict(dossier).get("outcome") == "apply":
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
        order
        for order in _all_on_the_floor(dossier)
        if line_of(order_line_of(order, dossier) or "") == line and not _over(order, dossier)
    ]


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
