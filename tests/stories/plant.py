"""A whole plant in memory around the real ledger and the real engine, with words for what people in it do."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from tests.stories.scripted_systems import Clock, ScriptedLandscape, ScriptedSystem, ScriptedWords, captured
from throughline.ledger import Ledger, migrate
from throughline.ledger.work_entries import ProcessState, StepRow
from throughline.process.backoff import Patience
from throughline.process.flow_files import load_flows
from throughline.process.sweep import Engine

FLOW = "order_to_delivery"
FLOWS = load_flows(Path(__file__).parents[2] / "include" / "flows")


def quantity(value: str | int, unit: str = "pcs") -> dict[str, str]:
    return {"value": str(value), "unit": unit}


class Plant:
    """CRM, ERP, MES, WMS and mail; `run` lets the hub work until nothing moves."""

    def __init__(self, dsn: str, *, seed: int = 1) -> None:
        migrate(dsn)
        self.clock = Clock()
        self.ledger = Ledger(dsn, clock=self.clock)
        self.ledger.ensure_months()
        self.systems = {role: ScriptedSystem(role) for role in ("crm", "erp", "mes", "wms", "mail")}
        self.crm, self.erp, self.mes, self.wms, self.mail = self.systems.values()
        self.engine = self.worker("worker-1", seed)
        self.told: dict[tuple[str, str], int] = {}

    def worker(self, holder: str, seed: int = 2, lease_seconds: float = 120.0) -> Engine:
        return Engine(
            self.ledger, ScriptedLandscape(), lambda role: self.systems[role], ScriptedWords(self.ledger), FLOWS,
            rng=Random(seed), holder=holder, lease_seconds=lease_seconds, patience=Patience(attempts=6),
        )  # fmt: skip

    def master_data(self, *, items: bool = True, customers: bool = True) -> None:
        if customers:
            self.customer_is_told()
        if items:
            for number, made in (("FG-100", True), ("FG-200", True), ("RM-001", False)):
                self.item_is_told(number, made=made)

    def customer_is_told(self) -> None:
        self.tell("crm", "customer", {"number": "C-1001", "name": "青岛重工集团", "email": "buyer@qingdao.example"})

    def item_is_told(self, number: str, *, made: bool = True) -> None:
        self.tell("erp", "item", {"number": number, "name": number, "unit": "pcs", "factors": {"carton": "4"},
                                  "made": made})  # fmt: skip

    def tell(self, role: str, document: str, raw: dict[str, Any]) -> None:
        """A system tells the hub a record; it is kept and followed up."""
        self.clock.pass_time(seconds=1)
        their_id = f"{role}-{document}-{raw['number']}"
        self.engine.keep(role, [captured(document, their_id, raw, self.clock())])
        self.engine.take_in()

    def order(self, number: str = "SO-1", *, status: str = "confirmed", lines: Any = None, **more: Any) -> None:
        if status == "cancelled":
            self.crm.closed_for_editing.add(f"sales_order:crm:{number}")
        told = lines if lines is not None else [("10", "FG-100", quantity(10))]
        self.tell("crm", "sales_order", {
            "number": number, "status": status, "customer": "customer:crm:C-1001", "contact_email": "a@b.example",
            "lines": [{"line": line, "item": f"item:erp:{item}", "quantity": q} for line, item, q in told], **more,
        })  # fmt: skip

    def erp_plans(
        self, number: str, amount: str | int, *, order: str = "SO-1", line: str = "10", item: str = "FG-100"
    ) -> None:
        self.tell("erp", "work_order", {
            "number": number, "status": "planned", "order_line": f"sales_order:crm:{order}#{line}",
            "item": f"item:erp:{item}", "quantity": quantity(amount),
        })  # fmt: skip

    def mes_reports(self, number: str, work_order: str, good: str | int, *, scrap: str | int = 0, **more: Any) -> None:
        self.tell("mes", "production_report", {
            "number": number, "status": "reported", "work_order": f"work_order:erp:{work_order}",
            "item": "item:erp:FG-100", "good": quantity(good), "scrap": quantity(scrap), **more,
        })  # fmt: skip

    def wms_receives(self, number: str, report: str, amount: str | int, unit: str = "pcs") -> None:
        self.tell("wms", "receipt", {
            "number": number, "status": "received", "notice": f"receipt_notice:hub:RN-{report}",
            "lines": [{"line": "1", "item": "item:erp:FG-100", "quantity": quantity(amount, unit)}],
        })  # fmt: skip

    def wms_ships(self, number: str, amount: str | int, *, order: str = "SO-1", line: str = "10",
                  item: str = "FG-100", unit: str = "pcs", status: str = "shipped", **more: Any) -> None:  # fmt: skip
        self.tell("wms", "shipment", {
            "number": number, "status": status, "outbound": f"outbound_order:hub:OB-{order}",
            "lines": [{"line": "1", "outbound_line": f"outbound_order:hub:OB-{order}#{line}",
                       "item": f"item:erp:{item}", "quantity": quantity(amount, unit)}], **more,
        })  # fmt: skip

    async def run(self, engine: Engine | None = None, *, minutes: int = 0) -> None:
        """Let the hub work until it is quiet, then let time pass and go on, up to so many minutes."""
        worker = engine or self.engine
        for _ in range(2 * minutes + 1):
            for _ in range(40):
                if not worker.plan(FLOW):
                    break
                await worker.sweep(FLOW)
                worker.take_in()
            else:
                raise AssertionError(f"the hub does not come to rest: {worker.plan(FLOW)}")
            if minutes:
                self.clock.pass_time(seconds=30)

    def process(self, number: str = "SO-1") -> ProcessState:
        with self.ledger.transaction() as books:
            (found,) = books.processes.list(flow=FLOW, keys=[f"sales_order:crm:{number}"])
        return found

    def step(self, step: str, item: str = "", number: str = "SO-1") -> StepRow:
        (found,) = [row for row in self.process(number).steps if row.step == step and item in ("", row.item)]
        return found

    def states(self, number: str = "SO-1") -> dict[str, list[str]]:
        states: dict[str, list[str]] = {}
        for row in self.process(number).steps:
            states.setdefault(row.step, []).append(row.state)
        return states

    def parked(self) -> list[str]:
        with self.ledger.transaction() as books:
            return [case.reason for case in books.parked.open()]

    def audit(self, action: str) -> list[str]:
        with self.ledger.transaction() as books:
            return [line.subject for line in books.audit.lines(limit=5000) if line.action == action]

    async def up_to_production(self, number: str = "SO-1", amount: int = 10) -> None:
        """An ordinary order, accepted, planned, released to the shop floor."""
        self.master_data()
        self.order(number, lines=[("10", "FG-100", quantity(amount))])
        await self.run()
        self.erp_plans(f"WO-{number}", amount, order=number)
        await self.run()
