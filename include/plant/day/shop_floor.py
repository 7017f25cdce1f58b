"""Workers look at the MES for work orders and report what they made."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from include.plant.day.pace import Pace, Timers
from include.plant.emulators.clients import MesPeople, PlantRefused

Part = tuple[Decimal, Decimal, bool]


class ShopFloor:
    """Decides from the MES's own state what to report next, so it may be stopped and started at any time."""

    def __init__(self, mes: MesPeople, pace: Pace) -> None:
        self._mes, self._pace = mes, pace
        self._timers = Timers()

    def work(self, now: float) -> list[str]:
        """Report what is due; returns a sentence for each report."""
        done = [self._report(order) for order in self._mes.work_orders() if self._is_due(order, now)]
        self._timers.forget_the_rest()
        return done

    def _is_due(self, order: Mapping[str, Any], now: float) -> bool:
        pace, produced = self._pace, _produced(order)
        wait = pace.next_part_seconds if produced else pace.produce_seconds
        return self._timers.waited(now, order["code"], str(produced)) >= wait / pace.speed

    def _report(self, order: Mapping[str, Any]) -> str:
        good, scrap, finished = next_part(order, self._pace)
        try:
            self._mes.report(order["code"], f"{good:f}", f"{scrap:f}", finished=finished)
        except PlantRefused as no:
            return f"the MES refused a report for {order['code']}: {no}"
        return f"produced {good:f} good, {scrap:f} scrap for {order['code']}{' (finished)' if finished else ''}"


def next_part(order: Mapping[str, Any], pace: Pace) -> Part:
    """What the next report of a work order says: good, scrap, finished."""
    planned, code = Decimal(order["plannedAmount"]), str(order["code"])
    left = max(planned - _produced(order), Decimal(0))
    first = not _produced(order)
    if first and planned >= 4 and pace.happens(pace.split_production, "split", code):
        return planned // 2, Decimal(0), False
    scrap = _scrap(order, left, pace)
    return left - scrap, scrap, True


def _scrap(order: Mapping[str, Any], left: Decimal, pace: Pace) -> Decimal:
    """Some orders lose a tenth; what is made to replace scrap never does, so that every order ends."""
    supplements = (order.get("customFields") or {}).get("supplements")
    if supplements or left < 2 or not pace.happens(pace.scrap, "scrap", str(order["code"])):
        return Decimal(0)
    return min(max(Decimal(order["plannedAmount"]) // 10, Decimal(1)), left - 1)


def _produced(order: Mapping[str, Any]) -> Decimal:
    return Decimal(order["qualifiedAmount"]) + Decimal(order["unqualifiedAmount"])
