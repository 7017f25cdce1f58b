"""Counts what a few orders led to, asking each system of the plant over its own API; the hub is not asked.

tally = Tally(crm_url, crm_secret, erp_url, erp_password, mails)
tally.count(["SO-000001"])  ->  {"crm_orders": 1, "erp_sales": 1, "shipments": 2, "mails": 2}
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import httpx

from include.plant.emulators.clients import CrmPeople, PlantRefused


@dataclass(frozen=True)
class Tally:
    """Where the systems are and how to log in; `mails` is the folder of the mail server that keeps mails as files."""

    crm_url: str
    crm_secret: str = field(repr=False)
    erp_url: str
    erp_password: str = field(repr=False)
    mails: Path

    def count(self, numbers: Sequence[str]) -> dict[str, int]:
        """Of these orders: how many the CRM has, the sales in the ERP, the delivery notes in the CRM, the mails."""
        people = CrmPeople(self.crm_url, secret=self.crm_secret)
        try:
            orders = sum(len(people.query("SalesOrderObj", "name", [number])) for number in numbers)
            notes = sum(len(people.delivery_notes(number)) for number in numbers)
        finally:
            people.close()
        return {
            "crm_orders": orders,
            "erp_sales": self.erp_sales(numbers),
            "shipments": notes,
            "mails": self._mails(numbers),
        }

    def erp_sales(self, numbers: Sequence[str]) -> int:
        """Of these orders: the sales in the ERP."""
        with _Erp(self.erp_url, self.erp_password) as erp:
            return int(erp.ask("model.sale.sale.search_count", [["reference", "in", list(numbers)]]))

    def _mails(self, numbers: Sequence[str]) -> int:
        texts = (_text(file) for file in self.mails.glob("*.eml"))
        return sum(any(number in text for number in numbers) for text in texts)


def _text(file: Path) -> str:
    mail = message_from_bytes(file.read_bytes(), policy=policy.default)
    body = mail.get_body(("plain", "html"))
    return f"{mail['Subject']} {body.get_content() if body else ''}"


class _Erp:
    """Tryton over JSON-RPC, as any other program would ask it."""

    def __init__(self, url: str, password: str) -> None:
        self._password = password
        self._numbers = itertools.count(1)
        self._http = httpx.Client(base_url=f"{url}/erp/rpc/", timeout=30, trust_env=False)

    def __enter__(self) -> _Erp:
        user, token, *_ = self._call("common.db.login", "hub", {"password": self._password}, "en")
        session = base64.b64encode(f"hub:{user}:{token}".encode()).decode()
        self._http.headers["authorization"] = f"Session {session}"
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def ask(self, method: str, *arguments: Any) -> Any:
        """One call in an empty context."""
        return self._call(method, *arguments, {})

    def _call(self, method: str, *arguments: Any) -> Any:
        body = {"id": next(self._numbers), "method": method, "params": list(arguments)}
        answer = self._http.post("", json=body)
        answer.raise_for_status()
        told = answer.json()
        if isinstance(told, dict) and told.get("error"):
            raise PlantRefused(told["error"][0], f"the ERP refused {method}")
        return told["result"] if isinstance(told, dict) else told
