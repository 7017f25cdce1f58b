"""People in the warehouse receive what was announced and ship what was ordered."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Protocol

from include.plant.day.pace import Pace, Timers
from include.plant.emulators.clients import PlantRefused, WarehousePeople

Lines = list[dict[str, str]]


class Warehouse(Protocol):
    """Any warehouse the day driver can work in. `now` is a clock in seconds that only goes forward."""

    def receive_expected(self, now: float) -> list[str]:
        """Receive what is due; a sentence for each receipt."""
        ...

    def ship_ready(self, now: float) -> list[str]:
        """Ship what is due and in stock; a sentence for each shipment."""
        ...


class FluxWarehouse:
    """The FLUX warehouse; everything is decided from its own state, so it may be stopped and started at any time."""

    def __init__(self, people: WarehousePeople, pace: Pace) -> None:
        self._people, self._pace = people, pace
        self._receiving, self._shipping = Timers(), Timers()
        self._open: dict[str, Any] = {}

    def receive_expected(self, now: float) -> list[str]:
        """Receive what was announced some time ago."""
        self._open = self._people.open()
        wait = self._pace.receive_seconds / self._pace.speed
        due = [a for a in self._open["asns"] if self._receiving.waited(now, a["docNo"], _sum(a, "received")) >= wait]
        self._receiving.forget_the_rest()
        return [self._receive(asn) for asn in due]

    def _receive(self, asn: Mapping[str, Any]) -> str:
        try:
            return f"received {asn['docNo']}: {self._people.receive(asn['docNo'])}"
        except PlantRefused as no:
            return f"the warehouse could not receive {asn['docNo']}: {no}"

    def ship_ready(self, now: float) -> list[str]:
        """Ship orders that the stock covers; after some patience also what is there of an order."""
        stock = {row["sku"]: Decimal(row["qty"]) for row in self._open.get("stock", [])}
        done = [sentence for order in self._open.get("orders", []) if (sentence := self._look_at(order, stock, now))]
        self._shipping.forget_the_rest()
        return done

    def _look_at(self, order: Mapping[str, Any], stock: dict[str, Decimal], now: float) -> str:
        lines, complete = shippable(order, stock)
        number, speed = order["docNo"], self._pace.speed
        wait = self._pace.ship_seconds if complete else self._pace.patience_seconds
        waited = self._shipping.waited(now, number, _sum(order, "shipped"), str(complete))
        if not lines or waited < wait / speed:
            return ""
        if _sum(order, "shipped") == "0" and self._pace.happens(self._pace.split_shipment, "ship", number):
            lines = halved(lines)
        return self._ship(number, lines, stock, {line["lineNo"]: line["sku"] for line in order["details"]})

    def _ship(self, number: str, lines: Lines, stock: dict[str, Decimal], skus: Mapping[str, str]) -> str:
        try:
            delivery = self._people.ship(number, lines)
        except PlantRefused as no:
            return f"the warehouse could not ship {number}: {no}"
        for line in lines:
            stock[skus[line["lineNo"]]] -= Decimal(line["qty"])
        return f"shipped {number}: {delivery} with {', '.join(line['qty'] for line in lines)}"


def shippable(order: Mapping[str, Any], stock: Mapping[str, Decimal]) -> tuple[Lines, bool]:
    """The lines the stock allows now, and whether that is all that is left of the order."""
    free, lines, complete = dict(stock), [], True
    for line in order["details"]:
        left = Decimal(line["qtyOrdered"]) - Decimal(line["shipped"])
        part = min(left, free.get(line["sku"], Decimal(0)))
        free[line["sku"]] = free.get(line["sku"], Decimal(0)) - part
        complete = complete and part == left
        if part > 0:
            lines.append({"lineNo": str(line["lineNo"]), "qty": f"{part:f}"})
    return lines, complete and bool(lines)


def halved(lines: Lines) -> Lines:
    """About half of each line, in whole units; the lines of one unit wait for the second delivery."""
    halves = [{**line, "qty": f"{Decimal(line['qty']) // 2:f}"} for line in lines]
    return [line for line in halves if Decimal(line["qty"]) > 0] or lines


def _sum(document: Mapping[str, Any], field: str) -> str:
    return f"{sum((Decimal(line[field]) for line in document['details']), Decimal(0)):f}"
