"""What the checker looks at: a schedule's history and ledger, and the questions every rule asks of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

Entry = dict[str, Any]
UNITS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "FG-100": ("pcs", {"carton": "4"}), "KG-7": ("kg", {}), "MK-1": ("pcs", {"carton": "12"}), "MK-2": ("pcs", {}),
}  # fmt: skip
"""The items of the simulated plant: their own unit, and how many of it others hold."""


def item_of(name: str) -> str:
    """The item's number in whatever system's id of it."""
    return name.split("-i-")[-1]


def base(item: str, quantity: Any, unit: str | None = None) -> Decimal:
    """A quantity in the item's own unit."""
    own, others = UNITS[item_of(item)]
    amount = Decimal(str(quantity))
    return amount if unit in (None, own) else amount * Decimal(others[unit])


@dataclass
class Case:
    """One schedule that has ended."""

    flow: str
    history: list[Entry]
    ledger: dict[str, list[Entry]]
    quiet: bool
    storm_ended: float
    broken: list[str]
    calm: bool = False
    """no trouble but what the business itself brings"""
    jumped: float = 0.0
    """how far the hub's clock was put wrong, in seconds"""

    @property
    def whole_way(self) -> bool:
        return self.flow == "order_to_delivery"

    @cached_property
    def effects(self) -> list[Entry]:
        """Everything that took effect in a target, in order."""
        return [entry for entry in self.history if entry["what"] == "effect"]

    def effects_of(self, role: str, kind: str, operation: str | None = None) -> list[Entry]:
        return [e for e in self._by_kind[role, kind] if operation in (None, e["operation"])]

    @cached_property
    def _by_kind(self) -> dict[tuple[str, str], list[Entry]]:
        found = defaultdict(list)
        for entry in self.effects:
            found[entry["who"], entry["kind"]].append(entry)
        return found

    def commits(self, role: str, kind: str) -> list[Entry]:
        """What a source committed, in the order of its versions."""
        return [e for e in self.history if e["what"] == "commits" and e["who"] == role and e["kind"] == kind]

    @cached_property
    def orders(self) -> dict[str, list[Entry]]:
        """Every revision of every order sales took, by its number; the poisoned one is not among them."""
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.commits("crm", "sales_order"):
            if entry["body"]["no"] != "SO-POISON":
                found[entry["body"]["no"]].append(entry["body"])
        return found

    def told(self, method: str) -> dict[str, Entry]:
        """What the warehouse told, the last word on each number."""
        return {e["number"]: e["body"] for e in self.history if e["what"] == "tells" and e["method"] == method}

    @cached_property
    def shipments(self) -> dict[str, Entry]:
        return {number: body for number, body in self.told("confirmSOData").items() if body["status"] == "99"}

    def process(self, order: str) -> Entry | None:
        return next((p for p in self.ledger["processes"] if p["key"] == f"sales_order:crm:{order}"), None)

    def explained(self, *numbers: str) -> bool:
        """Whether somebody is told, in the parking lot, why one of these did not go on."""
        return any(number in f"{row['subject']} {row['reason']}" for row in self.ledger["parked"] for number in numbers)

    def stopped(self, order: str) -> bool:
        """Whether the order's process has anything parked."""
        process = self.process(order)
        return process is not None and any(row["process_id"] == process["id"] for row in self.ledger["parked"])

    def was_cancelled(self, order: str) -> bool:
        return self.orders[order][-1]["status"] == "cancelled"

    def order_of_outbound(self, number: str) -> str:
        return number.removeprefix("OB-")
