"""Tryton's JSON-RPC as a person's client speaks it: log in, read, press buttons. For people and tests."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import httpx


class TrytonRefused(Exception):
    """Tryton said no; the message is its own."""


class TrytonClient:
    """One person logged in to one database."""

    def __init__(self, url: str, database: str, login: str, password: str, *, timeout: float = 60) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)
        self._path = f"/{database}/rpc/"
        user, token, *_ = self._post("common.db.login", [login, {"password": password}, "en"])
        session = base64.b64encode(f"{login}:{user}:{token}".encode()).decode()
        self._http.headers["authorization"] = f"Session {session}"
        self._context: dict[str, Any] = self._post("model.res.user.get_preferences", [True, {}])
        self._context["_skip_warnings"] = True

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def call(self, model: str, method: str, *arguments: Any, **context: Any) -> Any:
        """A method of a model."""
        return self._post(f"model.{model}.{method}", [*arguments, {**self._context, **context}])

    def search(self, model: str, domain: Sequence[Any], *fields: str, **context: Any) -> list[dict[str, Any]]:
        """The records of a domain, oldest first."""
        found: list[dict[str, Any]] = self.call(
            model, "search_read", domain, 0, None, [["id", "ASC"]], fields, **context
        )
        return found

    def _post(self, method: str, params: Sequence[Any]) -> Any:
        body = json.dumps({"id": 1, "method": method, "params": params}, default=_typed)
        answer = self._http.post(self._path, content=body, headers={"content-type": "application/json"})
        answer.raise_for_status()
        told = json.loads(answer.content)
        if "error" in told:
            kind, said = told["error"][:2]
            raise TrytonRefused(f"{kind}: {said[0] if isinstance(said, list) else said}"[:500])
        return told["result"]


def _typed(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": format(value, "f")}
    if isinstance(value, date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    raise TypeError(f"Tryton's JSON has no {type(value).__name__}")
