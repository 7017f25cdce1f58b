"""What happens to an order between a buyer and a supplier: published, answered, differing, confirmed, refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from include.plant.emulators.calls import Refused
from include.plant.emulators.document_store import DocumentStore, Duplicate, Record

ORDER, REQUIREMENT, VENDOR = "order", "requirement", "vendor"
TO_ANSWER, DIFFERS, RETURNED, CHANGING, CONFIRMED, CLOSED, CANCELLED, DECLINED = 1, 2, 3, 4, 5, 6, 12, 13
NO_VENDOR, TAKEN, UNKNOWN, NOT_NOW, NO_ANSWER, WRONG = 300001, 300101, 300102, 300103, 300115, 900001


class Orders:
    """Orders, requirements and answers; every method runs inside the caller's transaction."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def publish(self, told: Mapping[str, Any]) -> Record:
        """A new order; the buyer's own number is accepted once, and the supplier has to answer."""
        vendor = self._vendor(told)
        lines = [_line(line) | {"currency": told.get("currency")} for line in told.get("lines") or []]
        if not lines:
            raise Refused(WRONG, "订单明细不能为空")
        body = {**{name: told.get(name) for name in ("poErpNo", "innerVendorCode", "currency", "poDate", "version")},
                "vendorName": vendor.body["name"], "lines": lines, "answerNo": None, "answerTime": None,
                "answers": 0, "publishTime": self._store.clock()}  # fmt: skip
        return self._insert(ORDER, told.get("poErpNo"), body, TO_ANSWER)

    def require(self, told: Mapping[str, Any]) -> Record:
        """A requirement: somebody should offer or order; its number is accepted once."""
        for line in told.get("lines") or []:
            if line.get("innerVendorCode"):
                self._vendor(line)
        body = {**{name: told.get(name) for name in ("prErpNo", "requestedBy", "prDate")},
                "lines": [_line(line) for line in told.get("lines") or []]}  # fmt: skip
        return self._insert(REQUIREMENT, told.get("prErpNo"), body, TO_ANSWER)

    def _insert(self, kind: str, number: Any, body: Mapping[str, Any], status: int) -> Record:
        number = str(number or "")
        if not number:
            raise Refused(WRONG, "ERP 单号不能为空")
        key = f"{kind[0].upper()}{self._store.next_number(kind):09d}"
        try:
            return self._store.insert(kind, key, body, number=number, status=str(status), unique={"erp": number})
        except Duplicate:
            raise Refused(TAKEN, f"单据已存在: {number}") from None

    def _vendor(self, told: Mapping[str, Any]) -> Record:
        code = str(told.get("innerVendorCode") or "")
        found = self._store.numbered(VENDOR, code)
        if found is None:
            raise Refused(NO_VENDOR, f"供应商 {code} 不存在或未确认合作")
        return found

    def order(self, number: Any) -> Record:
        """The order with the buyer's number."""
        found = self._store.numbered(ORDER, str(number or ""))
        if found is None:
            raise Refused(UNKNOWN, f"订单不存在: {number}")
        return found

    def change(self, told: Mapping[str, Any]) -> Record:
        """Other lines; the supplier has to answer again. The same lines once more change nothing."""
        order = self.order(told.get("poErpNo"))
        self._open(order)
        lines = [_line(line) | {"currency": order.body["currency"]} for line in told.get("lines") or []]
        if [_wanted(line) for line in lines] == [_wanted(line) for line in order.body["lines"]]:
            return order
        order.body["lines"], order.body["version"] = lines, told.get("version") or order.body["version"]
        return self._move(order, CHANGING)

    def cancel(self, told: Mapping[str, Any]) -> Record:
        """The buyer takes it back; twice is once."""
        order = self.order(told.get("poErpNo"))
        if order.status == str(CANCELLED):
            return order
        self._open(order)
        return self._move(order, CANCELLED)

    def answer(self, told: Mapping[str, Any]) -> Record:
        """The supplier answers; without lines, everything as asked for. Another quantity, date or price differs."""
        order = self.order(told.get("poErpNo"))
        self._must(order, (TO_ANSWER, CHANGING, RETURNED))
        said = {str(line["poLineErpNo"]): line for line in told.get("lines") or []}
        differs = False
        for line in order.body["lines"]:
            one = said.get(line["poLineErpNo"], {})
            line["confirmQty"] = str(one.get("confirmQty", line["qty"]))
            line["confirmDate"] = one.get("confirmDate", line["deliveryDate"])
            line["confirmPrice"] = str(one.get("confirmPrice", line["price"]))
            differs = differs or _differs(line)
        return self._answered(order, DIFFERS if differs else CONFIRMED)

    def decline(self, told: Mapping[str, Any]) -> Record:
        """The supplier refuses the order."""
        order = self.order(told.get("poErpNo"))
        self._must(order, (TO_ANSWER, CHANGING, RETURNED))
        for line in order.body["lines"]:
            line["confirmQty"], line["confirmDate"], line["confirmPrice"] = "0", None, line["price"]
        return self._answered(order, DECLINED)

    def _answered(self, order: Record, status: int) -> Record:
        order.body["answers"] += 1
        order.body["answerNo"] = f"{order.number}-A{order.body['answers']}"
        order.body["answerTime"] = self._store.clock()
        return self._move(order, status)

    def decide(self, told: Mapping[str, Any]) -> Record:
        """The buyer accepts a differing answer, or returns it; the same decision twice is one."""
        order, accept = self.order(told.get("poErpNo")), str(told.get("accept")) == "1"
        after = CONFIRMED if accept else RETURNED
        if told.get("answerNo") != order.body["answerNo"]:
            raise Refused(NOT_NOW, f"订单 {order.number} 的答交已变更: {order.body['answerNo']}")
        if order.status == str(after):
            return order
        self._must(order, (DIFFERS,))
        return self._move(order, after)

    def _open(self, order: Record) -> None:
        if order.status in (str(CLOSED), str(CANCELLED), str(DECLINED)):
            raise Refused(NOT_NOW, f"订单 {order.number} 状态 {order.status}，不能执行此操作")

    def _must(self, order: Record, allowed: tuple[int, ...]) -> None:
        if int(order.status) not in allowed:
            raise Refused(NOT_NOW, f"订单 {order.number} 状态 {order.status}，不能执行此操作")

    def _move(self, order: Record, status: int) -> Record:
        order.status = str(status)
        self._store.save(order)
        return order


def _line(told: Mapping[str, Any]) -> dict[str, Any]:
    try:
        good = Decimal(str(told.get("qty"))) > 0 and Decimal(str(told.get("price", "0"))) >= 0
    except InvalidOperation:
        good = False
    if not good or not told.get("poLineErpNo"):
        raise Refused(WRONG, f"明细 {told.get('poLineErpNo')} 的数量或单价不正确")
    names = ("poLineErpNo", "itemCode", "unit", "taxRate", "deliveryDate", "remark", "innerVendorCode")
    return {**{name: told.get(name) for name in names}, "qty": str(told["qty"]), "price": str(told.get("price", "0"))}


def _wanted(line: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(line.get(name) for name in ("poLineErpNo", "itemCode", "unit", "qty", "price", "deliveryDate"))


def _differs(line: Mapping[str, Any]) -> bool:
    return (
        Decimal(line["confirmQty"]) != Decimal(line["qty"])
        or Decimal(line["confirmPrice"]) != Decimal(line["price"])
        or line["confirmDate"] != line["deliveryDate"]
    )
