"""The CRM's objects: which fields each has, of what kind, and which of them the store keeps in columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from include.plant.emulators.calls import Refused

WRONG_VALUE = 10013
UNKNOWN_OBJECT = 320001404


@dataclass(frozen=True)
class CrmObject:
    """One object of the CRM. `columns` says which field is the number, the parent and the status in the store."""

    name: str
    fields: Mapping[str, str]
    columns: Mapping[str, str] = field(default_factory=dict)
    unique: tuple[str, ...] = ()
    details: str = ""
    parent: str = ""

    def column(self, name: str) -> str:
        """Where a field is found in the store; an unknown field is refused as the vendor does."""
        fixed = {"_id": "id", "last_modified_time": "changed", "create_time": "created"}
        fixed |= {told: column for column, told in self.columns.items()}
        if name in fixed:
            return fixed[name]
        if name not in self.fields:
            raise Refused(WRONG_VALUE, f"字段 {name} 在对象 {self.name} 中不存在")
        return f"json_extract(body, '$.\"{name}\"')"

    def values(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """The fields this object knows, in the form they are kept; unknown ones and the owner are dropped silently."""
        return {name: _kept(name, self.fields[name], value) for name, value in told.items() if name in self.fields}


def _kept(name: str, kind: str, value: Any) -> Any:
    if value is None or value == "":
        return value
    if kind == "number":
        return _number(name, value)
    if kind == "ms" and (isinstance(value, bool) or not isinstance(value, int)):
        raise Refused(WRONG_VALUE, f"字段 {name} 应为毫秒时间戳")
    if kind == "list" and not isinstance(value, list):
        raise Refused(WRONG_VALUE, f"字段 {name} 应为列表")
    if kind == "text":
        return str(value)
    return value


def _number(name: str, value: Any) -> str:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise Refused(WRONG_VALUE, f"字段 {name} 应为数字") from None
    if not number.is_finite():
        raise Refused(WRONG_VALUE, f"字段 {name} 应为数字")
    return str(value)


def _object(name: str, text: str, number: str = "", ms: str = "", **more: Any) -> CrmObject:
    kinds = dict.fromkeys(text.split(), "text") | dict.fromkeys(number.split(), "number")
    kinds |= dict.fromkeys(ms.split(), "ms")
    return CrmObject(name, kinds | more.pop("other", {}), **more)


OBJECTS: dict[str, CrmObject] = {
    made.name: made
    for made in (
        _object(
            "AccountObj", "name account_no tax_number__c email tel life_status remark",
            other={"address": "any"}, columns={"number": "account_no", "status": "life_status"}, unique=("account_no",),
        ),
        _object(
            "ProductObj", "name product_code unit product_status remark", "price",
            columns={"number": "product_code", "status": "product_status"}, unique=("product_code",),
        ),
        _object(
            "SalesOrderObj", "name account_id account_id__r life_status order_status mc_currency customer_po__c"
            " ship_to_id__r ship_to_tel ship_to_add contact_email__c remark erp_order_no__c hub_status__c"
            " hub_message__c version", "order_amount", "order_time delivery_date",
            columns={"number": "name", "status": "life_status", "parent": "account_id"}, unique=("name",),
            details="SalesOrderProductObj",
        ),
        _object(
            "SalesOrderProductObj", "order_id line_no__c product_id product_id__r unit__c life_status remark",
            "quantity sales_price subtotal", "delivery_date",
            columns={"parent": "order_id", "status": "life_status"}, parent="order_id",
        ),
        _object(
            "DeliveryNoteObj", "name sales_order_id account_id status express_org express_order_id hub_reference__c"
            " remark life_status", "", "delivery_date", columns={"number": "name", "parent": "sales_order_id",
            "status": "life_status"}, unique=("hub_reference__c",), details="DeliveryNoteProductObj",
        ),
        _object(
            "DeliveryNoteProductObj", "delivery_note_id sales_order_product_id product_id product_id__r unit__c"
            " life_status", "delivery_num", columns={"parent": "delivery_note_id", "status": "life_status"},
            parent="delivery_note_id",
        ),
    )
}  # fmt: skip


def crm_object(name: Any) -> CrmObject:
    """The object of this API name."""
    if name not in OBJECTS:
        raise Refused(UNKNOWN_OBJECT, f"对象 {name} 不存在")
    return OBJECTS[name]
