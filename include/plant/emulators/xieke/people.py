"""What suppliers do in the SRM's portal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from include.plant.emulators.crm_people import PlantRefused


class SupplierPeople:
    """Sees orders and answers them. Not for several threads at once."""

    def __init__(self, url: str, *, timeout: float = 10) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def orders(self) -> list[dict[str, Any]]:
        """The orders the portal shows."""
        state = self._http.get("/_plant/state", params={"kind": "order"}).raise_for_status().json()
        found: list[dict[str, Any]] = state["documents"].get("order", [])
        return found

    def confirm(self, order: str, lines: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """Answer: as asked for, or with another confirmQty, confirmDate, confirmPrice for some `poLineErpNo`."""
        return self._act("answer", poErpNo=order, lines=list(lines))

    def decline(self, order: str) -> dict[str, Any]:
        """Refuse the order."""
        return self._act("decline", poErpNo=order)

    def _act(self, do: str, **wish: Any) -> dict[str, Any]:
        answer = self._http.post("/_plant/act", json={"do": do, **wish}).json()
        if not answer["ok"]:
            raise PlantRefused(answer["code"], answer["message"])
        found: dict[str, Any] = answer["order"]
        return found
