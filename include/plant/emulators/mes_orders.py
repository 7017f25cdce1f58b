"""What the MES lets happen to a work order: create, report, change, close, cancel, each only when it may."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from include.plant.emulators.calls import Refused
from include.plant.emulators.document_store import DocumentStore, Duplicate, Record

CREATED, RELEASED, RUNNING, FINISHED, CLOSED, CANCELLED = 1, 2, 3, 4, 5, 9
OPEN = frozenset({CREATED, RELEASED, RUNNING})
WRONG, CODE_TAKEN, NOT_FOUND, NOT_NOW = 40001, 40012, 40004, 40021
ORDER, REPORT, MATERIAL = "work_order", "progress_report", "material"
_NAMES = {1: "已创建", 2: "已下发", 3: "生产中", 4: "已完工", 5: "已关闭", 9: "已取消"}


class MesOrders:
    """Work orders and the reports of the shop floor; every method runs inside the caller's transaction."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def create(self, told: Mapping[str, Any]) -> Record:
        """A new work order; its code is the caller's and may be used once."""
        code, material = str(told.get("code") or ""), self._material(told.get("materialCode"))
        if not code:
            raise Refused(WRONG, "工单编号不能为空")
        body = {
            "code": code, "materialCode": material.number, "materialName": material.body["name"],
            "plannedAmount": _text(_amount(told.get("plannedAmount"), "plannedAmount")), "qualifiedAmount": "0",
            "unqualifiedAmount": "0", "unit": told.get("unit") or material.body["unit"],
            "plannedFinishTime": told.get("plannedFinishTime"), "remark": told.get("remark") or "",
            "customFields": told.get("customFields") or {}, "status": CREATED, "reason": "",
        }  # fmt: skip
        try:
            return self._store.insert(
                ORDER, self.new_key(), body, number=code, status=str(CREATED), unique={"code": code}
            )
        except Duplicate:
            raise Refused(CODE_TAKEN, f"编码已存在: {code}") from None

    def new_key(self) -> str:
        """A long number like the vendor's; too long for a float."""
        return str(self._store.clock() * 1_000_000 + self._store.next_number("id") % 1_000_000)

    def _material(self, code: Any) -> Record:
        found = self._store.numbered(MATERIAL, str(code or ""))
        if found is None:
            raise Refused(NOT_FOUND, f"物料不存在: {code}")
        return found

    def order(self, code: Any) -> Record:
        """The work order with this code."""
        found = self._store.numbered(ORDER, str(code or ""))
        if found is None:
            raise Refused(NOT_FOUND, f"工单不存在: {code}")
        return found

    def change(self, told: Mapping[str, Any]) -> Record:
        """Another planned amount: never below what was produced, and never up once production runs."""
        order = self.order(told.get("code"))
        wanted = _amount(told.get("plannedAmount"), "plannedAmount")
        self._must_be(order, OPEN)
        if wanted < _produced(order):
            raise Refused(NOT_NOW, f"计划数不能小于已报工数 {_text(_produced(order))}")
        if order.body["status"] == RUNNING and wanted > Decimal(order.body["plannedAmount"]):
            raise Refused(NOT_NOW, "工单生产中，不能增加计划数")
        order.body["plannedAmount"] = _text(wanted)
        self._store.save(order)
        return order

    def cancel(self, told: Mapping[str, Any]) -> Record:
        """Take a work order back; too late once anything was reported. Cancelling twice is cancelling once."""
        order = self.order(told.get("code"))
        if order.body["status"] == CANCELLED:
            return order
        self._must_be(order, OPEN)
        if _produced(order):
            raise Refused(NOT_NOW, "工单已有报工，不能取消")
        return self._move(order, CANCELLED, told.get("reason"))

    def close(self, told: Mapping[str, Any]) -> Record:
        """Stop at what was produced; without `force` only when the plan is met."""
        order = self.order(told.get("code"))
        if order.body["status"] == CLOSED:
            return order
        self._must_be(order, OPEN | {FINISHED})
        if told.get("plannedAmount") is not None:
            wanted = _amount(told["plannedAmount"], "plannedAmount")
            if wanted < _produced(order):
                raise Refused(NOT_NOW, f"关闭数量不能小于已报工数 {_text(_produced(order))}")
        if told.get("force") is not True and Decimal(order.body["qualifiedAmount"]) < Decimal(
            order.body["plannedAmount"]
        ):
            raise Refused(NOT_NOW, "工单未完工，只能强制关闭")
        return self._move(order, CLOSED, told.get("reason"))

    def release(self, told: Mapping[str, Any]) -> Record:
        """The planner lets the shop floor start."""
        order = self.order(told.get("code"))
        self._must_be(order, frozenset({CREATED}))
        return self._move(order, RELEASED, "")

    def report(self, told: Mapping[str, Any]) -> Record:
        """So many good, so many scrapped; the order is finished when told so or when the good ones suffice."""
        order = self.order(told.get("code") or told.get("workOrderCode"))
        self._must_be(order, OPEN)
        good = _amount(told.get("good", told.get("qualifiedAmount", "0")), "good", zero=True)
        scrap = _amount(told.get("scrap", told.get("unqualifiedAmount", "0")), "scrap", zero=True)
        order.body["qualifiedAmount"] = _text(Decimal(order.body["qualifiedAmount"]) + good)
        order.body["unqualifiedAmount"] = _text(Decimal(order.body["unqualifiedAmount"]) + scrap)
        enough = Decimal(order.body["qualifiedAmount"]) >= Decimal(order.body["plannedAmount"])
        finished = bool(told.get("finished", enough))
        if not (good or scrap or finished):
            raise Refused(WRONG, "报工数量不能为 0")
        self._move(order, FINISHED if finished else RUNNING, order.body["reason"])
        return self._add_report(order, good, scrap, finished)

    def _add_report(self, order: Record, good: Decimal, scrap: Decimal, finished: bool) -> Record:
        code = f"PR-{self._store.next_number('progress_report'):06d}"
        body = {
            "code": code, "workOrderCode": order.number, "materialCode": order.body["materialCode"],
            "qualifiedAmount": _text(good), "unqualifiedAmount": _text(scrap), "unit": order.body["unit"],
            "finished": finished, "status": 1, "reportedAt": self._store.clock(),
        }  # fmt: skip
        return self._store.insert(REPORT, self.new_key(), body, number=code, parent=order.number, status="1")

    def reverse(self, told: Mapping[str, Any]) -> Record:
        """A report was wrong: it is taken back and its amounts with it."""
        report = self._store.numbered(REPORT, str(told.get("report") or ""))
        if report is None or report.body["status"] != 1:
            raise Refused(NOT_NOW, f"报工单不能撤销: {told.get('report')}")
        order = self.order(report.parent)
        self._must_be(order, OPEN | {FINISHED})
        for name in ("qualifiedAmount", "unqualifiedAmount"):
            order.body[name] = _text(Decimal(order.body[name]) - Decimal(report.body[name]))
        self._move(order, RUNNING, order.body["reason"])
        report.body["status"], report.status = 2, "2"
        self._store.save(report)
        return report

    def _must_be(self, order: Record, allowed: frozenset[int]) -> None:
        if order.body["status"] not in allowed:
            raise Refused(NOT_NOW, f"工单 {order.number} {_NAMES[order.body['status']]}，不能执行此操作")

    def _move(self, order: Record, status: int, reason: Any) -> Record:
        order.body["status"], order.status, order.body["reason"] = status, str(status), reason or ""
        self._store.save(order)
        return order


def _produced(order: Record) -> Decimal:
    return Decimal(order.body["qualifiedAmount"]) + Decimal(order.body["unqualifiedAmount"])


def _amount(value: Any, name: str, *, zero: bool = False) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise Refused(WRONG, f"{name} 必须为数字") from None
    if not number.is_finite() or number < 0 or (number == 0 and not zero):
        raise Refused(WRONG, f"{name} 必须大于 0")
    return number


def _text(number: Decimal) -> str:
    return f"{number:f}"
