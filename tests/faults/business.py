"""What people and machines of the plant do: order, change their minds, plan, make, receive, ship."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from tests.faults.plant import BOUGHT, MADE, TEXTS, UNITS, Plant
from tests.faults.targets import Held


class Business:
    """One schedule's business over its plant."""

    def __init__(self, plant: Plant) -> None:
        self.plant, self.rng, self.scenario = plant, plant.rng, plant.scenario
        self.stock: dict[str, Decimal] = defaultdict(Decimal)
        self.shipped: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self.deliveries: dict[str, int] = defaultdict(int)
        self.mended = False
        self.refused_once: set[str] = set()
        for role, took in (("erp", self._erp_took), ("mes", self._mes_took), ("wms", self._wms_took)):
            plant.targets[role].took = took
        plant.targets["crm"].refuses = self._crm_refuses
        plant.targets["wms"].refuses = self._wms_refuses
        plant.targets["erp"].refuses = self._erp_refuses

    def begin(self) -> None:
        """Draw up the orders and what will become of them."""
        plant, rng = self.plant, self.rng
        late = self.scenario.master_data_late
        if late:
            plant.later(rng.uniform(20, 60), plant.customers)
        else:
            plant.customers()
        for n in range(1, self.scenario.orders + 1):
            number, first = f"SO-{n}", rng.uniform(0.5, 30)
            plant.later(first, self._order, number)
            for _ in range(self.scenario.changes):
                plant.later(first + rng.uniform(1, 200), self._change, number)
            if rng.random() < 0.12:
                plant.later(first + rng.uniform(1, 250), self._cancel, number)
            if rng.random() < 0.2:
                plant.later(first + rng.uniform(1, 60), self._touch, number)
        if self.scenario.poison:
            plant.later(rng.uniform(0.5, 30), self._poison)
        if self.scenario.login_ends:
            plant.later(rng.uniform(5, 120), plant.end_logins)

    def _order(self, number: str) -> None:
        rng, lines = self.rng, []
        items = list(MADE if self.scenario.made else BOUGHT)
        for n, item in enumerate(rng.sample(items, rng.choice([1, 1, 2])), 1):
            unit = rng.choice([UNITS[item][0], *UNITS[item][1]])
            lines.append({"id": f"{number}-l{n}", "no": str(10 * n), "item": f"crm-i-{item}", "unit": unit,
                          "qty": self._amount(unit), "price": self._price()})  # fmt: skip
        self.plant.orders[number] = {
            "id": f"crm-o-{number}", "no": number, "version": 1, "status": "confirmed", "currency": "CNY",
            "customer": f"crm-c-{rng.choice([1, 2])}", "ordered": self.plant.millis(self.plant.loop.time()),
            "wanted": f"2026-0{rng.randint(4, 9)}-1{rng.randint(0, 9)}", "po": f"PO {rng.choice(TEXTS)}",
            "email": "buyer@example.com", "ship": {"who": rng.choice(TEXTS), "street": f"{rng.choice(TEXTS)} 1"},
            "remark": rng.choice([None, "小心轻放\n第二行", rng.choice(TEXTS)]), "lines": lines,
        }  # fmt: skip
        self._tell(number)

    def _amount(self, unit: str) -> Decimal:
        return Decimal(self.rng.randint(1, 9_999_999)) / 1000 if unit == "kg" else Decimal(self.rng.randint(2, 40))

    def _price(self) -> Decimal:
        return Decimal(self.rng.choice([1995, 1, 9876543210987654321, 33333, 250000])) / Decimal(100)

    def _tell(self, number: str) -> None:
        order = self.plant.orders[number]
        self.plant.commit(
            "crm", "sales_order", order["id"], {**order, "lines": [dict(line) for line in order["lines"]]}
        )

    def _next(self, number: str) -> dict[str, Any] | None:
        order = self.plant.orders.get(number)
        if order is None or order["status"] == "cancelled":
            return None
        order["version"] += 1
        return order

    def _change(self, number: str) -> None:
        order = self._next(number)
        if order is None:
            return
        what = self.rng.choice(["more", "more", "less", "address", "date", "price"])
        line = self.rng.choice(order["lines"])
        if what == "more":
            line["qty"] += self._amount(line["unit"])
        elif what == "less":
            line["qty"] = max(line["qty"] / 2 if line["unit"] == "kg" else line["qty"] // 2, Decimal(1))
        elif what == "address":
            order["ship"] = {"who": self.rng.choice(TEXTS), "street": f"{self.rng.choice(TEXTS)} {order['version']}"}
        elif what == "date":
            order["wanted"] = f"2026-1{self.rng.randint(0, 2)}-2{self.rng.randint(0, 8)}"
        else:
            line["price"] += Decimal("0.01")
        self._tell(number)

    def _cancel(self, number: str) -> None:
        order = self._next(number)
        if order is not None:
            order["status"] = "cancelled"
            self._tell(number)

    def _touch(self, number: str) -> None:
        """The same content again, with a new stamp."""
        if number in self.plant.orders:
            self._tell(number)

    def _poison(self) -> None:
        """A record nobody can read: it must stop nobody else."""
        self.plant.commit("crm", "sales_order", "crm-o-poison", {
            "id": "crm-o-poison", "no": "SO-POISON", "version": 1, "status": "confirmed", "currency": "CNY",
            "customer": "crm-c-1",
            "lines": [{"id": "p1", "no": "10", "item": "crm-i-FG-100", "qty": "12,5,0", "unit": "pcs", "price": None}],
        })  # fmt: skip

    def _erp_took(self, kind: str, operation: str, held: Held) -> None:
        if (kind, operation) != ("sales_order", "create") or self.scenario.flow != "order_to_delivery":
            return
        for line in held.data["lines"]:
            number = f"WO-{held.number}-{line['ref']}"
            item = self.plant.number_of(line["item"])
            if item not in MADE:
                continue
            amount = self.plant.base_quantity(item, Decimal(str(line["qty"])), line["unit"])
            body = {"id": f"erp-{number}", "no": number, "status": "planned", "origin": held.lines[str(line["ref"])],
                    "item": line["item"], "qty": amount, "unit": UNITS[item][0], "version": 1}  # fmt: skip
            self.plant.later(self.rng.uniform(1, 20), self.plant.commit, "erp", "work_order", body["id"], body)

    def _erp_refuses(self, kind: str, operation: str, reference: str, data: Any) -> str | None:
        """A system whose set-up refuses some documents until somebody mends it."""
        if not self.scenario.refusals or self.mended or operation != "create" or kind != "sales_order":
            return None
        return "the customer is blocked" if reference == "SO-1" else None

    def _crm_refuses(self, kind: str, operation: str, reference: str, data: Any) -> str | None:
        if kind != "order_update":
            return None
        order = next((o for o in self.plant.orders.values() if o["id"] == data["order"]), None)
        closed = order is not None and order["status"] == "cancelled"
        return "a cancelled order takes no news" if closed else None

    def _mes_took(self, kind: str, operation: str, held: Held) -> None:
        if kind == "work_order" and operation == "create":
            self.plant.later(self.rng.uniform(20, 150), self._make, held)

    def _make(self, held: Held) -> None:
        """Report what is ordered, in one or two reports, sometimes with scrap."""
        if {"cancel", "close"} & set(held.operations):
            return
        number, wanted = held.data["no"], Decimal(str(held.data["qty"]))
        scrap = Decimal(1) if self.scenario.scrap and "-S" not in number and wanted > 2 else Decimal(0)
        first = (wanted // 2) if self.scenario.parts > 1 and wanted > 3 else Decimal(0)
        parts = [(first, Decimal(0), False)] if first else []
        parts.append((wanted - first - scrap, scrap, True))
        at = 0.0
        for n, (good, bad, final) in enumerate(parts, 1):
            name = f"PR-{number}-{n}"
            body = {"id": f"mes-{name}", "no": name, "work_order": number, "item": held.data["item"], "good": good,
                    "scrap": bad, "unit": UNITS[held.data["item"]][0], "final": final, "version": 1,
                    "reported": self.plant.millis(self.plant.loop.time())}  # fmt: skip
            self.plant.later(at, self.plant.commit, "mes", "production_report", body["id"], body)
            at += self.rng.uniform(0, 30)

    def _wms_refuses(self, kind: str, operation: str, reference: str, data: Any) -> str | None:
        if kind != "outbound_order" or operation == "create":
            return None
        lines = {str(line["no"]): Decimal(str(line["qty"])) for line in data.get("lines") or []}
        gone = {line: amount for (order, line), amount in self.shipped.items() if order == reference and amount}
        if operation == "cancel" and gone:
            return "goods have left already"
        if any(amount > lines.get(line, Decimal(0)) for line, amount in gone.items()) and operation == "change":
            return "more than that has left already"
        return None

    def _wms_took(self, kind: str, operation: str, held: Held) -> None:
        if kind == "receipt_notice":
            self.plant.later(self.rng.uniform(5, 60), self._receive, held)
        elif operation == "create":
            self.plant.later(self.rng.uniform(20, 200), self._ship, held)
        elif operation == "change":
            self.plant.later(self.rng.uniform(5, 60), self._ship, held)

    def _receive(self, held: Held) -> None:
        details = [
            {"lineNo": line["no"], "sku": line["item"], "receivedQty": line["qty"]} for line in held.data["lines"]
        ]
        for line in held.data["lines"]:
            self.stock[line["item"]] += Decimal(str(line["qty"]))
        number = f"RC-{held.data['no']}"
        self.plant.call_back("confirmASNData", {"WMSReceiptNo": number, "docNo": held.data["no"], "details": details})
        for orders in self.plant.targets["wms"].held["outbound_order"].values():
            for outbound in orders[:1]:
                self.plant.later(self.rng.uniform(1, 20), self._ship, outbound)

    def _ship(self, held: Held) -> None:
        """Send what is wanted and there; in two parts where the seed says so."""
        if "cancel" in held.operations:
            return
        number, lines = held.data["no"], []
        for line in held.data["lines"]:
            place = (number, str(line["no"]))
            missing = Decimal(str(line["qty"])) - self.shipped[place]
            there = self.stock[line["item"]] if self.scenario.made else missing
            amount = min(missing, there)
            if amount > 0 and self.scenario.parts > 1 and self.deliveries[number] == 0 and amount > 1:
                amount = amount // 2
            if amount > 0:
                self.stock[line["item"]] -= amount if self.scenario.made else 0
                self.shipped[place] += amount
                lines.append({"lineNo": line["no"], "sku": line["item"], "QtyShipped": amount})
        if not lines:
            return
        self.deliveries[number] += 1
        told = {"DeliveryNo": f"DN-{number}-{self.deliveries[number]}", "OMSOrderNo": number, "CarrierId": "SF",
                "TrackingNo": f"SF{self.rng.randint(10**9, 10**10)}", "item": lines}  # fmt: skip
        if self.rng.random() < 0.4:
            self.plant.call_back("confirmSOData", {**told, "status": "60"})
        self.plant.call_back("confirmSOData", {**told, "status": "99"})
        self.plant.later(self.rng.uniform(10, 60), self._ship, held)
