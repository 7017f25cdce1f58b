"""The engine: ask which steps have work, and do one step's work for every document that is ready.

engine = Engine(ledger, landscape, connectors, words, flows, rng=..., holder=...)
engine.take_in()                                  # what was captured, understood and followed up
for step in engine.plan("order_to_delivery"):     # one sweep
    await engine.run_step("order_to_delivery", step)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from random import Random

from throughline.connectors.contract import Captured
from throughline.errors import Misconfigured
from throughline.ledger import Books, Ledger
from throughline.ledger.entries import AuditEntry
from throughline.ledger.replays import Choice
from throughline.ledger.work_entries import ParkedCase
from throughline.process import capturing
from throughline.process.backoff import Patience
from throughline.process.deciding import decide, look_again
from throughline.process.definition import Flow, before
from throughline.process.delivery import DeliveryRun
from throughline.process.intake import Intake
from throughline.process.loading import Loader
from throughline.process.papers import Papers
from throughline.process.replaying import Replaying
from throughline.process.reports import IntakeReport, StepReport
from throughline.process.surroundings import Connectors, Systems, Words
from throughline.process.taking import Taking
from throughline.process.workshop import Workshop


class Engine:
    """Carries documents through flows. Any number may work at once, on one machine or many: the ledger keeps order."""

    def __init__(
        self, ledger: Ledger, landscape: Systems, connectors: Connectors, words: Words, flows: Mapping[str, Flow], *,
        rng: Random, holder: str, patience: Patience | None = None, lease_seconds: float = 120.0, batch: int = 100,
    ) -> None:  # fmt: skip
        papers = Papers()
        self.ledger, self.flows = ledger, flows
        self._connectors = connectors
        self._shop = Workshop(
            ledger, landscape, connectors, words, flows, Loader(flows, papers), rng, holder,
            patience or Patience(), lease_seconds, batch,
        )  # fmt: skip
        self._intake = Intake(ledger, words, flows, papers, actor=holder)

    async def capture(
        self, role: str, document: str, *, since: datetime | None = None, until: datetime | None = None,
        run_id: str | None = None,
    ) -> IntakeReport:  # fmt: skip
        """Read what changed in a system since the last time (or inside a window) into the ledger."""
        return await capturing.capture(
            self.ledger, self._connectors, role, document, since=since, until=until, run_id=run_id
        )

    def keep(self, role: str, captured: Sequence[Captured]) -> IntakeReport:
        """Take records over as a system told them."""
        return capturing.keep(self.ledger, role, list(captured))

    def drain_inbox(self, role: str) -> IntakeReport:
        """Turn the messages a system pushed to us into records."""
        return capturing.drain_inbox(self.ledger, self._connectors, role)

    def take_in(self, role: str | None = None) -> IntakeReport:
        """Translate what was captured, start and advance the processes it concerns."""
        return self._intake.work(role)

    def plan(self, flow: str, keys: Sequence[str] | None = None) -> dict[str, int]:
        """The steps worth running now, in order: those with work (and how much), and those that can make ready."""
        definition = self.flow(flow)
        with self.ledger.transaction() as books:
            self._note_overdue(books, flow)
            asked_for = keys is not None  # then what waits for a mending is tried at once
            if asked_for and books.steps.retry_now(flow=flow, keys=keys):
                books.breakers.try_now()
            ready = books.steps.ready_work(flow, keys)
        wanted = _with_followers(definition, ready)
        return {step: ready.get(step, 0) for step in definition.in_order if step in wanted}

    async def run_step(self, flow: str, step: str, keys: Sequence[str] | None = None) -> StepReport:
        """Move every document that is ready for this step."""
        definition = self.flow(flow)
        found = definition.steps.get(step)
        if found is None:
            raise Misconfigured(f"there is no step '{step}'", where=definition.where)
        if found.effect is not None:
            return await DeliveryRun(self._shop, definition, step).run(keys)
        return (decide if found.decide else look_again)(self._shop, definition, step, keys)

    def hold_back(self, flow: str, step: str, error: Misconfigured) -> None:
        """Let what is ready for a step's system wait: it cannot even be opened before a person mends something."""
        definition = self.flow(flow)
        effect = definition.steps[step].effect
        if effect is not None:
            Taking(self._shop, definition, step, effect.system, StepReport(flow, step)).hold_back(error)

    async def sweep(self, flow: str, keys: Sequence[str] | None = None) -> list[StepReport]:
        """One sweep: every planned step once, in order."""
        return [await self.run_step(flow, step, keys) for step in self.plan(flow, keys)]

    def replay(
        self, *, ids: Iterable[int] | None = None, signature: str | None = None,
        keys: Iterable[str] | None = None, by: str, arrived: bool | None = None,
    ) -> list[ParkedCase]:  # fmt: skip
        """Let parked work go on after its cause was mended; what took effect already is not done again.

        `arrived` is a person's word about writes in doubt that nobody else can settle: it arrived, or send it again.
        """
        choice = Choice(None if ids is None else list(ids), signature, None if keys is None else list(keys))
        return list(Replaying(self.ledger, choice, by=by, arrived=arrived).release().cases)

    def _note_overdue(self, books: Books, flow: str) -> None:
        """Say once of every step that its time is over; it goes on all the same."""
        late = books.steps.due(flow)
        if not late:
            return
        books.steps.overdue([step.id for step in late])
        keys = {row.process.id: row.process.key for row in books.processes.load({step.process_id for step in late})}
        books.audit.append([
            AuditEntry(self._shop.holder, "overdue", keys[step.process_id], step.process_id,
                       {"step": step.step, "item": step.item, "due_at": step.due_at, "state": step.state})
            for step in late
        ])  # fmt: skip

    def flow(self, name: str) -> Flow:
        """The flow of this name."""
        if name not in self.flows:
            raise Misconfigured(f"there is no flow '{name}'; there are: {', '.join(sorted(self.flows))}")
        return self.flows[name]


def _with_followers(flow: Flow, ready: Iterable[str]) -> set[str]:
    """The steps with work and everything a sweep can reach from them without waiting for news."""
    wanted = set(ready)
    for name in flow.in_order:
        step = flow.steps[name]
        if step.awaits is None and wanted & set(before(step)):
            wanted.add(name)
    return wanted
