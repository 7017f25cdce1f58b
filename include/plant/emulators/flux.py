"""The warehouse's protocol (FLUX DataHub): one address, a method name, a signature, `returnFlag` in the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from include.plant.emulators import exact_json
from include.plant.emulators.calls import Answer, Call, Refused
from include.plant.emulators.document_store import DocumentStore, Record
from include.plant.emulators.flux_inbound import ASN, Inbound
from include.plant.emulators.flux_outbound import ORDER, Outbound
from include.plant.emulators.flux_signature import signed_by
from include.plant.emulators.flux_stock import Stock
from include.plant.emulators.outbox import Outbox
from include.plant.emulators.seed import Seed
from include.plant.emulators.settings import Settings

_DOORS = ("/datahubjson/FluxWmsJsonApi", "/datahub/FluxWmsJsonApi")
_OLD_NAMES = {"putASNData": "putASN", "putSOData": "putSalesOrder", "cancelASNData": "cancelASN",
              "cancelSOData": "cancelSO", "queryINVData": "queryInventory"}  # fmt: skip
_OPEN_ROWS = 2000

Row = dict[str, Any]
Method = Callable[[Mapping[str, Any]], list[Row]]
Step = Callable[[Mapping[str, Any]], Record | None]


class Flux:
    """The façade: who is calling, is it signed, which method, and a result for each document."""

    def __init__(self, settings: Settings, store: DocumentStore) -> None:
        self.settings, self.store = settings, store
        self.outbox = Outbox(store)
        self._stock = Stock(store)
        self._inbound, self._outbound = Inbound(store, self._stock), Outbound(store, self._stock)
        self._methods: dict[str, Method] = {
            "putASN": self._each(self._inbound.put), "putSalesOrder": self._each(self._outbound.put),
            "cancelASN": self._each(self._inbound.cancel), "cancelSO": self._each(self._outbound.cancel),
            "queryASN": self._found(ASN), "querySO": self._found(ORDER), "queryInventory": self._inventory,
            "putSKU": self._each(self._put_sku),
        }  # fmt: skip

    def operation(self, call: Call) -> str:
        """The method's name, by today's spelling."""
        name = call.query.get("method") or call.form().get("method", "?")
        return _OLD_NAMES.get(name, name)

    def answer(self, call: Call) -> Answer:
        """One call of the DataHub, form style or with everything but the data in the address."""
        try:
            fields = {**call.query, "data": call.body.decode()} if "method" in call.query else call.form()
            self._check_caller(call.path, fields)
            return self._carry_out(self.operation(call), fields["data"])
        except Refused as no:
            return _envelope(str(no.code), "0", no.message, [])
        except UnicodeDecodeError:
            return _envelope("S004", "0", "编码应为 UTF-8", [])

    def throttled(self) -> Answer:
        """Too many calls of one method."""
        return _envelope("S429", "0", "接口调用过于频繁", [])

    def _check_caller(self, path: str, fields: Mapping[str, str]) -> None:
        mine = self.settings
        if path.rstrip("/") not in _DOORS:
            raise Refused("0404", f"接口不存在: {path}")
        expected = {"appkey": mine.login, "apptoken": mine.apptoken, "client_customerid": mine.customer_id,
                    "client_db": mine.client_db}  # fmt: skip
        for name, value in expected.items():
            if fields.get(name) != value:
                raise Refused("S002", f"{name} 不正确")
        self._check_time(fields.get("timestamp", ""))
        if not signed_by(mine.secret, fields.get("data", ""), fields.get("sign", "")):
            raise Refused("S003", "签名错误")

    def _check_time(self, told: str) -> None:
        try:
            moment = datetime.strptime(told, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) - timedelta(hours=8)
        except ValueError:
            raise Refused("S005", "timestamp 格式应为 yyyy-MM-dd HH:mm:ss") from None
        skew = abs((datetime.now(UTC) - moment).total_seconds())
        if self.settings.max_skew_seconds and skew > self.settings.max_skew_seconds:
            raise Refused("S006", "timestamp 已过期")

    def _carry_out(self, method: str, text: str) -> Answer:
        if method not in self._methods:
            raise Refused("0001", f"找不到指定方法: {method}")
        try:
            data = exact_json.loads(text)
        except ValueError:
            raise Refused("S004", "data 不是合法的 JSON") from None
        rows = self._methods[method](data if isinstance(data, dict) else {})
        wrong = [row for row in rows if row.get("errorcode")]
        if not wrong:
            return _envelope("0000", "1", "ok", rows)
        return _envelope("0001", "0" if len(wrong) == len(rows) else "2", wrong[0]["errordescr"], wrong)

    def _each(self, carry_out: Step) -> Method:
        """Carry out each header by itself: one that is refused does not hold up the others."""

        def all_of(data: Mapping[str, Any]) -> list[Row]:
            return [self._one(carry_out, header) for header in _headers(data)]

        return all_of

    def _one(self, carry_out: Step, header: Mapping[str, Any]) -> Row:
        row: Row = {"docNo": str(header.get("docNo", "")), "errorcode": "", "errordescr": ""}
        try:
            self._check_place(header)
            with self.store.transaction():
                record = carry_out(header)
            return row | ({"wmsOrderNo": record.body["wmsOrderNo"]} if record else {})
        except Refused as no:
            return row | {"errorcode": str(no.code), "errordescr": no.message}

    def _check_place(self, header: Mapping[str, Any]) -> None:
        expected = {"warehouseId": self.settings.warehouse_id, "customerId": self.settings.customer_id}
        for name, value in expected.items():
            if header.get(name) != value:
                raise Refused("NO_PLACE", f"{name} 不存在: {header.get(name)}")

    def _found(self, kind: str) -> Method:
        def rows(data: Mapping[str, Any]) -> list[Row]:
            lag = int(self.settings.lag_seconds * 1000)
            found = [self.store.get(kind, str(header.get("docNo") or "")) for header in _headers(data)]
            seen = self.store.clock() - lag
            return [_told(record) for record in found if record and (not lag or record.changed <= seen)]

        return rows

    def _inventory(self, data: Mapping[str, Any]) -> list[Row]:
        skus = [str(header["sku"]) for header in _headers(data) if header.get("sku")]
        return [{**row, "warehouseId": self.settings.warehouse_id} for row in self._stock.rows(skus)]

    def _put_sku(self, header: Mapping[str, Any]) -> None:
        sku = str(header.get("sku") or "")
        if not sku:
            raise Refused("REQUIRED", "sku 不能为空")
        if self.store.get("sku", sku) is None:
            self._stock.add_sku(sku, str(header.get("descr") or sku), Decimal(0))

    def act(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """People in the warehouse: `receive`, `ship`; and what the day driver looks at: `open`, `callbacks`."""
        do = wish["do"]
        if do == "open":
            return {"asns": self._open(ASN), "orders": self._open(ORDER), "stock": self._stock.rows([])}
        if do == "callbacks":
            return {"callbacks": self.outbox.listed()}
        if do not in ("receive", "ship"):
            raise Refused("unknown", f"nobody in the warehouse can {do!r}")
        with self.store.transaction():
            record, told = self._inbound.receive(wish) if do == "receive" else self._outbound.ship(wish)
            place = {"warehouseId": self.settings.warehouse_id, "customerId": self.settings.customer_id}
            if do == "ship":
                place = {"WarehouseID": self.settings.warehouse_id, "CustomerID": self.settings.customer_id}
            method = "confirmASNData" if do == "receive" else "confirmSOData"
            self.outbox.add(method, {"xmldata": {"data": [{**told, **place}]}})
        return {"number": record.number, "document": told}

    def _open(self, kind: str) -> list[Row]:
        records = self.store.select(kind, "status IN ('00','30','62')", limit=_OPEN_ROWS)
        return [_told(record) for record in records]

    def plant_seed(self, seed: Seed) -> None:
        """The items, with the stock some of them start with."""
        for item in seed.items:
            self._stock.add_sku(item["number"], item["name"], Decimal(item.get("stock", "0")))


def _headers(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The documents of a message, whatever wrapping its method uses; one may stand without a list."""
    inner = data.get("xmldata") or data.get("data") or {}
    told = (inner.get("header") or inner.get("ordernos") or []) if isinstance(inner, Mapping) else []
    headers = [told] if isinstance(told, Mapping) else told
    return [header for header in headers if isinstance(header, Mapping)]


def _told(record: Record) -> Row:
    return {**record.body, "addTime": record.created, "editTime": record.changed}


def _envelope(code: str, flag: str, text: str, rows: list[Row]) -> Answer:
    return Answer(
        {"Response": {"return": {"returnCode": code, "returnFlag": flag, "returnDesc": text, "resultInfo": rows}}}
    )
