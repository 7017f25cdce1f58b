"""What people in the FLUX warehouse do with their hands: receive and ship."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from include.plant.emulators.crm_people import PlantRefused


class ControlDeskPeople:
    """Whoever stands behind the counter of an emulator: acts, sees the state, lays down faults."""

    def __init__(self, url: str, *, timeout: float = 10) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)

    def close(self) -> None:
        """Hang up."""
        self._http.close()

    def act(self, do: str, **wish: Any) -> dict[str, Any]:
        """One action of people; `PlantRefused` when the system would not let them."""
        told: dict[str, Any] = self._http.post("/_plant/act", json={"do": do, **wish}).json()
        if not told["ok"]:
            raise PlantRefused(told["code"], told["message"])
        return told

    def state(self, kind: str | None = None) -> dict[str, Any]:
        """Everything the system remembers, or the documents of one kind."""
        told: dict[str, Any] = self._http.get("/_plant/state", params={"kind": kind} if kind else None).json()
        return told

    def documents(self, kind: str) -> list[dict[str, Any]]:
        """The documents of one kind."""
        rows: list[dict[str, Any]] = self.state(kind)["documents"].get(kind, [])
        return rows

    def faults(self, *rules: Mapping[str, Any]) -> None:
        """Lay down faults."""
        answer = self._http.post("/_plant/faults", json={"rules": list(rules)})
        if answer.status_code != 200:
            raise PlantRefused(answer.status_code, answer.text)

    def no_faults(self) -> None:
        """Take all faults away."""
        self._http.delete("/_plant/faults")

    def reset(self) -> None:
        """Back to the first day: only the master data is left."""
        self._http.post("/_plant/reset").raise_for_status()


class WarehousePeople(ControlDeskPeople):
    """Receives what was announced and ships what was ordered."""

    def open(self) -> dict[str, Any]:
        """Expected receipts (`asns`), orders to ship (`orders`) and the stock."""
        return self.act("open")

    def receive(self, number: str, lines: Sequence[Mapping[str, Any]] | None = None, *, last: bool = False) -> str:
        """Put goods away: all that is left, or some lines (lineNo, qty); returns the receipt's number."""
        return str(self.act("receive", docNo=number, lines=lines, last=last)["number"])

    def ship(self, number: str, lines: Sequence[Mapping[str, Any]] | None = None, *, last: bool = False) -> str:
        """Send goods off: all that is left, or some lines (lineNo, qty); returns the delivery's number."""
        return str(self.act("ship", docNo=number, lines=lines, last=last)["number"])
