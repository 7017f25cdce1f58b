"""The MES's protocol (Black Lake): key and secret buy a token that goes into the address; `code` 200 means yes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from include.plant.emulators.calls import Answer, Call, Refused
from include.plant.emulators.document_store import DocumentStore, Record
from include.plant.emulators.mes_orders import MATERIAL, ORDER, REPORT, WRONG, MesOrders
from include.plant.emulators.seed import Seed
from include.plant.emulators.settings import Settings
from include.plant.emulators.tokens import Tokens

_TOKEN_PATH = "/api/openapi/domain/api/v1/access_token/_get_access_token"  # noqa: S105 - an address
_ROUTE = "/api/openapi/domain/web/v1/route"
LOGIN_WRONG, TOKEN_INVALID, LIMIT_REACHED = 40101, 40150, 42900
_LARGEST_PAGE = 1000


class BlackLake:
    """The façade: the token, the addresses, the envelope with `code`, `message`, `needCheck`."""

    def __init__(self, settings: Settings, store: DocumentStore) -> None:
        self.settings, self.store = settings, store
        self._orders = MesOrders(store)
        self._tokens = Tokens(store)
        orders = self._orders
        self._writes: dict[str, Callable[[Mapping[str, Any]], Record]] = {
            "/mfg/open/v1/work_order/_create": orders.create, "/mfg/open/v1/work_order/_change": orders.change,
            "/mfg/open/v1/work_order/_cancel": orders.cancel, "/mfg/open/v1/work_order/_close": orders.close,
            "/mfg/open/v1/progress_report/_progress_report": orders.report,
        }  # fmt: skip
        self._lists = {"/mfg/open/v1/work_order/_list": ORDER, "/mfg/open/v1/progress_report/_list": REPORT}

    def operation(self, call: Call) -> str:
        """`token`, or `work_order/_create` and the like."""
        return "token" if call.path == _TOKEN_PATH else "/".join(call.path.rsplit("/", 2)[-2:])

    def answer(self, call: Call) -> Answer:
        """One call of the open platform."""
        try:
            with self.store.transaction():
                data = self._token(call.json()) if call.path == _TOKEN_PATH else self._business(call)
            return Answer({"code": 200, "message": "success", "needCheck": 0, "data": data})
        except Refused as no:
            return Answer({"code": no.code, "message": no.message, "needCheck": 0, "data": None, **no.more})

    def throttled(self) -> Answer:
        """Too many calls of one API: still HTTP 200."""
        return Answer({"code": LIMIT_REACHED, "message": "请求过于频繁", "needCheck": 0, "data": None})

    def _token(self, told: Mapping[str, Any]) -> dict[str, Any]:
        if (told.get("appKey"), told.get("appSecret")) != (self.settings.login, self.settings.secret):
            raise Refused(LOGIN_WRONG, "appKey 或 appSecret 错误", subCode="USER-DOMAIN/APP_SECRET_FAIL")
        token, seconds = self._tokens.issue(self.settings.login, self.settings.token_seconds)
        return {"appAccessToken": token, "expireTime": seconds}

    def _business(self, call: Call) -> Any:
        if self._tokens.owner(call.query.get("access_token", "")) is None:
            raise Refused(TOKEN_INVALID, "access_token 无效或已过期", subCode="USER-DOMAIN/SSO_TOKEN_FAIL")
        path = call.path.removeprefix(_ROUTE)
        if path in self._lists:
            return self._list(self._lists[path], call.json())
        if path not in self._writes:
            raise Refused(40400, f"接口不存在: {path}")
        record = self._writes[path](call.json())
        return {"id": int(record.key), "code": record.number}

    def _list(self, kind: str, told: Mapping[str, Any]) -> dict[str, Any]:
        """A page counted from 1, as things are now: a row that changes in between moves to another page."""
        page, size = told.get("page", 1), told.get("size", 20)
        if not (isinstance(page, int) and isinstance(size, int) and page >= 1 and 1 <= size <= _LARGEST_PAGE):
            raise Refused(WRONG, f"page 从 1 开始，size 在 1 到 {_LARGEST_PAGE} 之间")
        where, values = self._conditions(kind, told)
        rows = self.store.select(kind, where, values, limit=size, offset=(page - 1) * size)
        return {"list": [_row(record) for record in rows], "total": self.store.count(kind, where, values)}

    def _conditions(self, kind: str, told: Mapping[str, Any]) -> tuple[str, list[Any]]:
        lag = int(self.settings.lag_seconds * 1000)
        where: list[str] = ["changed <= ?"] if lag else ["1"]
        values: list[Any] = [self.store.clock() - lag] if lag else []
        for name, text in (("updatedAtFrom", "changed >= ?"), ("updatedAtTo", "changed <= ?")):
            if told.get(name) is not None:
                where.append(text)
                values.append(int(told[name]))
        lists = {"codes": "number", "statuses": "status"} | ({"workOrderCodes": "parent"} if kind == REPORT else {})
        for name, column in lists.items():
            if told.get(name):
                where.append(f"{column} IN ({','.join('?' * len(told[name]))})")
                values.extend(str(each) for each in told[name])
        return " AND ".join(where), values

    def act(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """The shop floor: `report`, `release`, `reverse`; an administrator: `expire_tokens`."""
        actions = {"report": self._orders.report, "release": self._orders.release, "reverse": self._orders.reverse}
        with self.store.transaction():
            if wish["do"] == "expire_tokens":
                self._tokens.withdraw_all()
                return {}
            if wish["do"] not in actions:
                raise Refused("unknown", f"nobody in the MES can {wish['do']!r}")
            return {"record": _row(actions[wish["do"]](wish))}

    def plant_seed(self, seed: Seed) -> None:
        """The materials of the plant."""
        for item in seed.items:
            body = {"code": item["number"], "name": item["name"], "unit": item["unit"]}
            self.store.insert(MATERIAL, self._orders.new_key(), body, number=item["number"])


def _row(record: Record) -> dict[str, Any]:
    return {"id": int(record.key), **record.body, "createdAt": record.created, "updatedAt": record.changed}
