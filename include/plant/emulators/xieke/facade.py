"""The SRM's protocol (携客云): md5 over four values, `result` 1 or 9, and too soon is 900301."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import Any

from include.plant.emulators.calls import Answer, Call, Refused
from include.plant.emulators.document_store import DocumentStore, Record
from include.plant.emulators.seed import Seed
from include.plant.emulators.settings import Settings
from include.plant.emulators.xieke.orders import NO_ANSWER, ORDER, REQUIREMENT, VENDOR, WRONG, Orders

BAD_SIGN, TOO_SOON, NO_SUCH_ADDRESS = 900101, 900301, 900404
_LARGEST_PAGE = 200


class Xieke:
    """The façade: the signature, the addresses, the envelope."""

    def __init__(self, settings: Settings, store: DocumentStore) -> None:
        self.settings, self.store = settings, store
        self.orders = Orders(store)
        self._addresses: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "/purchase/push.json": lambda told: _named(self.orders.publish(told)),
            "/purchase/change.json": lambda told: _named(self.orders.change(told)),
            "/purchase/cancel.json": lambda told: _named(self.orders.cancel(told)),
            "/purchase/confirmAnswer.json": lambda told: _named(self.orders.decide(told)),
            "/purchase/query.json": lambda told: self._query(ORDER, told.get("poErpNo")),
            "/purchase/answer.json": self._answer,
            "/customerOrder/orderList.json": self._list,
            "/requirement/push.json": lambda told: _named(self.orders.require(told)),
            "/requirement/query.json": lambda told: self._query(REQUIREMENT, told.get("prErpNo")),
            "/compVendor/confirmList.json": lambda _: self._vendors(),
        }  # fmt: skip

    def operation(self, call: Call) -> str:
        """`purchase/push` and the like: the address, which is what the limit counts."""
        return call.path.strip("/").removesuffix(".json")

    def answer(self, call: Call) -> Answer:
        """One call in one transaction."""
        try:
            told = call.json()
            self._check(told.get("commonParam") or {})
            with self.store.transaction():
                data = self._carried_out(call.path, told.get("body") or {})
            return Answer({"result": 1, "errorCode": 0, "errorMsg": "", "data": data})
        except Refused as no:
            return Answer({"result": 9, "errorCode": no.code, "errorMsg": no.message, "data": None})

    def _carried_out(self, path: str, told: Mapping[str, Any]) -> Any:
        if path not in self._addresses:
            raise Refused(NO_SUCH_ADDRESS, f"接口不存在: {path}")
        return self._addresses[path](told)

    def throttled(self) -> Answer:
        """One call for each address in so many seconds."""
        return Answer({"result": 9, "errorCode": TOO_SOON, "errorMsg": "接口调用过于频繁，请30秒后再试", "data": None})

    def _check(self, told: Mapping[str, Any]) -> None:
        settings = self.settings
        names = ("appKey", "operateCompanyCode", "ownerCompanyCode", "timestamps")
        text = ":".join(str(told.get(name, "")) for name in names) + f":{settings.secret}"
        sign = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        known = told.get("appKey") == settings.login and told.get("ownerCompanyCode") == settings.company_code
        if not known or not hmac.compare_digest(sign.encode(), str(told.get("sign", "")).encode()):
            raise Refused(BAD_SIGN, "签名错误")
        skew = abs(self.store.clock() // 1000 - int(told["timestamps"]))
        if settings.max_skew_seconds and skew > settings.max_skew_seconds:
            raise Refused(BAD_SIGN, "请求已过期")

    def _query(self, kind: str, number: Any) -> dict[str, Any]:
        found = self.store.numbered(kind, str(number or ""))
        return {"list": [_row(found)] if found else []}

    def _answer(self, told: Mapping[str, Any]) -> dict[str, Any]:
        order = self.orders.order(told.get("poErpNo"))
        if order.body["answerNo"] is None or told.get("innerVendorCode") != order.body["innerVendorCode"]:
            raise Refused(NO_ANSWER, f"订单 {order.number} 未答交")
        return _row(order)

    def _list(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """By when they changed or were published, in milliseconds; one of the two is required."""
        where: list[str] = ["changed <= ?"]
        values: list[Any] = [self.store.clock() - int(self.settings.lag_seconds * 1000)]
        ranges = {"updateStartTime": "changed >= ?", "updateEndTime": "changed <= ?",
                  "publishStartTime": "created >= ?", "publishEndTime": "created <= ?"}  # fmt: skip
        for name, text in ranges.items():
            if told.get(name) is not None:
                where.append(text)
                values.append(int(told[name]))
        page, size = int(told.get("pageNum") or 1), int(told.get("pageSize") or 20)
        if len(where) < 3 or not 1 <= size <= _LARGEST_PAGE:
            raise Refused(WRONG, f"时间范围必填，pageSize 不超过 {_LARGEST_PAGE}")
        if told.get("orderStatusList"):
            where.append(f"status IN ({','.join('?' * len(told['orderStatusList']))})")
            values.extend(str(each) for each in told["orderStatusList"])
        text = " AND ".join(where)
        rows = self.store.select(ORDER, text, values, limit=size, offset=(page - 1) * size)
        return {"total": self.store.count(ORDER, text, values), "list": [_row(order) for order in rows]}

    def _vendors(self) -> dict[str, Any]:
        return {"list": [{"innerVendorCode": vendor.number, **vendor.body} for vendor in self.store.select(VENDOR)]}

    def act(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """The supplier: `answer` (as asked for, or with other lines), `decline`."""
        acts = {"answer": self.orders.answer, "decline": self.orders.decline}
        if wish["do"] not in acts:
            raise Refused("unknown", f"nobody at a supplier can {wish['do']!r}")
        with self.store.transaction():
            return {"order": _row(acts[wish["do"]](wish))}

    def plant_seed(self, seed: Seed) -> None:
        """The suppliers that agreed to work this way."""
        for each in seed.suppliers:
            self.store.insert(VENDOR, each["number"], {"name": each["name"]}, number=each["number"])


def _row(order: Record) -> dict[str, Any]:
    return {"poNo": order.key, **order.body, "orderStatus": int(order.status), "updateTime": order.changed}


def _named(order: Record) -> dict[str, Any]:
    return {"poNo": order.key, "erpNo": order.number, "orderStatus": int(order.status)}
