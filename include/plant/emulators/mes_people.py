"""What the shop floor does in the MES, through its real API with its real login."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from include.plant.emulators.crm_people import PlantRefused

_TOKEN_PATH = "/api/openapi/domain/api/v1/access_token/_get_access_token"  # noqa: S105 - an address
_ROUTE = "/api/openapi/domain/web/v1/route/mfg/open/v1/"


class MesPeople:
    """Sees work orders and reports what was made. Not for several threads at once."""

    def __init__(self, url: str, app_key: str = "cli_plant", secret: str = "", *, timeout: float = 10) -> None:
        self._login = {"appKey": app_key, "appSecret": secret or "plant-black_lake-secret"}
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)
        self._token = ""

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def work_orders(self, *, statuses: tuple[int, ...] = (1, 2, 3), size: int = 200) -> list[dict[str, Any]]:
        """Work orders in these states, those that waited longest first; by default the open ones."""
        rows: list[dict[str, Any]] = self.call(
            "work_order/_list", {"statuses": list(statuses), "page": 1, "size": size}
        )["list"]
        return rows

    def work_order(self, code: str) -> dict[str, Any]:
        """One work order."""
        rows = self.call("work_order/_list", {"codes": [code], "page": 1, "size": 1})["list"]
        if not rows:
            raise PlantRefused("none", f"the MES has no work order {code}")
        found: dict[str, Any] = rows[0]
        return found

    def report(self, code: str, good: str, scrap: str = "0", *, finished: bool | None = None) -> str:
        """So many good, so many scrapped; returns the code of the work order. `finished` None: when the plan is met."""
        told: dict[str, Any] = {"workOrderCode": code, "qualifiedAmount": good, "unqualifiedAmount": scrap}
        if finished is not None:
            told["finished"] = finished
        return str(self.call("progress_report/_progress_report", told)["code"])

    def reports(self, code: str) -> list[dict[str, Any]]:
        """What was reported for a work order."""
        told = {"workOrderCodes": [code], "page": 1, "size": 200}
        rows: list[dict[str, Any]] = self.call("progress_report/_list", told)["list"]
        return rows

    def call(self, path: str, body: Mapping[str, Any]) -> Any:
        """Any call below `/mfg/open/v1/`; logs in again once when the token has run out."""
        if not self._token:
            self._log_in()
        told = self._post(_ROUTE + path, body)
        if told.get("subCode") == "USER-DOMAIN/SSO_TOKEN_FAIL":
            self._log_in()
            told = self._post(_ROUTE + path, body)
        return _accepted(told)

    def _log_in(self) -> None:
        self._token = _accepted(self._post(_TOKEN_PATH, self._login))["appAccessToken"]

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        response = self._http.post(path, params={"access_token": self._token} if self._token else None, json=body)
        told: dict[str, Any] = response.raise_for_status().json()
        return told


def _accepted(told: dict[str, Any]) -> Any:
    if told["code"] != 200:
        raise PlantRefused(told["code"], told["message"])
    return told["data"]
