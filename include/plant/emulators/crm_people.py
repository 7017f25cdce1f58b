"""What sales people do in the CRM, through its real API with its real login."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import httpx


class PlantRefused(Exception):
    """A system said no to what somebody in the plant wanted."""

    def __init__(self, code: Any, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class CrmPeople:
    """Places, confirms, changes and cancels orders. Not for several threads at once."""

    def __init__(
        self, url: str, app_id: str = "FSAID_plant", secret: str = "", permanent_code: str = "plant-permanent-code",
        ea: str = "huadong", *, user: str = "1000", timeout: float = 10,
    ) -> None:  # fmt: skip
        self._login = {
            "appId": app_id, "appSecret": secret or "plant-fxiaoke-secret", "permanentCode": permanent_code,
            "grantType": "app_secret",
        }  # fmt: skip
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)
        self._http.headers.update({"x-fs-ea": ea, "x-fs-userid": user})
        self._keys: dict[tuple[str, str], str] = {}

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def place_order(
        self, customer: str, lines: Sequence[Mapping[str, Any]], number: str | None = None, *, confirm: bool = True,
        **fields: Any,
    ) -> str:  # fmt: skip
        """Enter an order (lines: item, quantity, unit, price) and confirm it; returns its number.

        `fields` are further fields of the order by their CRM names, such as `ship_to_add` or `contact_email__c`.
        """
        head = {"dataObjectApiName": "SalesOrderObj", "account_id": self._key("AccountObj", "account_no", customer),
                "life_status": "ineffective", "owner": ["1000"], **fields}  # fmt: skip
        if number:
            head["name"] = number
        details = [self._line(line, place) for place, line in enumerate(lines, 1)]
        told = {"triggerWorkFlow": False, "triggerApprovalFlow": False,
                "data": {"object_data": head, "details": {"SalesOrderProductObj": details}}}  # fmt: skip
        key = self._call("create", told)["dataId"]
        entered = self._call("get", {"data": {"dataObjectApiName": "SalesOrderObj", "objectDataId": key}})["data"]
        name = str(entered["name"])
        if confirm:
            self.confirm(name)
        return name

    def _line(self, line: Mapping[str, Any], place: int) -> dict[str, Any]:
        told = {
            "dataObjectApiName": "SalesOrderProductObj", "record_type": "default__c",
            "product_id": self._key("ProductObj", "product_code", line["item"]), "quantity": str(line["quantity"]),
            "line_no__c": str(line.get("line_no", place * 10)), "sales_price": str(line.get("price", "0")),
        }  # fmt: skip
        return told | ({"unit__c": line["unit"]} if line.get("unit") else {})

    def confirm(self, number: str) -> None:
        """The order counts from now on."""
        self.edit(number, life_status="normal")

    def edit(self, number: str, **fields: Any) -> None:
        """Change fields of the order's header."""
        data = {"dataObjectApiName": "SalesOrderObj", "_id": self.order(number)["_id"], **fields}
        self._call("update", {"data": {"object_data": data}})

    def change_quantity(self, number: str, line_no: str, quantity: str) -> None:
        """The customer wants more or less of one line."""
        order = self.order(number)
        line = next(each for each in order["lines"] if each["line_no__c"] == str(line_no))
        self._call("update", {"data": {
            "object_data": {"dataObjectApiName": "SalesOrderObj", "_id": order["_id"]},
            "details": {"SalesOrderProductObj": [{"_id": line["_id"], "quantity": str(quantity)}]},
        }})  # fmt: skip

    def cancel(self, number: str) -> None:
        """The customer wants nothing any more."""
        key = self.order(number)["_id"]
        self._call("invalid", {"data": {"dataObjectApiName": "SalesOrderObj", "object_data_id": key}})

    def order(self, number: str) -> dict[str, Any]:
        """The order as the CRM shows it, with `lines`."""
        order = self._one("SalesOrderObj", "name", number)
        lines = self.query("SalesOrderProductObj", "order_id", [order["_id"]])
        return {**order, "lines": sorted(lines, key=lambda line: (len(line["line_no__c"]), line["line_no__c"]))}

    def delivery_notes(self, number: str) -> list[dict[str, Any]]:
        """What the CRM knows of deliveries for an order, each with `lines`."""
        notes = self.query("DeliveryNoteObj", "sales_order_id", [self._one("SalesOrderObj", "name", number)["_id"]])
        lines = self.query("DeliveryNoteProductObj", "delivery_note_id", [n["_id"] for n in notes]) if notes else []
        return [{**n, "lines": [line for line in lines if line["delivery_note_id"] == n["_id"]]} for n in notes]

    def create(self, kind: str, **fields: Any) -> str:
        """Enter something else, such as a customer (AccountObj) or an item (ProductObj); returns its id."""
        told = {"triggerWorkFlow": False, "triggerApprovalFlow": False,
                "data": {"object_data": {"dataObjectApiName": kind, "owner": ["1000"], **fields}}}  # fmt: skip
        return str(self._call("create", told)["dataId"])

    def query(self, kind: str, field: str, values: Sequence[str]) -> list[dict[str, Any]]:
        """Objects whose field has one of some values (the first 100)."""
        filters = [{"field_name": field, "operator": "IN", "field_values": list(values)}]
        page = {"offset": 0, "limit": 100, "filters": filters, "orders": [{"fieldName": "_id", "isAsc": True}]}
        told = {"dataObjectApiName": kind, "find_explicit_total_num": False, "search_query_info": page}
        rows: list[dict[str, Any]] = self._call("query", {"data": told})["data"]["dataList"]
        return rows

    def _one(self, kind: str, field: str, value: str) -> dict[str, Any]:
        rows = self.query(kind, field, [value])
        if not rows:
            raise PlantRefused("none", f"the CRM has no {kind} with {field} {value}")
        return rows[0]

    def _key(self, kind: str, field: str, value: str) -> str:
        if (kind, value) not in self._keys:
            self._keys[kind, value] = self._one(kind, field, value)["_id"]
        return self._keys[kind, value]

    def _call(self, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if "authorization" not in self._http.headers:
            self._log_in()
        told = self._post(f"/cgi/crm/v2/data/{operation}", body)
        if told["errorCode"] == 20016:
            self._log_in()
            told = self._post(f"/cgi/crm/v2/data/{operation}", body)
        return _accepted(told)

    def _log_in(self) -> None:
        told = _accepted(self._post("/oauth2.0/token", self._login))
        self._http.headers["authorization"] = f"Bearer {told['accessToken']}"

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        response = self._http.post(path, params={"thirdTraceId": str(uuid.uuid4())}, json=body)
        told: dict[str, Any] = response.raise_for_status().json()
        return told


def _accepted(told: dict[str, Any]) -> dict[str, Any]:
    if told["errorCode"] != 0:
        raise PlantRefused(told["errorCode"], told["errorMessage"])
    return told
