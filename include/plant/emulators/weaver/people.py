"""What people in the office do in the OA, through its real API with their real names."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from include.plant.emulators.crm_people import PlantRefused
from include.plant.emulators.seed import Seed
from include.plant.emulators.weaver.forms import DETAIL, WORKFLOW

_FLOW = "/api/workflow/paService/"


class EcologyPeople:
    """Ask, approve, refuse, send back, withdraw, draw back. Not for several threads at once."""

    def __init__(self, url: str, app: str = "plant-oa-app", secret: str = "", *, timeout: float = 10) -> None:
        self._app, self._secret = app, secret or "plant-weaver_ecology-secret"
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)
        self._staff = {person["login"]: person for person in Seed.load().staff}
        self._token = ""

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def ask(
        self, who: str, number: str, lines: Sequence[Mapping[str, Any]], *, submit: bool = True, **main: str
    ) -> str:  # fmt: skip
        """A purchase requisition (lines: item, quantity, unit, price, or e-cology's own names); the request's id."""
        total = sum(Decimal(str(line["quantity"])) * Decimal(str(line.get("price", "0"))) for line in lines)
        form = {"djbh": number, "sqrgh": self._staff[who]["number"], "bz": "CNY", "sqje": f"{total:f}", **main}
        told = {
            "workflowId": WORKFLOW, "requestName": f"采购申请【{number}】", "mainData": _dumped(_fields(form)),
            "detailData": _dumped([{"tableDBName": DETAIL, "workflowRequestTableRecords": [
                {"recordOrder": 0, "workflowRequestTableFields": _fields(_row(line, place))}
                for place, line in enumerate(lines, 1)
            ]}]),
            "otherParams": _dumped({"isnextflow": "1" if submit else "0"}),
        }  # fmt: skip
        return str(self.call(who, "doCreateRequest", told)["requestid"])

    def approve(self, who: str, request: str, remark: str = "同意") -> None:
        """Agree."""
        self.call(
            who, "submitRequest", {"requestId": request, "remark": remark, "mainData": _dumped(_fields({"spjg": "0"}))}
        )

    def refuse(self, who: str, request: str, remark: str = "不同意") -> None:
        """Say no; the request is archived all the same."""
        self.call(
            who, "submitRequest", {"requestId": request, "remark": remark, "mainData": _dumped(_fields({"spjg": "1"}))}
        )

    def submit(self, who: str, request: str) -> None:
        """Send a draft, or what was sent back, on its way."""
        self.call(who, "submitRequest", {"requestId": request})

    def send_back(self, who: str, request: str, remark: str = "请补充") -> None:
        """Back to the applicant."""
        self.call(who, "rejectRequest", {"requestId": request, "remark": remark})

    def withdraw(self, who: str, request: str) -> None:
        """Take it back before anybody decided."""
        self.call(who, "withdrawRequest", {"requestId": request})

    def draw_back(self, who: str, request: str) -> None:
        """Revoke an approval that was given."""
        self.call(who, "doForceDrawBack", {"requestId": request})

    def force_end(self, who: str, request: str) -> None:
        """End it by force: archived, and nobody agreed."""
        self.call(who, "doForceOver", {"requestId": request})

    def delete(self, who: str, request: str) -> None:
        """Remove a draft without a trace."""
        self.call(who, "deleteRequest", {"requestId": request})

    def form(self, who: str, request: str) -> dict[str, str]:
        """The main form as somebody sees it."""
        whole = self.call(who, "getWorkflowRequest", {"requestId": request})
        fields = whole["workflowMainTableInfo"]["requestRecords"][0]["workflowRequestTableFields"]
        return {field["fieldName"]: field["fieldValue"] for field in fields}

    def call(self, who: str, name: str, told: Mapping[str, Any]) -> Any:
        """One call in somebody's name; no cookie is kept."""
        told_back = self._post(who, name, told)
        if isinstance(told_back, dict) and "token不存在" in str(told_back.get("msg", "")):
            self._token = ""
            told_back = self._post(who, name, told)
        if isinstance(told_back, dict) and told_back.get("code") != "SUCCESS":
            raise PlantRefused(told_back.get("code"), json.dumps(told_back, ensure_ascii=False))
        return told_back["data"] if isinstance(told_back, dict) else told_back

    def _post(self, who: str, name: str, told: Mapping[str, Any]) -> Any:
        key = self._key()
        headers = {"appid": self._app, "token": self._token, "userid": _sealed(key, self._staff[who]["id"])}
        self._http.cookies.clear()
        return self._http.post(_FLOW + name, headers=headers, data=dict(told)).raise_for_status().json()

    def _key(self) -> RSAPublicKey:
        desk = self._http.post("/_plant/act", json={"do": "register"}).raise_for_status().json()
        key = load_der_public_key(base64.b64decode(desk["spk"]))
        if not isinstance(key, RSAPublicKey):
            raise TypeError("the OA's key is no RSA key")
        if not self._token:
            headers = {"appid": self._app, "secret": _sealed(key, self._secret), "time": "1800"}
            self._token = self._http.post("/api/ec/dev/auth/applytoken", headers=headers).json()["token"]
        return key


def _row(line: Mapping[str, Any], place: int) -> dict[str, str]:
    ours = {"item": "wlbm", "quantity": "sl", "unit": "dw", "price": "yjdj", "supplier": "gysbm", "line": "xh"}
    return {"xh": str(place * 10)} | {ours.get(name, name): str(value) for name, value in line.items()}


def _fields(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"fieldName": name, "fieldValue": value} for name, value in values.items()]


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _sealed(key: RSAPublicKey, text: str) -> str:
    return base64.b64encode(key.encrypt(text.encode(), padding.PKCS1v15())).decode()
