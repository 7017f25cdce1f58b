"""The real hub, without Airflow, over a plant of real servers: what its loop does, and what people and books show.

Everything lives for the whole run, as in a plant: one ledger, one ERP, one CRM. A story knows its order by its number.
The hub's clock may run ahead, so that a pause of a minute is over at once; what talks to systems keeps the real time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from include.plant.emulators.clients import ControlDeskPeople, CrmPeople, MesPeople
from include.plant.tryton.json_rpc import TrytonClient
from tests.stories.loopback import LossyRoad, MailBox
from throughline.connectors.contract import Connection, Connector
from throughline.connectors.landscape import Landscape
from throughline.connectors.registry import PRODUCTS, open_connector
from throughline.errors import ThroughlineError
from throughline.ledger import Ledger
from throughline.ledger.work_entries import ParkedCase, ProcessState, StepRow
from throughline.mapping import Codes, Translator, load_tables
from throughline.process.flow_files import load_flows
from throughline.process.ledger_registry import LedgerRegistry
from throughline.process.reports import StepReport
from throughline.process.sweep import Engine
from throughline.process.translator_words import TranslatorWords

INCLUDE = Path(__file__).parents[2] / "include"
FLOW = "order_to_delivery"
CODES = Codes.load(INCLUDE / "codes")
TABLES = load_tables(PRODUCTS, CODES, INCLUDE / "mappings")
FLOWS = load_flows(INCLUDE / "flows")


class HubClock:
    """The real time, and as much later as a story has let pass."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Shelf:
    """Logins kept between captures and deliveries, as tasks of one machine keep them."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], tuple[dict[str, Any], datetime]] = {}

    def take(self, connection: Connection) -> tuple[dict[str, Any], datetime] | None:
        return self._kept.get((connection.name, connection.host, connection.password))

    def put(self, connection: Connection, values: dict[str, Any], until: datetime) -> None:
        self._kept[connection.name, connection.host, connection.password] = (values, until)

    def alone(self, _connection: Connection) -> AbstractAsyncContextManager[None]:
        return nullcontext()


class Hub:
    """Engine, ledger and connectors as a task has them; `settle` is what the DAGs do, over and over."""

    def __init__(self, dsn: str, systems: Path, connections: Mapping[str, Connection], clock: HubClock) -> None:
        self.clock, self.connections = clock, connections
        self._dsn, self._systems = dsn, systems
        self.landscape = Landscape.load(systems)
        self.ledger = Ledger(dsn, clock=clock)
        self._shelf = Shelf()
        zones = {role: system.zone for role, system in self.landscape.systems.items()}
        translator = Translator(TABLES, CODES, self.landscape.owners, LedgerRegistry(self.ledger), zones=zones)
        self.engine = Engine(
            self.ledger, self.landscape, self.connect, TranslatorWords(translator, self.landscape), FLOWS,
            rng=Random(7), holder="story",
        )  # fmt: skip
        self.problems: list[BaseException] = []
        self._polled = [
            (role, document) for role, system in self.landscape.systems.items()
            for document in system.captures if self.connect(role).objects()[document].polled
        ]  # fmt: skip
        self._pushing = [
            role
            for role, system in self.landscape.systems.items()
            if any((role, document) not in self._polled for document in system.captures)
        ]

    def connect(self, role: str) -> Connector:
        system = self.landscape.system(role)
        return open_connector(system.product, role, self.connections[system.connection], shelf=self._shelf)

    def with_connection(self, role: str, **other: Any) -> Hub:
        """The same hub, as it is after somebody edited one connection."""
        name = self.landscape.system(role).connection
        connections = {**self.connections, name: replace(self.connections[name], **other)}
        return Hub(self._dsn, self._systems, connections, self.clock)

    async def look_around(self, *, since: datetime | None = None) -> int:
        """Ask every system what changed, read what was pushed, understand it; how much was new."""
        captures = [self.engine.capture(role, document, since=since) for role, document in self._polled]
        told = await asyncio.gather(*captures, return_exceptions=True)
        self.problems = [each for each in told if isinstance(each, BaseException)]
        new = sum(each.new for each in told if not isinstance(each, BaseException))
        new += sum(self.engine.drain_inbox(role).new for role in self._pushing)
        self.engine.take_in()
        return new

    async def work(self) -> list[StepReport]:
        """Sweep until no step has work."""
        reports: list[StepReport] = []
        for _ in range(60):
            planned = self.engine.plan(FLOW)
            if not planned:
                return reports
            for step in planned:
                try:
                    reports.append(await self.engine.run_step(FLOW, step))
                except ThroughlineError as problem:  # its task fails, and the sweep's other tasks go on
                    self.problems.append(problem)
            self.engine.take_in()
        raise AssertionError(f"the hub does not come to rest: {self.engine.plan(FLOW)}")

    async def settle(self) -> None:
        """Look around and work until there is nothing new and nothing to do."""
        for _ in range(25):
            new = await self.look_around()
            if not any(report.outcomes for report in await self.work()) and not new:
                return
        raise AssertionError(f"the hub does not come to rest: {self.engine.plan(FLOW)}")

    async def settle_after_retries(self) -> None:
        """Settle, and wait for what is to be tried again in a moment: two receipts met in one work order, say."""
        await self.settle()
        for _ in range(4):
            soon = self.clock() + timedelta(seconds=10)
            with self.ledger.transaction() as books:
                running = books.processes.list(flow=FLOW, state="running", limit=1000)
            rows = [row for process in running for row in process.steps if row.state == "retrying"]
            if not any(row.ready_at is not None and row.ready_at < soon for row in rows):
                return
            await self.later(10)

    async def later(self, seconds: float = 60) -> None:
        """Let time pass for the hub, and let it settle."""
        self.clock.ahead += timedelta(seconds=seconds)
        await self.settle()

    def process(self, number: str) -> ProcessState:
        (found,) = self.processes(number)
        return found

    def processes(self, number: str) -> list[ProcessState]:
        with self.ledger.transaction() as books:
            return books.processes.list(flow=FLOW, keys=[f"sales_order:crm:{number}"])

    def state(self, number: str) -> str:
        return self.process(number).process.state

    def steps(self, number: str, step: str) -> list[StepRow]:
        return [row for row in self.process(number).steps if row.step == step]

    def step(self, number: str, step: str) -> StepRow:
        (found,) = self.steps(number, step)
        return found

    def unsettled(self, number: str) -> dict[str, str]:
        """What is not at rest, for people who read a failed assertion."""
        return {
            f"{row.step} {row.item}": f"{row.state} {row.awaited or ''} {row.error or ''}"
            for row in self.process(number).steps if row.state not in ("done", "skipped", "withdrawn")
        }  # fmt: skip

    def parked(self, number: str) -> list[ParkedCase]:
        mine = {state.process.id for state in self.processes(number)}
        with self.ledger.transaction() as books:
            return [case for case in books.parked.open() if case.process_id in mine]

    def systems_knowing(self, *canonical_ids: str) -> dict[str, set[str]]:
        """For each of our documents and lines, the systems whose own id of it is known."""
        known: dict[str, set[str]] = {}
        with self.ledger.transaction() as books:
            for identity in books.identities.all_of(canonical_ids):
                known.setdefault(identity.canonical_id, set()).add(identity.role)
        return known

    def writes(self, number: str) -> list[tuple[str, str, str, str]]:
        """(system, document, operation, state) of every write of an order's process."""
        with self.ledger.transaction() as books:
            rows = books.deliveries.of([self.process(number).process.id])
        return [(row.role, row.document, row.operation, row.state) for row in rows]


