"""What became of one order, asked of every system of the plant over its own API. The hub is not asked."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from include.plant.emulators.clients import ControlDeskPeople
from include.plant.tryton.json_rpc import TrytonClient
from tests.live_platform import Platform
from tests.stories.living_plant import ErpBooks
from tests.stories.loopback import MailBox


class Books:
    """Looks into ERP, MES, WMS, CRM and the customers' mailbox of a running platform."""

    def __init__(self, platform: Platform) -> None:
        ports, secrets = platform.settings.ports, platform.settings.secrets
        self._erp = ErpBooks(
            TrytonClient(f"http://127.0.0.1:{ports['tryton']}", "erp", "hub", secrets["erp_password"])
        )  # fmt: skip
        self._crm = platform.crm
        self._mails = MailBox(platform.settings.mail)
        desks = {role: ControlDeskPeople(f"http://127.0.0.1:{ports[role]}") for role in ("mes", "wms")}
        self._mes = desks["mes"].documents("work_order")
        self._outbound = desks["wms"].documents("outbound_order")
        self._shipments = desks["wms"].documents("shipment")

    def of(self, number: str) -> dict[str, Any]:
        """An order's numbers and quantities in all systems."""
        made = [row for row in self._mes if str(row["customFields"].get("orderLine", "")).startswith(f"{number}#")]
        sent = [row for row in self._outbound if row["soReferenceA"] == number]
        left = [row for row in self._shipments if row["OMSOrderNo"] in {order["docNo"] for order in sent}]
        notes = self._crm.delivery_notes(number)
        return {
            "erp_sales": len(self._erp.sales(number)),
            "erp_produced": _sum(quantity for state, quantity in self._erp.productions(number) if state == "done"),
            "erp_delivered": _sum(quantity for state, quantity in self._erp.deliveries(number) if state == "done"),
            "mes_good": _sum(row["qualifiedAmount"] for row in made),
            "wms_orders": len(sent),
            "wms_shipped": _sum(line["QtyShipped"] for row in left for line in row["item"]),
            "crm_noted": _sum(line["delivery_num"] for note in notes for line in note["lines"]),
            "notes_for_shipments": (len(notes), len(left)),
            "mails_for_shipments": (len(self._mails.letters(number)), len(left)),
        }

    def wrong(self, orders: dict[str, int]) -> dict[str, dict[str, Any]]:
        """The orders that were lost, doubled or done in part, with what is not as it must be; `orders`: pieces."""
        found = {number: _differences(self.of(number), ordered) for number, ordered in orders.items()}
        return {number: differences for number, differences in found.items() if differences}


def _differences(seen: dict[str, Any], ordered: int) -> dict[str, Any]:
    once = {"erp_sales": 1, "wms_orders": 1}
    wanted = {name: once.get(name, Decimal(ordered)) for name in seen if not name.endswith("_for_shipments")}
    odd = {name: seen[name] for name, right in wanted.items() if seen[name] != right}
    pairs = {name: seen[name] for name in seen if name.endswith("_for_shipments") and seen[name][0] != seen[name][1]}
    return {**odd, **pairs}


def _sum(quantities: Sequence[Any] | Any) -> Decimal:
    return sum((Decimal(str(quantity)) for quantity in quantities), Decimal(0))
