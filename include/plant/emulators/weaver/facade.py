"""The OA's protocol (e-cology 9): RSA headers, forms with JSON inside, bare arrays and numbers as answers, HTTP 200."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from include.plant.emulators.approvals import AGREED, EXECUTING, PERSON, REQUEST, Approvals
from include.plant.emulators.calls import Answer, Call, Refused
from include.plant.emulators.document_store import DocumentStore, Record
from include.plant.emulators.seed import Seed
from include.plant.emulators.settings import Settings
from include.plant.emulators.tokens import Tokens
from include.plant.emulators.weaver import forms
from include.plant.emulators.weaver.keys import Keys

_AUTH, _FLOW = "/api/ec/dev/auth/", "/api/workflow/paService/"
_ZONE, _LARGEST_PAGE, EXECUTOR = ZoneInfo("Asia/Shanghai"), 100, "90"
_NOT_YOURS = {"not yours", "not now", "no approver"}


class Weaver:
    """The façade: who is asking, which request, and the answer in e-cology's several shapes."""

    def __init__(self, settings: Settings, store: DocumentStore) -> None:
        self.settings, self.store = settings, store
        self.approvals, self._tokens, self._keys = Approvals(store), Tokens(store), Keys()
        self._sessions: dict[str, str] = {}
        self._flow: dict[str, Callable[[str, Mapping[str, str]], Any]] = {
            "doCreateRequest": self._create, "submitRequest": self._submit, "rejectRequest": self._reject,
            "withdrawRequest": self._withdraw, "doForceDrawBack": self._draw_back, "doForceOver": self._force_over,
            "deleteRequest": self._delete, "getRequestStatus": self._status, "getWorkflowRequest": self._whole,
            "getAllWorkflowRequestList": self._list, "getAllWorkflowRequestCount": self._count,
            "getToDoWorkflowRequestList": self._todo,
        }  # fmt: skip

    def operation(self, call: Call) -> str:
        """`token`, or the last word of the address."""
        name = call.path.rsplit("/", 1)[-1]
        return "token" if name == "applytoken" else name

    def answer(self, call: Call) -> Answer:
        """One call; a session cookie is given, and whoever brings one back is taken for the user it was made for."""
        try:
            with self.store.transaction():
                if call.path.startswith(_AUTH):
                    return Answer(self._auth(call))
                user, cookie = self._user(call)
                return Answer(self._business(user, call), headers=cookie)
        except Refused as no:
            return Answer(_refusal(no))

    def throttled(self) -> Answer:
        """Too many calls: the gateway in front of it says so."""
        return Answer({"msg": "访问过于频繁，请稍后再试", "code": -1, "status": False}, 429)

    def _auth(self, call: Call) -> dict[str, Any]:
        if call.headers.get("appid") != self.settings.login:
            raise Refused(-1, "认证信息错误: appid 未注册")
        if call.path.endswith("/regist"):
            if self.store.next_number("_registrations") > 1:
                self._keys.renew()
            return {"status": True, "code": 0, "msg": "ok", "secrit": self.settings.secret, "spk": self._keys.public()}
        if self._keys.opened(call.headers.get("secret", ""), "secret") != self.settings.secret:
            raise Refused(-1, "认证信息错误")
        lives = float(call.headers.get("time", 0) or 0) or self.settings.token_seconds
        token, _ = self._tokens.issue(self.settings.login, lives)
        return {"msg": "获取成功!", "code": 0, "msgShowType": "none", "status": True, "token": token}

    def _user(self, call: Call) -> tuple[str, dict[str, str]]:
        if self._tokens.owner(call.headers.get("token", "")) is None:
            raise Refused(-1, "token不存在或者超时：请重新获取")
        session = _cookie(call.headers.get("cookie", ""))
        if session in self._sessions:
            return self._sessions[session], {}
        user = self._keys.opened(call.headers.get("userid", ""), "userid")
        if self.store.get(PERSON, user) is None:
            raise Refused("USER_EXCEPTION", f"用户不存在: {user}")
        session = secrets.token_hex(8)
        self._sessions[session] = user
        return user, {"set-cookie": f"ecology_JSESSIONID={session}; Path=/"}

    def _business(self, user: str, call: Call) -> Any:
        name = call.path.removeprefix(_FLOW)
        if not call.path.startswith(_FLOW) or name not in self._flow:
            raise Refused("PARAM_ERROR", f"接口不存在: {call.path}")
        return self._flow[name](user, {**call.query, **call.form()})

    def _create(self, user: str, told: Mapping[str, str]) -> Any:
        if told.get("workflowId") != forms.WORKFLOW:
            raise Refused("PARAM_ERROR", f"workflowId: {told.get('workflowId')} 不存在或未启用")
        rows = forms.rows_of(told.get("detailData", ""))
        forms.checked(self.approvals, rows)
        main = forms.main_of(told.get("mainData", ""))
        key = str(2_966_000 + self.store.next_number("requestid"))
        body = {"title": told.get("requestName", "")[:200], "main": main, "rows": rows, "amount": main.get("sqje", ""),
                "executor": EXECUTOR}  # fmt: skip
        wishes = json.loads(told.get("otherParams") or "{}")
        self.approvals.start(key, user, body, submit=wishes.get("isnextflow", "1") == "1")
        return _success({"requestid": int(key)})

    def _submit(self, user: str, told: Mapping[str, str]) -> Any:
        """Save, pass on, or decide: an approver who writes 1 (不同意) into `spjg` refuses."""
        request, remark = self._of(told), told.get("remark", "")
        main = forms.main_of(told.get("mainData", ""))
        saves = json.loads(told.get("otherParams") or "{}").get("src") == "save"
        if request.body["waits_for"] != user:
            raise Refused("not yours", f"流程 {request.key} 当前不由 {user} 处理")
        if main:
            self.approvals.write(request, main)
        if not saves:
            acts = {"draft": self.approvals.submit, "approving": self.approvals.agree, EXECUTING: self.approvals.finish}
            refuses = request.status == "approving" and main.get("spjg") == "1"
            (self.approvals.refuse if refuses else acts[request.status])(request, user, remark)
        return _success()

    def _reject(self, user: str, told: Mapping[str, str]) -> Any:
        self.approvals.send_back(self._of(told), user, told.get("remark", ""))
        return _success()

    def _withdraw(self, user: str, told: Mapping[str, str]) -> Any:
        self.approvals.withdraw(self._of(told), user, told.get("remark", ""))
        return _success()

    def _draw_back(self, user: str, told: Mapping[str, str]) -> Any:
        self.approvals.draw_back(self._of(told), user, told.get("remark", ""))
        return _success()

    def _force_over(self, user: str, told: Mapping[str, str]) -> Any:
        self.approvals.force_end(self._of(told), user, told.get("remark", ""))
        return _success()

    def _delete(self, user: str, told: Mapping[str, str]) -> Any:
        request = self._of(told)
        if request.body["creator"] != user or request.status != "draft":
            raise Refused("not yours", f"流程 {request.key} 不能删除")
        self.store.remove(request)
        return _success()

    def _of(self, told: Mapping[str, str]) -> Record:
        return self.approvals.request(told.get("requestId", ""))

    def _status(self, _: str, told: Mapping[str, str]) -> Any:
        request = self._of(told)
        node, name, kind = forms.NODES[request.status]
        return _success({"currentNodeId": node, "currentNodeType": kind, "status": name, "isremark": "0"})

    def _whole(self, _: str, told: Mapping[str, str]) -> Any:
        names = {person.key: person.body["name"] for person in self.store.select(PERSON)}
        return _success(forms.shown(self._of(told), names, _local))

    def _list(self, _: str, told: Mapping[str, str]) -> list[dict[str, Any]]:
        where, values = self._conditions(told)
        page, size = int(told.get("pageNo") or 1), min(int(told.get("pageSize") or 10), _LARGEST_PAGE)
        found = self.store.select(REQUEST, where, values, order="changed DESC, id DESC", limit=size,
                                  offset=(page - 1) * size)  # fmt: skip
        return [_row(request) for request in found]

    def _count(self, _: str, told: Mapping[str, str]) -> int:
        where, values = self._conditions(told)
        return self.store.count(REQUEST, where, values)

    def _todo(self, user: str, _: Mapping[str, str]) -> list[dict[str, Any]]:
        return [_row(request) for request in self.store.select(REQUEST) if request.body["waits_for"] == user]

    def _conditions(self, told: Mapping[str, str]) -> tuple[str, list[Any]]:
        """By whole days, and by a part of the title; a condition nobody knows is ignored in silence."""
        wanted = json.loads(told.get("conditions") or "{}")
        where, values = ["changed <= ?"], [self.store.clock() - int(self.settings.lag_seconds * 1000)]
        if wanted.get("workflowIds") not in (None, "", forms.WORKFLOW):
            where.append("0")
        if wanted.get("requestname"):
            where.append("instr(number, ?) > 0")
            values.append(wanted["requestname"])
        if wanted.get("operatedateselect") == "6":
            for name, text, more in (("operatedatefrom", "changed >= ?", 0), ("operatedateto", "changed < ?", 86_400)):
                if wanted.get(name):
                    day = datetime.fromisoformat(wanted[name]).replace(tzinfo=_ZONE)
                    where.append(text)
                    values.append(int((day.timestamp() + more) * 1000))
        return " AND ".join(where), values

    def act(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """An administrator: `register` (says the key), `expire_tokens`, `edit` a form after it was approved."""
        with self.store.transaction():
            if wish["do"] == "expire_tokens":
                self._tokens.withdraw_all()
                return {}
            if wish["do"] == "register":
                return {"spk": self._keys.public()}
            if wish["do"] == "edit":
                return self._edit(str(wish["requestId"]), wish.get("main", {}), wish.get("row", {}))
            raise Refused("unknown", f"nobody in the OA can {wish['do']!r}")

    def _edit(self, key: str, main: Mapping[str, str], row: Mapping[str, str]) -> dict[str, Any]:
        request = self.approvals.request(key)
        request.body["main"].update(main)
        for each in request.body["rows"]:
            if each.get("xh") == row.get("xh"):
                each.update(row)
        self.approvals.edited(request, "1")
        return {"approved": request.body["verdict"] == AGREED}

    def plant_seed(self, seed: Seed) -> None:
        """The people, and what they may ask for."""
        self.approvals.plant_seed(seed)
        self._sessions.clear()


def _local(stamp: int) -> str:
    return datetime.fromtimestamp(stamp // 1000, UTC).astimezone(_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _row(request: Record) -> dict[str, Any]:
    node, name, _ = forms.NODES[request.status]
    return {
        "requestId": request.key, "requestName": request.body["title"], "createTime": _local(request.created),
        "lastOperateTime": _local(request.changed), "status": name, "currentNodeId": node, "currentNodeName": name,
        "workflowBaseInfo": {"workflowId": forms.WORKFLOW, "workflowName": "采购申请"},
    }  # fmt: skip


def _success(data: Any = None) -> dict[str, Any]:
    return {"code": "SUCCESS", "data": data, "errMsg": {}, "reqFailMsg": {}}


def _refusal(no: Refused) -> dict[str, Any]:
    if no.code == -1:
        return {"msg": no.message, "code": -1, "status": False}
    if no.code in _NOT_YOURS:
        about = {"msgType": "NO_REQUEST_SUBMIT_PERMISSION", "msgInfo": no.message}
        return {"code": "NO_PERMISSION", "data": None, "errMsg": {}, "reqFailMsg": about}
    code = no.code if str(no.code).isupper() else "PARAM_ERROR"
    return {"code": code, "data": None, "errMsg": {"msg": no.message}, "reqFailMsg": {}}


def _cookie(header: str) -> str:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return next((value for name, _, value in pairs if name == "ecology_JSESSIONID"), "")