class ErpBooks:
    """What really stands in the ERP, asked by a person over Tryton's own API."""

    def __init__(self, person: TrytonClient) -> None:
        self.person = person

    def sales(self, number: str) -> list[dict[str, Any]]:
        """The sales with our number: state, and lines as {line: (item, quantity, unit)}."""
        fields = ("number", "state", "shipment_state", "lines.note", "lines.product.code", "lines.quantity",
                  "lines.unit.symbol")  # fmt: skip
        return [
            {"number": sale["number"], "state": sale["state"], "lines": {
                line["note"]: (line["product."]["code"], Decimal(str(line["quantity"])), line["unit."]["symbol"])
                for line in sale["lines."]
            }}
            for sale in self.person.search("sale.sale", [["reference", "=", number]], *fields)
        ]  # fmt: skip

    def productions(self, number: str) -> list[tuple[str, Decimal]]:
        """State and how much it yields, of every production of a sale."""
        found = self.person.search(
            "production", [["origin.sale.reference", "=", number, "sale.line"]], "state", "outputs.quantity"
        )
        return [
            (each["state"], sum((_exact(out["quantity"]) for out in each["outputs."]), Decimal(0))) for each in found
        ]

    def deliveries(self, number: str) -> list[tuple[str, Decimal]]:
        """State and base quantity of every delivery of a sale (a part of a carton is kept there to six places)."""
        fields = ("state", "outgoing_moves.quantity", "outgoing_moves.unit.factor", "outgoing_moves.state")
        (sale,) = self.person.search("sale.sale", [["reference", "=", number]], "shipments")
        found = self.person.search("stock.shipment.out", [["id", "in", sale["shipments"]]], *fields)
        return [
            (each["state"], sum((round(_exact(move["quantity"]) * _exact(move["unit."]["factor"]), 3)
                                 for move in each["outgoing_moves."] if move["state"] != "cancelled"), Decimal(0)))
            for each in found
        ]  # fmt: skip

    def stock(self, item: str) -> Decimal:
        """How much of an item lies in the ERP's warehouse."""
        places = [each["id"] for each in self.person.search("stock.location", [["type", "=", "warehouse"]], "code")]
        (row,) = self.person.search("product.product", [["code", "=", item]], "quantity", locations=places)
        return _exact(row["quantity"])


