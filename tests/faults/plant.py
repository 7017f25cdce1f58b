"""The simulated plant: who orders, what the ERP plans, the shop floor makes and the warehouse moves.

It knows nothing of the hub but where to send its callbacks and that somebody may ask what changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

from tests.faults.history import History
from tests.faults.scenario import Scenario
from tests.faults.sources import Source
from tests.faults.targets import Held, Target, no, ok

TEXTS = ("青岛重工集团", "𠮷野家㐂䶮 Ltd.", "Łódź & Søn", 'O\'Neil "quoted" \\ back', "€ 100 % — ok", "＝1+1")
BOUGHT, MADE = ("FG-100", "KG-7"), ("MK-1", "MK-2")
UNITS = {"FG-100": ("pcs", {"carton": "4"}), "KG-7": ("kg", {}), "MK-1": ("pcs", {"carton": "12"}), "MK-2": ("pcs", {})}


class Plant:
    """Everything outside the hub."""

    def __init__(self, scenario: Scenario, history: History, loop: asyncio.AbstractEventLoop, epoch_ms: int) -> None:
        self.scenario, self.history, self.loop = scenario, history, loop
        self.rng = Random(f"plant {scenario.seed}")
        self.epoch_ms = epoch_ms
        self.told: Callable[[str, str], None] = lambda *_: None
        self.call_back: Callable[[str, dict[str, Any]], None] = lambda *_: None
        lag = (lambda: self.rng.uniform(0, scenario.lag)) if scenario.lag else (lambda: 0.0)
        self.targets = {
            role: Target(role, {f"{k.partition('.')[2]}.create": t for k, t in scenario.tiers.items()
                                if k.startswith(f"{role}.")}, history, loop.time, lag)
            for role in ("crm", "erp", "mes", "wms", "mail")
        }  # fmt: skip
        self.sources = {
            (role, kind): Source(loop.time, self.millis, scenario.grain)
            for role, kind in (("crm", "sales_order"), ("crm", "customer"), ("crm", "item"), ("erp", "item"),
                               ("erp", "work_order"), ("mes", "production_report"))
        }  # fmt: skip
        self.orders: dict[str, dict[str, Any]] = {}
        self.token = 1
        self.down: dict[str, float] = {}
        self.busy = 0

    def millis(self, t: float) -> int:
        return self.epoch_ms + round(t * 1000)

    def later(self, seconds: float, act: Callable[..., None], *args: Any) -> None:
        """Something the plant will do; the schedule does not end before it did."""
        self.busy += 1

        def do() -> None:
            self.busy -= 1
            act(*args)

        self.loop.call_later(seconds, do)

    def serve(self, role: str) -> Callable[[str, str, str, dict[str, Any]], dict[str, Any]]:
        def answer(kind: str, operation: str, who: str, body: dict[str, Any]) -> dict[str, Any]:
            if self.down.get(role, 0) > self.loop.time():
                return no(503, "down for maintenance")
            if kind == "token":
                return ok({"token": f"token-{self.token}"})
            if kind == "ping":
                return ok({})
            if role == "crm" and who != f"Bearer token-{self.token}":
                return no(401, "the login is over")
            if operation == "changed":
                return self.sources[role, kind].changed(body)
            if operation == "find":
                return self.targets[role].find(kind, str(body["reference"]))
            return self.targets[role].perform(kind, operation, str(body["reference"]), str(body["key"]), body["data"])

        return answer

    def commit(self, role: str, kind: str, record_id: str, body: dict[str, Any], *, late: float | None = None) -> None:
        """A change in a source; sometimes its transaction ends much later than its stamp says."""
        after = late if late is not None else 0.0
        if late is None and self.scenario.late_rows and self.rng.random() < 0.4:
            after = self.rng.uniform(1, 50)
        row = self.sources[role, kind].commit(record_id, body, after=after)
        self.history.note(role, "commits", kind=kind, id=record_id, visible=round(row.visible, 3), body=row.body)
        if self.loop.time() > 0 or self.scenario.master_data_late or not self.scenario.seed:
            self.later(after, self.told, role, kind)
        if self.scenario.stale_replica and self.rng.random() < 0.3:
            self.sources[role, kind].stale_until = row.visible + 20
            self.later(after + 21, self.told, role, kind)

    def master_data(self) -> None:
        """Items and customers, before anybody orders (or, sometimes, after)."""
        for number, (unit, units) in UNITS.items():
            made = number in MADE
            self.commit("erp", "item", f"erp-i-{number}", {
                "id": f"erp-i-{number}", "no": number, "name": f"{number} 产品", "unit": unit, "made": made,
                "version": 1, "units": [{"unit": name, "holds": Decimal(holds)} for name, holds in units.items()],
            }, late=0)  # fmt: skip
            self.commit("crm", "item", f"crm-i-{number}", {
                "id": f"crm-i-{number}", "no": number, "name": number, "unit": unit, "version": 1}, late=0)  # fmt: skip

    def customers(self) -> None:
        for n, name in enumerate(TEXTS[:2], 1):
            self.commit("crm", "customer", f"crm-c-{n}", {
                "id": f"crm-c-{n}", "no": f"C-{n}", "name": name, "email": f"c{n}@example.com", "version": 1,
            }, late=0)  # fmt: skip

    def base_quantity(self, item: str, quantity: Decimal, unit: str) -> Decimal:
        base, units = UNITS[item]
        return quantity if unit == base else quantity * Decimal(units[unit])

    def end_logins(self) -> None:
        self.token += 1
        self.history.note("crm", "ends logins")

    def number_of(self, item_id: str) -> str:
        return item_id.split("-i-")[1]


__all__ = ["BOUGHT", "MADE", "TEXTS", "UNITS", "Held", "Plant"]
