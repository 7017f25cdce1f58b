"""Goods going out: ordered by the ERP side, shipped by people in one or several deliveries, told back."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from include.plant.emulators.calls import Refused
from include.plant.emulators.document_store import DocumentStore, Record
from include.plant.emulators.flux_lines import Wanted, line_of, lines_of, local_time, required, wanted_lines
from include.plant.emulators.flux_stock import Stock

ORDER, SHIPMENT = "outbound_order", "shipment"
OPEN = ("00", "62")
_KEPT = (
    "orderType", "soReferenceA", "consigneeId", "consigneeName", "consigneeTel1", "consigneeAddress1", "orderTime",
    "expectedShipmentTime1", "carrierId",
)  # fmt: skip
_CARRIERS = (("SF", "顺丰速运"), ("YUNDA", "韵达快递"), ("ZTO", "中通速递"))


class Outbound:
    """Outbound orders and what really left."""

    def __init__(self, store: DocumentStore, stock: Stock) -> None:
        self._store, self._stock = store, stock

    def put(self, header: Mapping[str, Any]) -> Record:
        """A new order, or with `action` UPDATE other lines for one that has not left completely."""
        number = required(header, "docNo")
        lines = lines_of(header, "qtyOrdered", "shipped")
        for line in lines:
            self._stock.known(line["sku"])
        existing = self._store.get(ORDER, number)
        if header.get("action") == "UPDATE":
            return self._update(self.find(number), header, lines)
        if existing is not None:
            raise Refused("DUPLICATE", f"单号已存在: {number}")
        body = {"docNo": number, "wmsOrderNo": f"SO{self._store.next_number(ORDER):08d}", "status": "00",
                **{name: header.get(name) for name in _KEPT}, "details": lines}  # fmt: skip
        self._demand(lines, 1)
        return self._store.insert(ORDER, number, body, number=number, status="00")

    def find(self, number: Any) -> Record:
        """The outbound order with this number."""
        found = self._store.get(ORDER, str(number or ""))
        if found is None:
            raise Refused("NOT_FOUND", f"出库单不存在: {number}")
        return found

    def _update(self, order: Record, header: Mapping[str, Any], lines: list[dict[str, Any]]) -> Record:
        if order.status not in OPEN:
            raise Refused("NOT_OPEN", f"出库单 {order.number} 状态 {order.status}，不能修改")
        shipped = {line["lineNo"]: Decimal(line["shipped"]) for line in order.body["details"]}
        for line in lines:
            line["shipped"] = str(shipped.pop(line["lineNo"], Decimal(0)))
            if Decimal(line["qtyOrdered"]) < Decimal(line["shipped"]):
                raise Refused("BELOW_SHIPPED", f"数量小于已发货数: 行 {line['lineNo']} 已发 {line['shipped']}")
        if any(shipped.values()):
            raise Refused("BELOW_SHIPPED", "已发货的行不能删除")
        self._demand(order.body["details"], -1)
        self._demand(lines, 1)
        order.body.update({name: header[name] for name in _KEPT if name in header}, details=lines)
        return self._move(order, "99" if not _left(lines) else order.status)

    def cancel(self, told: Mapping[str, Any]) -> Record:
        """Take an order back; too late once anything left. Cancelling twice is cancelling once."""
        order = self.find(told.get("docNo"))
        if order.status == "90":
            return order
        if order.status != "00":
            raise Refused("SHIPPED", f"出库单 {order.number} 已发货，不能取消")
        self._demand(order.body["details"], -1)
        order.body["cancelReason"] = told.get("erpCancelReason")
        return self._move(order, "90")

    def ship(self, wish: Mapping[str, Any]) -> tuple[Record, dict[str, Any]]:
        """People send goods off: all that is left, or the given lines; `last` ends the order short."""
        order = self.find(wish.get("docNo"))
        if order.status not in OPEN:
            raise Refused("NOT_OPEN", f"出库单 {order.number} 状态 {order.status}，不能发货")
        taken = wanted_lines(order.body["details"], wish.get("lines"), "qtyOrdered", "shipped")
        for number, amount, _ in taken:
            self._send(line_of(order.body["details"], number), amount)
        ends = not _left(order.body["details"]) or wish.get("last") is True
        if ends:
            self._demand(order.body["details"], -1)
        self._move(order, "99" if ends else "62")
        return self._shipment(order, taken, ends)

    def _send(self, line: dict[str, Any], amount: Decimal) -> None:
        total = Decimal(line["shipped"]) + amount
        if total > Decimal(line["qtyOrdered"]):
            raise Refused("OVER_SHIPMENT", f"发货数超过订单数: {line['sku']}")
        line["shipped"] = str(total)
        self._stock.move(line["sku"], -amount, -amount)

    def _shipment(self, order: Record, taken: list[Wanted], ends: bool) -> tuple[Record, dict[str, Any]]:
        serial = self._store.next_number(SHIPMENT)
        carrier, carrier_name = _CARRIERS[serial % len(_CARRIERS)]
        lines = [
            {"lineNo": number, "sku": line_of(order.body["details"], number)["sku"], "QtyShipped": str(amount),
             "lotAtt04": told.get("lotAtt04") or ""}
            for number, amount, told in taken
        ]  # fmt: skip
        body = {
            "OMSOrderNo": order.number, "WMSOrderNo": order.body["wmsOrderNo"], "DeliveryNo": f"DL{serial:08d}",
            "OrderType": order.body["orderType"], "CarrierId": carrier, "CarrierName": carrier_name,
            "TrackingNo": f"{carrier}{7_000_000_000 + serial}",
            "Weight": str(sum((amount for _, amount, _ in taken), Decimal(0)) * Decimal("1.5")),
            "shippedTime": local_time(self._store.clock()), "lastShipment": "Y" if ends else "N", "item": lines,
        }  # fmt: skip
        number = str(body["DeliveryNo"])
        return self._store.insert(SHIPMENT, number, body, number=number, parent=order.number), body

    def _demand(self, lines: list[dict[str, Any]], sign: int) -> None:
        """What open orders still want of each item; negative sign gives it back."""
        for line in lines:
            self._stock.move(line["sku"], Decimal(0), sign * (Decimal(line["qtyOrdered"]) - Decimal(line["shipped"])))

    def _move(self, order: Record, status: str) -> Record:
        order.status = order.body["status"] = status
        self._store.save(order)
        return order


def _left(lines: list[dict[str, Any]]) -> bool:
    return any(Decimal(line["shipped"]) < Decimal(line["qtyOrdered"]) for line in lines)
