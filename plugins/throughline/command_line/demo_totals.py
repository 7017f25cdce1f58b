"""Counts what the demo led to, in the systems themselves: each is asked over its own API, not the hub."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import httpx

from throughline.command_line.demo_orders import crm_people
from throughline.errors import Transient

if TYPE_CHECKING:
    from throughline.local_platform.settings import Settings


def totals(settings: Settings, numbers: Sequence[str]) -> dict[str, int]:
    """Of these orders: how many the CRM has, how many sales the ERP, how many shipments, how many mails went out."""
    people = crm_people(settings)
    try:
        orders = sum(len(people.query("SalesOrderObj", "name", [number])) for number in numbers)
        notes = sum(len(people.delivery_notes(number)) for number in numbers)
    finally:
        people.close()
    return {
        "crm_orders": orders,
        "erp_sales": _sales(settings, numbers),
        "shipments": notes,
        "mails": _mails(settings, numbers),
    }


def _sales(settings: Settings, numbers: Sequence[str]) -> int:
    with _Erp(settings) as erp:
        return int(erp.ask("model.sale.sale.search_count", [["reference", "in", list(numbers)]]))


def _mails(settings: Settings, numbers: Sequence[str]) -> int:
    from email import message_from_bytes, policy

    found = 0
    for file in settings.mail.glob("*.eml"):
        mail = message_from_bytes(file.read_bytes(), policy=policy.default)
        body = mail.get_body(("plain", "html"))
        text = f"{mail['Subject']} {body.get_content() if body else ''}"
        found += any(number in text for number in numbers)
    return found


class _Erp:
    """Tryton over JSON-RPC, as any other program would ask it."""

    def __init__(self, settings: Settings) -> None:
        self._password = settings.secrets["erp_password"]
        self._numbers = itertools.count(1)
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{settings.ports['tryton']}/erp/rpc/", timeout=30, trust_env=False
        )

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
            raise Transient(f"the ERP refused {method}: {told['error'][0]}")
        return told["result"] if isinstance(told, dict) else told
