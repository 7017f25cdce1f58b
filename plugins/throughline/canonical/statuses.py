"""Status lattices: which status a document may move to. Late and repeated news cannot move it backwards."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Lattice:
    """An order of statuses plus side exits, which need their own evidence and are never left by old news."""

    order: tuple[str, ...]
    exits: frozenset[str] = field(default_factory=frozenset)

    def knows(self, status: str) -> bool:
        """Whether this is a status of this kind of document at all."""
        return status in self.order or status in self.exits

    def moves(self, current: str | None, news: str) -> bool:
        """Whether a document at `current` moves on hearing `news`; equal or earlier news does not move it."""
        if current is None:
            return True
        if current in self.exits:
            return False
        if news in self.exits:
            return True
        return self.order.index(news) > self.order.index(current)


LATTICES: dict[str, Lattice] = {
    "sales_order": Lattice(
        (
            "draft",
            "submitted",
            "confirmed",
            "accepted",
            "planned",
            "in_production",
            "part_completed",
            "completed",
            "part_shipped",
            "shipped",
            "delivered",
            "invoiced",
            "closed",
        ),
        frozenset({"rejected", "cancelled"}),
    ),
    "work_order": Lattice(
        ("planned", "released", "in_production", "part_completed", "completed", "closed"), frozenset({"cancelled"})
    ),
    "production_report": Lattice(("reported",), frozenset({"reversed"})),
    "receipt_notice": Lattice(("created", "part_received", "received", "closed"), frozenset({"cancelled"})),
    "receipt": Lattice(("received",), frozenset({"reversed"})),
    "outbound_order": Lattice(
        ("created", "allocated", "picked", "part_shipped", "shipped", "closed"), frozenset({"cancelled"})
    ),
    "shipment": Lattice(("picked", "shipped", "delivered"), frozenset({"reversed"})),
    "customer": Lattice(("active",), frozenset({"blocked", "archived"})),
    "item": Lattice(("active",), frozenset({"blocked", "archived"})),
}
