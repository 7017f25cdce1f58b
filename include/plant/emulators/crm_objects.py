"""What the CRM lets be created, edited, withdrawn and deleted: orders with lines, delivery notes, customers."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from include.plant.emulators.calls import Refused
from include.plant.emulators.crm_schema import WRONG_VALUE, CrmObject, crm_object
from include.plant.emulators.document_store import DocumentStore, Duplicate, Record

NOT_UNIQUE = 320001411
NOT_FOUND = 320001400
NOT_NOW = 320001403
_MOVES = {
    "ineffective": {"under_review", "normal", "invalid"},
    "under_review": {"ineffective", "normal", "invalid"},
    "normal": {"in_change", "invalid"},
    "in_change": {"normal", "invalid"},
    "invalid": set(),
}
_ORDER_STATUS = {"normal": "confirmed", "in_change": "confirmed", "invalid": "cancelled"}
_FIXED = {"account_id", "order_id", "version", "delivery_note_id", "sales_order_id"}


class CrmObjects:
    """The CRM's own rules over the document store; every method runs inside the caller's transaction."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def new_key(self) -> str:
        """24 hexadecimal digits, later ones greater, like the vendor's."""
        return f"{self._store.clock():011x}{self._store.next_number('_id'):013x}"

    def create(self, data: Mapping[str, Any]) -> tuple[Record, dict[str, list[str]]]:
        """A new object with its details; returns it and the keys of the details."""
        told = data.get("object_data") or {}
        kind = crm_object(told.get("dataObjectApiName"))
        body = kind.values(told)
        self._complete(kind, body)
        record = self._insert(kind, body)
        lines: list[str] = []
        for number, line in enumerate((data.get("details") or {}).get(kind.details, []), 1):
            lines.append(self._add_line(kind, record, line, number).key)
        if kind.name == "SalesOrderObj":
            self._price(record)
        return record, {kind.details: lines} if lines else {}

    def _complete(self, kind: CrmObject, body: dict[str, Any]) -> None:
        body.setdefault("life_status", "normal")
        if kind.name == "SalesOrderObj":
            self._complete_order(body)
        elif kind.name == "DeliveryNoteObj":
            order = self._existing("SalesOrderObj", body.get("sales_order_id"))
            if order.status == "invalid":
                raise Refused(NOT_NOW, f"销售订单 {order.number} 已作废，不能发货")
            body.setdefault("name", f"DN{self._store.next_number('DeliveryNoteObj'):08d}")
            body["account_id"] = order.body["account_id"]

    def _complete_order(self, body: dict[str, Any]) -> None:
        account = self._existing("AccountObj", body.get("account_id"))
        body["account_id__r"] = account.body["name"]
        if body["life_status"] not in _MOVES:
            raise Refused(WRONG_VALUE, f"life_status 没有选项 {body['life_status']}")
        body.setdefault("name", f"SO-{self._store.next_number('SalesOrderObj'):06d}")
        body.setdefault("mc_currency", "CNY")
        body.setdefault("order_time", self._store.clock())
        body.setdefault("delivery_date", None)
        body.update(version="1", order_status=_ORDER_STATUS.get(body["life_status"], "pending"))

    def _insert(self, kind: CrmObject, body: dict[str, Any]) -> Record:
        columns = {column: str(body.get(told) or "") for column, told in kind.columns.items()}
        unique = {name: str(body[name]) for name in kind.unique if body.get(name)}
        try:
            return self._store.insert(kind.name, self.new_key(), body, unique=unique, **columns)
        except Duplicate as twice:
            raise Refused(NOT_UNIQUE, f"唯一性字段重复: {twice.field}={twice.value}") from None

    def _add_line(self, header: CrmObject, parent: Record, told: Mapping[str, Any], number: int) -> Record:
        kind = crm_object(header.details)
        body = kind.values(told)
        body[kind.parent] = parent.key
        body.setdefault("life_status", "normal")
        if kind.name == "SalesOrderProductObj":
            self._complete_order_line(body, number)
        else:
            self._check_delivery_line(body, parent)
        return self._insert(kind, body)

    def _complete_order_line(self, body: dict[str, Any], number: int) -> None:
        product = self._existing("ProductObj", body.get("product_id"))
        _positive(body.get("quantity"), "quantity")
        body["product_id__r"] = product.body["name"]
        body.setdefault("line_no__c", str(number * 10))
        body.setdefault("unit__c", product.body["unit"])
        body.setdefault("delivery_date", None)

    def _check_delivery_line(self, body: dict[str, Any], note: Record) -> None:
        line = self._existing("SalesOrderProductObj", body.get("sales_order_product_id"))
        if line.parent != note.parent:
            raise Refused(WRONG_VALUE, "发货明细不属于该销售订单")
        _positive(body.get("delivery_num"), "delivery_num")
        body["product_id__r"] = line.body["product_id__r"]
        body.setdefault("product_id", line.body["product_id"])

    def update(self, data: Mapping[str, Any]) -> Record:
        """Edit an object; lines are patched by `_id`, a line without one is added, the others stay."""
        told = data.get("object_data") or {}
        kind = crm_object(told.get("dataObjectApiName"))
        record = self._existing(kind.name, told.get("_id"))
        if record.status == "invalid":
            raise Refused(NOT_NOW, f"数据 {record.number or record.key} 已作废，不能编辑")
        news = {name: value for name, value in kind.values(told).items() if name not in _FIXED}
        self._move(record, news)
        record.body.update(news)
        for line in (data.get("details") or {}).get(kind.details, []):
            self._edit_line(kind, record, line)
        self._touch(kind, record)
        return record

    def _move(self, record: Record, news: dict[str, Any]) -> None:
        wanted = news.get("life_status", record.status)
        if wanted == record.status:
            return
        if wanted not in _MOVES.get(record.status, set()):
            raise Refused(NOT_NOW, f"状态不能从 {record.status} 变为 {wanted}")
        record.status = wanted
        if record.kind == "SalesOrderObj":
            news["order_status"] = _ORDER_STATUS.get(wanted, "pending")

    def _edit_line(self, header: CrmObject, parent: Record, told: Mapping[str, Any]) -> None:
        if not told.get("_id"):
            self._add_line(header, parent, told, len(self._store.children(header.details, parent.key)) + 1)
            return
        line = self._existing(header.details, told["_id"])
        if line.parent != parent.key:
            raise Refused(WRONG_VALUE, "明细不属于该单据")
        self._patch_line(line, told)

    def _patch_line(self, line: Record, told: Mapping[str, Any]) -> None:
        news = crm_object(line.kind).values(told)
        line.body.update({name: value for name, value in news.items() if name not in _FIXED | {"product_id"}})
        line.status = line.body["life_status"]
        if "quantity" in news:
            _positive(news["quantity"], "quantity")
        self._store.save(line)

    def _touch(self, kind: CrmObject, record: Record) -> None:
        """A change of the header or of a line gives the header a new stamp and version."""
        number = kind.columns.get("number")
        if number:
            record.number = str(record.body.get(number) or "")
        if "version" in record.body:
            record.body["version"] = str(int(record.body["version"]) + 1)
        if kind.name == "SalesOrderObj":
            self._price(record)
        else:
            self._store.save(record)

    def _price(self, order: Record) -> None:
        lines = self._store.children("SalesOrderProductObj", order.key)
        amounts = [_amount(line.body) for line in lines if line.status != "invalid"]
        order.body["order_amount"] = str(sum(amounts, Decimal(0)))
        self._store.save(order)

    def withdraw(self, kind_name: Any, key: Any) -> Record:
        """Make an object invalid (作废); a line that is withdrawn also changes its header."""
        kind = crm_object(kind_name)
        record = self._existing(kind.name, key)
        if record.status == "invalid":
            raise Refused(NOT_NOW, f"数据 {record.number or record.key} 已作废")
        record.status = record.body["life_status"] = "invalid"
        if kind.name == "SalesOrderObj":
            record.body["order_status"] = "cancelled"
        self._touch(kind, record)
        header = self._store.get("SalesOrderObj", record.parent) if kind.name == "SalesOrderProductObj" else None
        if header:
            self._touch(crm_object("SalesOrderObj"), header)
        return record

    def edit_alone(self, data: Mapping[str, Any]) -> Record:
        """Edit a line as an object of its own; the header's stamp moves with it."""
        told = data.get("object_data") or {}
        line = self._existing("SalesOrderProductObj", told.get("_id"))
        header = self._existing("SalesOrderObj", line.parent)
        if "invalid" in (header.status, line.status):
            raise Refused(NOT_NOW, f"数据 {header.number} 已作废，不能编辑")
        self._patch_line(line, told)
        self._touch(crm_object("SalesOrderObj"), header)
        return line

    def delete(self, kind_name: Any, key: Any) -> None:
        """Really delete what was made invalid before; nothing tells later that it existed."""
        record = self._existing(crm_object(kind_name).name, key)
        if record.status != "invalid":
            raise Refused(NOT_NOW, "请先作废再删除")
        details = crm_object(kind_name).details
        for line in self._store.children(details, key) if details else []:
            self._store.remove(line)
        self._store.remove(record)

    def existing(self, kind_name: Any, key: Any) -> Record:
        """The object with this key."""
        return self._existing(crm_object(kind_name).name, key)

    def _existing(self, kind: str, key: Any) -> Record:
        found = self._store.get(kind, str(key)) if key else None
        if found is None:
            raise Refused(NOT_FOUND, f"{kind} 数据 {key} 不存在或已删除")
        return found


def _amount(line: Mapping[str, Any]) -> Decimal:
    return Decimal(line["quantity"]) * Decimal(line.get("sales_price") or 0)


def _positive(value: Any, name: str) -> None:
    if value is None or value == "" or Decimal(str(value)) <= 0:
        raise Refused(WRONG_VALUE, f"字段 {name} 必须大于 0")
