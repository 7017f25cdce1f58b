"""The CRM's protocol (Fxiaoke): a token, three headers, POST JSON, and HTTP 200 whatever happened."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from include.plant.emulators.calls import Answer, Call, Refused
from include.plant.emulators.crm_objects import CrmObjects
from include.plant.emulators.crm_queries import CrmQuery
from include.plant.emulators.crm_schema import crm_object
from include.plant.emulators.document_store import DocumentStore, Record, wall_milliseconds
from include.plant.emulators.limits import CallLimits
from include.plant.emulators.seed import Seed
from include.plant.emulators.settings import Settings
from include.plant.emulators.tokens import Tokens

_PRESET, _CUSTOM = "/cgi/crm/v2/data/", "/cgi/crm/custom/v2/data/"
TOKEN_INVALID = 20016
TOKEN_MISSING = 20017
LIMIT_REACHED = 30002


class Fxiaoke:
    """The façade: who is calling, which operation, and the vendor's envelope."""

    def __init__(self, settings: Settings, store: DocumentStore) -> None:
        self.settings, self.store = settings, store
        self._objects = CrmObjects(store)
        self._tokens = Tokens(store)
        self._token_calls = CallLimits(lambda: wall_milliseconds() / 1000)
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "query": self._query, "get": self._get, "create": self._create, "update": self._update,
            "invalid": self._invalid, "delete": self._delete,
        }  # fmt: skip

    def operation(self, call: Call) -> str:
        """`token`, or `SalesOrderObj/query` and the like."""
        if call.path == "/oauth2.0/token":
            return "token"
        data = call.json().get("data")
        data = data if isinstance(data, Mapping) else {}
        told = data.get("object_data")
        name = data.get("dataObjectApiName") or (told.get("dataObjectApiName") if isinstance(told, Mapping) else None)
        return f"{name or '?'}/{call.path.rsplit('/', 1)[-1]}"

    def answer(self, call: Call) -> Answer:
        """One call of the open platform."""
        try:
            with self.store.transaction():
                told = self._token(call) if call.path == "/oauth2.0/token" else self._business(call)
            return _envelope(0, "OK", told)
        except Refused as no:
            return _envelope(int(no.code), no.message, no.more)

    def throttled(self) -> Answer:
        """Too many calls of one API: still HTTP 200."""
        return _envelope(LIMIT_REACHED, "接口调用超出频率限制", {})

    def _token(self, call: Call) -> dict[str, Any]:
        told, mine = call.json(), self.settings
        if not _is_uuid4(call.query.get("thirdTraceId", "")):
            raise Refused(10006, "thirdTraceId 必须为 UUID v4")
        if not self._token_calls.admits("token", mine.token_calls_per_minute, 60):
            raise Refused(LIMIT_REACHED, "获取 token 超出频率限制")
        given = (told.get("appId"), told.get("appSecret"), told.get("permanentCode"), told.get("grantType"))
        if given != (mine.login, mine.secret, mine.permanent_code, "app_secret"):
            raise Refused(10006, "appId、appSecret 或 permanentCode 不合法")
        token, seconds = self._tokens.issue(
            mine.ea, mine.token_seconds, same_seconds=min(mine.same_token_seconds, mine.token_seconds)
        )
        return {"accessToken": token, "ea": mine.ea, "expiresIn": seconds}

    def _business(self, call: Call) -> dict[str, Any]:
        self._check_caller(call.headers)
        folder, _, name = call.path.rpartition("/")
        action = self._operations.get(name) if folder + "/" in (_PRESET, _CUSTOM) else None
        data = call.json().get("data")
        if action is None:
            raise Refused(10001, f"接口 {call.path} 不存在")
        if not isinstance(data, dict):
            raise Refused(10013, "请求体缺少 data")
        if folder + "/" == _CUSTOM:
            raise Refused(320001404, "预置对象不能使用自定义对象接口")
        return action(data)

    def _check_caller(self, headers: Mapping[str, str]) -> None:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise Refused(TOKEN_MISSING, "corpAccessToken为必填项")
        owner = self._tokens.owner(token)
        if owner is None:
            raise Refused(TOKEN_INVALID, "corpAccessToken error")
        if headers.get("x-fs-ea") != owner:
            raise Refused(20020, "x-fs-ea 与 accessToken 所属企业不一致")
        if headers.get("x-fs-userid") not in self.settings.users.split(","):
            raise Refused(20021, "x-fs-userid 不是有效的员工")

    def _query(self, data: dict[str, Any]) -> dict[str, Any]:
        kind = crm_object(data.get("dataObjectApiName"))
        lag = self.settings.lag_seconds
        late = (int(self.settings.late_seconds * 1000), self.store.clock()) if self.settings.late_seconds else None
        query = CrmQuery(kind, data, self.store.clock() - int(lag * 1000) if lag else None, late)
        rows = [query.projected(_row(record)) for record in query.records(self.store)]
        page: dict[str, Any] = {"dataList": rows, "offset": query.offset, "limit": query.limit}
        if query.wants_total:
            page["total"] = query.total(self.store)
        return {"data": page}

    def _get(self, data: dict[str, Any]) -> dict[str, Any]:
        key = data.get("objectDataId") or data.get("object_data_id")
        return {"data": _row(self._objects.existing(data.get("dataObjectApiName"), key))}

    def _create(self, data: dict[str, Any]) -> dict[str, Any]:
        record, details = self._objects.create(data)
        return {"dataId": record.key, "detailIds": details}

    def _update(self, data: dict[str, Any]) -> dict[str, Any]:
        told = data.get("object_data")
        if isinstance(told, Mapping) and told.get("dataObjectApiName") == "SalesOrderProductObj":
            self._objects.edit_alone(data)
        else:
            self._objects.update(data)
        return {}

    def _invalid(self, data: dict[str, Any]) -> dict[str, Any]:
        self._objects.withdraw(data.get("dataObjectApiName"), data.get("object_data_id"))
        return {}

    def _delete(self, data: dict[str, Any]) -> dict[str, Any]:
        for key in data.get("idList") or []:
            self._objects.delete(data.get("dataObjectApiName"), key)
        return {}

    def act(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """What has no API of its own: an administrator withdraws all tokens."""
        if wish["do"] != "expire_tokens":
            raise Refused("unknown", f"nobody in the CRM can {wish['do']!r}; orders go through the real API")
        with self.store.transaction():
            self._tokens.withdraw_all()
        return {}

    def plant_seed(self, seed: Seed) -> None:
        """Customers and products of the plant."""
        for customer in seed.customers:
            self._objects.create({"object_data": {
                "dataObjectApiName": "AccountObj", "name": customer["name"], "account_no": customer["number"],
                "tax_number__c": customer["tax_number"], "email": customer["email"],
                "address": {"country": "CN", "city": customer["city"], "address": customer["street"]},
            }})  # fmt: skip
        for item in seed.items:
            self._objects.create({"object_data": {
                "dataObjectApiName": "ProductObj", "name": item["name"], "product_code": item["number"],
                "unit": item["unit"], "product_status": "1", "price": item["price"],
            }})  # fmt: skip


def _row(record: Record) -> dict[str, Any]:
    return {
        "_id": record.key, **record.body, "owner": ["1000"], "create_time": record.created,
        "last_modified_time": record.changed,
    }  # fmt: skip


def _envelope(code: int, message: str, more: Mapping[str, Any]) -> Answer:
    told = {"traceId": f"E-O.{uuid.uuid4().hex[:16]}", "errorDescription": "success" if code == 0 else message}
    return Answer({**told, "errorMessage": message, "errorCode": code, **more})


def _is_uuid4(text: str) -> bool:
    try:
        return uuid.UUID(text).version == 4
    except ValueError:
        return False
