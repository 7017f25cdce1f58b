"""Status lattices: which status a document may move to. Late and repeated news cannot move it backwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Lattice:
    """An order of statuses plus side exits, which need their own evidence and are never left by old news.

    A pause (an invoice that is blocked) may be entered from anywhere but the end; it ends with the status it names, or
    a later one.
    """

    order: tuple[str, ...]
    exits: frozenset[str] = field(default_factory=frozenset)
    pauses: Mapping[str, str] = field(default_factory=dict)

    def knows(self, status: str) -> bool:
        """Whether this is a status of this kind of document at all."""
        return status in self.order or status in self.exits or status in self.pauses

    def moves(self, current: str | None, news: str) -> bool:
        """Whether a document at `current` moves on hearing `news`; equal or earlier news does not move it."""
        if current is None:
            return True
        if current in self.exits:
            return False
        if news in self.exits:
            return True
        if news in self.pauses:
            return current not in (news, self.order[-1])
        if current in self.pauses:
            return self.order.index(news) >= self.order.index(self.pauses[current])
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
    "supplier": Lattice(("active",), frozenset({"blocked", "archived"})),
    "purchase_requisition": Lattice(
        ("draft", "submitted", "approved", "part_converted", "converted", "closed"),
        frozenset({"rejected", "withdrawn"}),
    ),
    "purchase_order": Lattice(
        (
            "created",
            "sent",
            "changed",
            "confirmed",
            "part_received",
            "received",
            "part_invoiced",
            "invoiced",
            "closed",
        ),
        frozenset({"cancelled", "short_closed"}),
    ),
    "supplier_confirmation": Lattice(("created", "confirmed"), frozenset({"rejected"})),
    "purchase_receipt": Lattice(("received",), frozenset({"reversed"})),
    "inspection": Lattice(("created", "decided"), frozenset({"cancelled"})),
    "purchase_invoice": Lattice(
        ("captured", "validated", "matched", "approved", "scheduled", "paid"),
        frozenset({"credited", "reversed"}),
        {"exception": "matched", "duplicate_suspected": "validated", "blocked": "matched", "disputed": "matched"},
    ),
    "payment_request": Lattice(("proposed", "approved", "sent", "settled"), frozenset({"rejected", "recalled"})),
    "payment": Lattice(("created", "sent", "settled"), frozenset({"rejected", "returned"})),
    "match_release": Lattice(("released",), frozenset({"withdrawn"})),
}
