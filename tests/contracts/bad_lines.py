"""The real engine, ledger and connector delivering many documents to one system over a line that the proxy spoils."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from throughline.canonical import DOCUMENTS, reference
from throughline.connectors.contract import Captured, Connector
from throughline.errors import ThroughlineError
from throughline.ledger import Ledger, migrate
from throughline.ledger.entries import Identity
from throughline.process.flow_files import load_flows
from throughline.process.surroundings import Reading, Writing
from throughline.process.sweep import Engine

NUMBERED: dict[str, dict[str, Any]] = {
    "work_order": {"item": "item:erp:FG-100", "quantity": {"value": "10", "unit": "pcs"}},
    "outbound_order": {"order": "sales_order:crm:SO-1", "customer_name": "青岛"},
    "receipt_notice": {},
    "purchase_requisition": {"status": "approved"},
    "purchase_order": {"status": "created", "supplier": "supplier:erp:V-2001", "ordered_on": "2026-11-23"},
    "payment_request": {
        "status": "approved",
        "invoice": "purchase_invoice:finance:I-1",
        "amount": {"amount": "1", "currency": "CNY"},
    },
    "shipment": {"outbound": "outbound_order:hub:OB-1"},
    "notice": {"about": "sales_order:crm:SO-1", "recipient": "a@b.example", "subject": "s", "body": "b"},
}
"""What a canonical document of this kind needs beside its number; the payload is the specimen's own."""
_FLOW = """
flow: over_a_bad_line
title: {{en: Over a bad line, zh: 坏线路}}
subject: {{document: {document}, system: erp}}
start: "true"
steps:
  tell:
    title: {{en: Tell, zh: 告知}}
    deliver: {{system: {role}, document: {document}, operation: create}}
"""


class RunningClock:
    """The real time, and as much later as has been skipped, so that a pause of a minute is over at once."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True)
class _Deliver:
    concurrency: int


@dataclass(frozen=True)
class _System:
    product: str
    deliver: _Deliver


class _Landscape:
    def __init__(self, role: str, product: str, concurrency: int) -> None:
        self.systems = {role: _System(product, _Deliver(concurrency))}

    def owner_of(self, kind: str) -> str:
        return "erp"


class _Words:
    """Records are canonical already; what is written is what the test says."""

    def __init__(self, payload: Callable[[str], Mapping[str, Any]]) -> None:
        self._payload = payload

    def version(self, role: str, document: str) -> str:
        return "1"

    def read(
        self, role: str, document: str, records: Sequence[Mapping[str, Any]]
    ) -> Sequence[Reading | ThroughlineError]:
        made = [DOCUMENTS[document].model_validate(dict(raw)) for raw in records]
        return [self._reading(role, document, one) for one in made]

    def write(self, role: str, writings: Sequence[Writing]) -> Sequence[Mapping[str, Any] | ThroughlineError]:
        return [self._payload(writing.document.number) for writing in writings]

    def _reading(self, role: str, document: str, made: Any) -> Reading:
        name = reference(document, "erp", made.number)
        return Reading(name, made, (Identity(role, document, f"id-{made.number}", name, made.number),))


class BadLine:
    """Many documents of one kind into one system: `deliver_all` sweeps as the DAGs do until all have arrived."""

    def __init__(
        self, dsn: str, folder: Path, connector: Callable[[], Connector], *, role: str, document: str,
        payload: Callable[[str], Mapping[str, Any]], concurrency: int = 8,
    ) -> None:  # fmt: skip
        migrate(dsn)
        self.clock, self.document = RunningClock(), document
        self.ledger = Ledger(dsn, clock=self.clock)
        self.ledger.ensure_months()
        (folder / "over_a_bad_line.yaml").write_text(_FLOW.format(document=document, role=role), "utf-8")
        self.engine = Engine(
            self.ledger, _Landscape(role, connector().product, concurrency), lambda _: connector(), _Words(payload),
            load_flows(folder), rng=Random(3), holder="a worker on a bad line",
        )  # fmt: skip
        self.problems: Counter[str] = Counter()

    def take_over(self, numbers: Sequence[str]) -> None:
        """The ERP tells the hub these documents."""
        raw = [{"number": number, "status": "planned", **NUMBERED[self.document]} for number in numbers]
        self.engine.keep("erp", [Captured(self.document, f"id-{r['number']}", r, number=r["number"]) for r in raw])
        self.engine.take_in()

    def states(self) -> Counter[str]:
        """How many of its processes are in which state."""
        with self.ledger.transaction() as books:
            found = books.processes.list(flow="over_a_bad_line", limit=100_000)
        return Counter(state.process.state for state in found)

    async def deliver_all(self, *, sweeps: int = 300, pause: Callable[[], Awaitable[None]] | None = None) -> None:
        """Sweep after sweep until all have arrived or wait for a person; between two of them a pause passes.

        `pause` is waited for before time goes on: for targets that only promise how late they carry something out.
        """
        for _ in range(sweeps):
            try:
                report = await self.engine.run_step("over_a_bad_line", "tell")
                self.problems.update(outcome.state for outcome in report.outcomes)
            except ThroughlineError as problem:
                self.problems[type(problem).__name__] += 1
            if self.states()["running"] == len(self.parked()):
                return
            if pause is not None:
                await pause()
            self.clock.ahead += timedelta(seconds=45)
        raise AssertionError(f"not all arrived: {self.states()} {self.problems}")

    def deliveries(self) -> Counter[str]:
        """How the writes ended."""
        with self.ledger.transaction() as books:
            processes = books.processes.list(flow="over_a_bad_line", limit=100_000)
            rows = books.deliveries.of([state.process.id for state in processes])
        return Counter(row.state for row in rows)

    def parked(self) -> dict[str, int]:
        """The open cases, by the number of their document."""
        with self.ledger.transaction() as books:
            return {case.subject.rpartition(":")[2]: case.id for case in books.parked.open(limit=100_000)}
