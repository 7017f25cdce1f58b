"""What people in the office do in Roundup, through its REST with their own passwords."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import httpx

from include.plant.emulators.crm_people import PlantRefused


class RoundupPeople:
    """Ask, approve, reject, send back, withdraw. Not for several threads at once."""

    def __init__(self, address: str, password: str) -> None:
        self._password = password
        self._headers = {"X-Requested-With": "people", "Origin": address, "Referer": f"{address}/"}
        self._http = httpx.Client(base_url=f"{address}/rest/data/", trust_env=False, timeout=30)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def ask(self, who: str, number: str, lines: Sequence[Mapping[str, str]], *, submit: bool = True) -> str:
        """A purchase request (lines: line, item, quantity, unit, price); returns Roundup's id."""
        total = sum(Decimal(line["quantity"]) * Decimal(line.get("price", "0")) for line in lines)
        told = {"title": f"采购申请 {number}", "kind": "purchase", "external_id": number, "amount": f"{total:f}",
                "currency": "CNY", "lines": json.dumps(list(lines), ensure_ascii=False),
                "status": "submitted" if submit else "draft"}  # fmt: skip
        return str(self._call(who, "POST", "request", told)["id"])

    def move(self, who: str, request: str, state: str) -> None:
        """submitted, approved, rejected, draft (sent back), withdrawn, closed; refused where it may not."""
        tag = self._call(who, "GET", f"request/{request}")["@etag"]
        self._call(who, "PATCH", f"request/{request}", {"status": state, "@etag": tag})

    def seen(self, who: str, request: str) -> dict[str, Any]:
        """The request's fields as somebody sees them."""
        fields: dict[str, Any] = self._call(who, "GET", f"request/{request}")["attributes"]
        return fields

    def _call(self, who: str, method: str, path: str, told: Mapping[str, Any] | None = None) -> Any:
        answer = self._http.request(method, path, json=told, headers=self._headers, auth=(who, self._password))
        body = answer.json()
        if "error" in body:
            raise PlantRefused(body["error"]["status"], str(body["error"]["msg"]))
        return body["data"]
