"""What people in the office do in Seeyon, each with a token of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import httpx

from include.plant.emulators.crm_people import PlantRefused
from include.plant.emulators.seeyon.facade import MAIN, SON, TEMPLATE

_NAMES = {
    "line": "行号",
    "item": "物料编码",
    "quantity": "数量",
    "unit": "单位",
    "price": "预计单价",
    "supplier": "建议供应商",
}


class SeeyonPeople:
    """Ask, approve, disagree, send back, repeal, stop. Not for several threads at once."""

    def __init__(self, url: str, rest_user: str = "rest-hub", secret: str = "", *, timeout: float = 10) -> None:
        self._login = {"userName": rest_user, "password": secret or "plant-seeyon-secret"}
        self._http = httpx.Client(base_url=f"{url}/seeyon/rest/", timeout=timeout, trust_env=False)
        self._tokens: dict[str, str] = {}

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def ask(self, who: str, number: str, lines: Sequence[Mapping[str, str]], *, draft: bool = False) -> str:
        """A purchase request (lines: item, quantity, unit, price, supplier); returns the flow's summary id."""
        total = sum(Decimal(line["quantity"]) * Decimal(line.get("price", "0")) for line in lines)
        rows = [{"行号": str(place * 10)} | {_NAMES.get(name, name): value for name, value in line.items()}
                for place, line in enumerate(lines, 1)]  # fmt: skip
        data = {
            "templateCode": TEMPLATE, "subject": f"采购申请【{number}】", "draft": "1" if draft else "0",
            "data": {MAIN: {"单据编号": number, "币种": "CNY", "总金额": f"{total:f}"}, SON: rows},
        }  # fmt: skip
        told = self.call(who, "bpm/process/start", {"appName": "collaboration", "data": data})
        return str(json.loads(told["data"]["app_bussiness_data"])["summaryId"])

    def decide(self, who: str, flow: str, *, agree: bool = True) -> None:
        """Agree or disagree; the flow goes on to its end either way."""
        said = {"attitude": "2" if agree else "3", "content": "同意" if agree else "不同意"}
        self.call(who, "bpm/workitem/finish", {"workitemId": flow, "data": {"comment_deal": said}})

    def act(self, who: str, what: str, flow: str) -> None:
        """`bpm/process/repeal`, `bpm/process/stop`, `bpm/workitem/stepBack`."""
        self.call(who, what, {"summaryId": flow})

    def state(self, flow: str) -> Any:
        """Their number for where a flow is."""
        return self._http.get(f"flow/state/{flow}", headers={"token": self._token("li")}).json()

    def call(self, who: str, path: str, told: Mapping[str, Any]) -> Any:
        """One call in somebody's name."""
        answer = self._http.post(path, json=told, headers={"token": self._token(who)}).json()
        if answer["code"] != 0:
            raise PlantRefused(answer["code"], answer["message"])
        return answer

    def _token(self, who: str) -> str:
        if who not in self._tokens:
            self._tokens[who] = self._http.post("token", json={**self._login, "loginName": who}).json()["id"]
        return self._tokens[who]
