"""The hub as a task sees it: the engine with everything it needs, for as long as the task lasts."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import SystemRandom
from typing import TYPE_CHECKING

from throughline.canonical import header_of
from throughline.errors import Misconfigured
from throughline.orchestration.operators.capture import MESSAGES
from throughline.orchestration.troubles import noting, reading
from throughline.process.garbage import look_for_garbage_less_often
from throughline.process.reports import IntakeReport, StepReport
from throughline.process.sweep import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from throughline.connectors.contract import Connector
    from throughline.connectors.landscape import Landscape
    from throughline.ledger import Books, Ledger
    from throughline.process.definition import Flow
    from throughline.process.surroundings import Words


ANSWERED = frozenset({"done", "skipped", "parked", "waiting_for"})
"""Ways a document's step ends that show that files, addresses and secrets are in order."""


@dataclass(frozen=True)
class Hub:
    """Engine and landscape; every method is one piece of work from beginning to end."""

    engine: Engine
    landscape: Landscape
    connect: Callable[[str], Connector]

    def capture(
        self, role: str, documents: Sequence[str] | None = None, *, since: datetime | None = None,
        until: datetime | None = None, run_id: str | None = None,
    ) -> dict[str, IntakeReport]:  # fmt: skip
        """Read what changed in a system, and the messages it sent; what can be read is kept before an error shows."""
        with noting(self.engine.ledger, reading(role), role) as place:
            reports = self._capture(role, documents, since, until, run_id)
            place.works()
        return reports

    def _capture(
        self, role: str, documents: Sequence[str] | None, since: datetime | None, until: datetime | None,
        run_id: str | None,
    ) -> dict[str, IntakeReport]:  # fmt: skip
        offered = self.connect(role).objects()
        wanted = list(documents or self.landscape.system(role).captures)
        polled = [name for name in wanted if name in offered and offered[name].polled]

        async def ask() -> list[IntakeReport | BaseException]:
            asked = (self.engine.capture(role, name, since=since, until=until, run_id=run_id) for name in polled)
            return await asyncio.gather(*asked, return_exceptions=True)

        answers = dict(zip(polled, asyncio.run(ask()), strict=True))
        reports = {name: answer for name, answer in answers.items() if isinstance(answer, IntakeReport)}
        if any(offered[name].pushed for name in wanted if name in offered):
            reports[MESSAGES] = self.engine.drain_inbox(role)
        for error in answers.values():
            if isinstance(error, BaseException):
                self.engine.take_in()
                raise error
        return reports

    def understand(self) -> IntakeReport:
        """Translate what waits, start and advance the processes it concerns."""
        return self.engine.take_in()

    def work(self, flow: str, keys: Sequence[str] | None) -> dict[str, int]:
        """How much work each step of a flow has now; steps without work are absent."""
        return {step: count for step, count in self.engine.plan(flow, keys).items() if count}

    def run_step(self, flow: str, step: str, keys: Sequence[str] | None) -> StepReport:
        """Move every document that is ready for this step."""
        effect = self.engine.flow(flow).steps[step].effect
        with noting(self.engine.ledger, f"step {step} of {flow}", effect.system if effect else None) as place:
            if effect:
                self._look_up(flow, step, effect.system)
            report = asyncio.run(self.engine.run_step(flow, step, keys))
            if ANSWERED & set(report.counts):
                place.works()
        return report

    def _look_up(self, flow: str, step: str, role: str) -> None:
        """See a wrong connection before the work begins, and look it up outside the event loop."""
        try:
            self.connect(role)
        except Misconfigured as error:
            self.engine.hold_back(flow, step, error)
            raise

    def keys_named(self, flow: str, numbers: Sequence[str] | None) -> list[str] | None:
        """The processes of a flow that carry these numbers, of any document in any system; None stays None (all)."""
        if numbers is None:
            return None
        with self.engine.ledger.transaction() as books:
            return sorted({key for number in numbers for key in _keys(books, flow, number)})


def build_hub(
    ledger: Ledger, landscape: Landscape, words: Words, flows: Mapping[str, Flow], connect: Callable[[str], Connector]
) -> Hub:
    """Put the parts together; the holder's name tells in the ledger which process of which machine has a document."""
    look_for_garbage_less_often()
    holder = f"airflow {socket.gethostname()} {os.getpid()}"
    engine = Engine(ledger, landscape, connect, words, flows, rng=SystemRandom(), holder=holder)
    return Hub(engine, landscape, connect)


def _keys(books: Books, flow: str, number: str) -> set[str]:
    named = {header_of(identity.canonical_id) for identity in books.identities.search(number)}
    numbers = {process for several in books.processes.of(named).values() for process in several}
    keys = {state.process.key for state in books.processes.load(numbers) if state.process.flow == flow}
    if not keys:
        raise Misconfigured(f"no document of {flow} carries the number {number}", where="the run's `keys`")
    return keys