@dataclass
class Plant:
    """The hub, the people who act in the systems, and the books to look into afterwards."""

    hub: Hub
    crm: CrmPeople
    crm_desk: ControlDeskPeople
    mes: MesPeople
    mes_desk: ControlDeskPeople
    warehouse: Any
    erp: ErpBooks
    road: LossyRoad
    mail: MailBox
    inbound: str
    stories: int = 0

    def number(self) -> str:
        """An order number nobody has used."""
        self.stories += 1
        return f"SO-{self.hub.landscape.systems['wms'].product[0].upper()}{self.stories:04d}"

    async def order(self, *lines: tuple[str, str, str], customer: str = "C-1001", settle: bool = True) -> str:
        """Sales enter and confirm an order of (item, quantity, unit); the hub takes it up."""
        told = [
            {"item": item, "quantity": quantity, "unit": unit, "price": "1150.00"} for item, quantity, unit in lines
        ]
        number = self.crm.place_order(customer, told, self.number())
        if settle:
            await self.hub.settle()
        return number

    def work_orders(self, number: str) -> list[dict[str, Any]]:
        """What the shop floor has for an order, in the order it came."""
        orders = self.mes_desk.documents("work_order")
        return [order for order in orders if order["customFields"]["orderLine"].startswith(f"{number}#")]

    async def make(self, *numbers: str) -> list[str]:
        """The shop floor makes all that is open of some orders; the reports it writes."""
        reports = [
            self.mes.report(order["code"], str(Decimal(order["plannedAmount"]) - Decimal(order["qualifiedAmount"])))
            for number in numbers for order in self.work_orders(number) if order["status"] in (1, 2, 3)
        ]  # fmt: skip
        await self.hub.settle()
        return reports

    async def make_and_ship(self, *numbers: str) -> list[str]:
        """Everything from the open work orders to the shipment of all that is left; the shipments' numbers."""
        for report in await self.make(*numbers):
            self.warehouse.receive(f"RN-{report}")
        await self.told()
        shipments = [str(self.warehouse.ship(f"OB-{number}")) for number in numbers]
        await self.told()
        return shipments

    async def report(self, number: str, good: str, scrap: str = "0", *, finished: bool | None = None) -> str:
        """The shop floor reports on the newest open work order of an order."""
        order = [each for each in self.work_orders(number) if each["status"] in (1, 2, 3)][-1]
        report = self.mes.report(order["code"], good, scrap, finished=finished)
        await self.hub.settle()
        return report

    async def receive(self, report: str, quantity: str | None = None) -> str:
        """The warehouse puts away what a report announced, or so much of it."""
        notice = f"RN-{report}"
        lines = None
        if quantity is not None:
            asn = next(each for each in self.warehouse.open()["asns"] if each["docNo"] == notice)
            lines = [{"lineNo": asn["details"][0]["lineNo"], "qty": quantity}]
        receipt = str(self.warehouse.receive(notice, lines))
        await self.told()
        return receipt

    async def ship(self, number: str, **quantities: str) -> str:
        """The warehouse sends off what an order still wants, or so much of some items (FG_100="4")."""
        lines = None
        if quantities:
            outbound = next(each for each in self.warehouse.open()["orders"] if each["docNo"] == f"OB-{number}")
            wanted = {item.replace("_", "-"): quantity for item, quantity in quantities.items()}
            lines = [{"lineNo": line["lineNo"], "qty": wanted[line["sku"]]}
                     for line in outbound["details"] if line["sku"] in wanted]  # fmt: skip
        shipment = str(self.warehouse.ship(f"OB-{number}", lines))
        await self.told()
        return shipment

    async def told(self) -> None:
        """Let what the warehouse says arrive, and the hub follow it up."""
        if isinstance(self.warehouse, ControlDeskPeople):
            await asyncio.to_thread(_wait_until, lambda: not self.callbacks("waiting"))
        await self.hub.settle_after_retries()

    def callbacks(self, state: str) -> list[dict[str, Any]]:
        """What the warehouse has told, or has still to tell."""
        return [each for each in self.warehouse.act("callbacks")["callbacks"] if each["state"] == state]

    def outbound(self, number: str) -> dict[str, Any] | None:
        """What the warehouse still has to send for an order; None when nothing is open."""
        return next((each for each in self.warehouse.open()["orders"] if each["docNo"] == f"OB-{number}"), None)

    def crm_order(self, number: str) -> tuple[str, str, str]:
        """What sales see: the ERP's number, the status and the message the hub wrote onto their order."""
        order = self.crm.order(number)
        return order["erp_order_no__c"], order["hub_status__c"], order["hub_message__c"]


def _wait_until(true: Callable[[], bool], *, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "the warehouse could not tell the hub in time"
        time.sleep(0.02)


def amounts(notes: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """The quantities on delivery notes of the CRM with their units, the smallest note first."""
    return sorted(
        sorted(f"{_exact(line['delivery_num']).normalize():f} {line['unit__c']}" for line in note["lines"])
        for note in notes
    )


def _exact(number: Any) -> Decimal:
    return Decimal(str(number))
