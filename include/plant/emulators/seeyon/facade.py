"""The OA's protocol (Seeyon A8, REST): a token that dies of idleness, `code` 0, bare numbers, JSON text inside JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from include.plant.emulators.approvals import (
    AGREED,
    APPROVING,
    DRAFT,
    DRAWN_BACK,
    EXECUTING,
    FINISHED,
    FORCED,
    ITEM,
    PERSON,
    REQUEST,
    SUPPLIER,
    Approvals,
)
from include.plant.emulators.calls import Answer, Call, Refused
from include.plant.emulators.document_store import DocumentStore, Record
from include.plant.emulators.seed import Seed
from include.plant.emulators.settings import Settings
from include.plant.emulators.tokens import Tokens

_REST, TEMPLATE, EXECUTOR = "/seeyon/rest/", "PR_001", "90"
MAIN, SON = "formmain_0018", "formson_0019"
_ZONE = ZoneInfo("Asia/Shanghai")
_LARGEST_PAGE = 200


class Seeyon:
    """The façade: the token, the addresses, and answers of many shapes."""

    def __init__(self, settings: Settings, store: DocumentStore) -> None:
        self.settings, self.store = settings, store
        self.approvals, self._tokens = Approvals(store), Tokens(store)
        self._posts: dict[str, Callable[[str, Mapping[str, Any]], Any]] = {
            "bpm/process/start": self._start, "bpm/workitem/finish": self._finish, "bpm/process/repeal": self._repeal,
            "bpm/process/stop": self._stop, "bpm/workitem/stepBack": self._step_back, "form/update": self._update,
            "coll/sentAffairs": self._sent,
        }  # fmt: skip

    def operation(self, call: Call) -> str:
        """`token`, or the first two words of the address."""
        words = call.path.removeprefix(_REST).split("/")
        return "token" if words[0] == "token" else "/".join(words[:3] if words[0] == "bpm" else words[:2])

    def answer(self, call: Call) -> Answer:
        """One call; a token nobody knows is HTTP 401, everything else 200."""
        try:
            with self.store.transaction():
                path = call.path.removeprefix(_REST)
                if path == "token":
                    return Answer(self._token(call.json()))
                user = self._user(call)
                return Answer(self._get(path) if call.method == "GET" else self._post(path, user, call.json()))
        except Refused as no:
            if no.code == 401:
                return Answer({"code": 1010, "message": no.message}, 401)
            return Answer({"code": 1, "message": no.message, "data": None})

    def throttled(self) -> Answer:
        """Too many calls."""
        return Answer({"code": 1, "message": "请求过于频繁"}, 429)

    def _token(self, told: Mapping[str, Any]) -> dict[str, Any]:
        if (told.get("userName"), told.get("password")) != (self.settings.login, self.settings.secret):
            return {"id": "-1", "bindingUser": None}
        bound = self.approvals.by_login(str(told.get("loginName") or ""))
        token, _ = self._tokens.issue(bound.key if bound else "", self.settings.token_seconds)
        return {"id": token, "bindingUser": {"id": bound.key, "loginName": bound.number} if bound else None}

    def _user(self, call: Call) -> str:
        token = call.headers.get("token") or call.query.get("token", "")
        owner = self._tokens.owner(token)
        if owner is None:
            raise Refused(401, "Invalid token,please authenticate again")
        self._tokens.use(token, self.settings.token_seconds)
        return owner

    def _post(self, path: str, user: str, told: Mapping[str, Any]) -> Any:
        if path not in self._posts:
            raise Refused(404, f"接口不存在: {path}")
        return self._posts[path](user, told)

    def _get(self, path: str) -> Any:
        words = path.split("/")
        if words[:2] == ["flow", "state"]:
            found = self.store.get(REQUEST, words[2])
            return _STATES[_state(found)] if found else None
        if words[:2] == ["flow", "data"]:
            return self._whole(self.approvals.request(words[2]))
        if words[:2] == ["flow", "FromFinish"]:
            return self._finished(words[3], words[4])
        raise Refused(404, f"接口不存在: {path}")

    def _start(self, user: str, told: Mapping[str, Any]) -> Any:
        data = told.get("data") or {}
        if told.get("appName") != "collaboration" or data.get("templateCode") != TEMPLATE:
            raise Refused(1, f"模板不存在: {data.get('templateCode')}")
        sender = self.approvals.by_login(str(data.get("senderLoginName") or ""))
        form = data.get("data") or {}
        rows = list(form.get(SON) or [])
        self._check(rows)
        main = dict(form.get(MAIN) or {})
        key = str(-(10**18) - self.store.next_number("summary") * 7_919)
        body = {"title": str(data.get("subject") or "")[:85], "main": main, "rows": rows, "executor": EXECUTOR,
                "amount": main.get("总金额", "")}  # fmt: skip
        self.approvals.start(key, sender.key if sender else user, body, submit=str(data.get("draft", "0")) == "0")
        inside = json.dumps({"summaryId": key, "affairId": str(int(key) + 1)})
        return {
            "code": 0,
            "message": "",
            "data": {"app_bussiness_data": inside, "subject": body["title"], "errorMsg": ""},
        }

    def _check(self, rows: list[Mapping[str, Any]]) -> None:
        for row in rows:
            for name, kind in (("物料编码", ITEM), ("建议供应商", SUPPLIER)):
                if row.get(name) and not self.approvals.knows(kind, str(row[name])):
                    raise Refused(1, f"{name}: {row[name]} 不存在")

    def _finish(self, user: str, told: Mapping[str, Any]) -> Any:
        """Attitude 1 read, 2 agree, 3 disagree; who disagrees lets the flow go to its end all the same."""
        request, said = self._of(told), (told.get("data") or {}).get("comment_deal") or {}
        acts = {DRAFT: self.approvals.submit, APPROVING: self.approvals.agree, EXECUTING: self.approvals.finish}
        refuses = request.status == APPROVING and str(said.get("attitude")) == "3"
        if request.status not in acts:
            raise Refused(1, f"流程 {request.key} 已结束")
        (self.approvals.refuse if refuses else acts[request.status])(request, user, str(said.get("content") or ""))
        return _good()

    def _step_back(self, user: str, told: Mapping[str, Any]) -> Any:
        self.approvals.send_back(self._of(told), user)
        return _good()

    def _repeal(self, user: str, told: Mapping[str, Any]) -> Any:
        """撤销: before anybody decided, and by who has the rights even after it was approved."""
        request = self._of(told)
        act = self.approvals.draw_back if request.body["verdict"] == AGREED else self.approvals.withdraw
        act(request, user)
        return _good()

    def _stop(self, user: str, told: Mapping[str, Any]) -> Any:
        self.approvals.force_end(self._of(told), user)
        return _good()

    def _update(self, user: str, told: Mapping[str, Any]) -> Any:
        request = self._of(told)
        if request.body["waits_for"] != user:
            raise Refused(1, f"流程 {request.key} 当前不由该用户处理，不能修改表单")
        self.approvals.write(request, dict((told.get("data") or {}).get(MAIN) or {}))
        return _good()

    def _of(self, told: Mapping[str, Any]) -> Record:
        return self.approvals.request(str(told.get("summaryId") or told.get("workitemId") or ""))

    def _sent(self, _: str, told: Mapping[str, Any]) -> Any:
        page, size = int(told.get("pageNo") or 1), min(int(told.get("pageSize") or 20), _LARGEST_PAGE)
        where, values = ["changed <= ?"], [self.store.clock() - int(self.settings.lag_seconds * 1000)]
        if told.get("subject"):
            where.append("instr(number, ?) > 0")
            values.append(told["subject"])
        for name, text, more in (("beginDate", "changed >= ?", 0), ("endDate", "changed < ?", 86_400)):
            if told.get(name):
                day = datetime.fromisoformat(told[name]).replace(tzinfo=_ZONE)
                where.append(text)
                values.append(int((day.timestamp() + more) * 1000))
        rows = self.store.select(REQUEST, " AND ".join(where), values, order="changed DESC, id", limit=size,
                                 offset=(page - 1) * size)  # fmt: skip
        listed = [
            {"summaryId": row.key, "subject": row.body["title"], "updateDate": _local(row.changed)} for row in rows
        ]
        return {"code": 0, "message": "", "data": listed}

    def _finished(self, begin: str, end: str) -> list[str]:
        rows = self.store.select(REQUEST, "status = ?", (FINISHED,))
        return [row.key for row in rows if begin <= _local(row.changed)[:10] <= end]

    def _whole(self, request: Record) -> dict[str, Any]:
        attitudes = {"agree": "2", "refuse": "3"}
        opinions = [
            {"memberName": said["by"], "attitude": attitudes[said["act"]], "content": said["remark"],
             "createDate": _local(said["at"])}
            for said in request.body["log"] if said["act"] in attitudes
        ]  # fmt: skip
        rows = [{"id": f"{request.key}{place}", **row} for place, row in enumerate(request.body["rows"], 1)]
        return {"code": 0, "message": "", "data": {
            "summaryId": request.key, "state": _STATES[_state(request)], "node": request.status,
            MAIN: request.body["main"], SON: rows, "opinions": opinions}}  # fmt: skip

    def act(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """An administrator: `expire_tokens`."""
        if wish["do"] != "expire_tokens":
            raise Refused("unknown", f"nobody in the OA can {wish['do']!r}")
        with self.store.transaction():
            self._tokens.withdraw_all()
        return {}

    def plant_seed(self, seed: Seed) -> None:
        """The people, and what they may ask for."""
        self.approvals.plant_seed(seed)
        assert self.store.numbered(PERSON, "hub")  # noqa: S101 - the hub acts as a person of the seed


_STATES = {"draft": 1, "running": 4, "stepped back": 6, "revoked": 5, "terminated": 15, "finished": 0}


def _state(request: Record) -> str:
    """Their number for where a flow is: 0 says that it is finished, and nothing of how."""
    if request.status == FINISHED:
        return "terminated" if request.body["verdict"] == FORCED else "finished"
    if request.status != DRAFT:
        return "running"
    acts = [said["act"] for said in request.body["log"]]
    if request.body["verdict"] == DRAWN_BACK:
        return "revoked"
    return "stepped back" if acts[-1:] == ["send back"] else "draft"


def _good() -> dict[str, Any]:
    return {"code": 0, "message": "", "data": {"errorMsg": ""}}


def _local(stamp: int) -> str:
    return datetime.fromtimestamp(stamp // 1000, UTC).astimezone(_ZONE).strftime("%Y-%m-%d %H:%M:%S")
