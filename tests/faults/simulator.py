"""One schedule from its seed to its verdict."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.faults.bench import BEGINNING, Bench, connection_of
from tests.faults.business import Business
from tests.faults.callbacks import Caller
from tests.faults.checker import Violation, judge, read_ledger
from tests.faults.checking_case import Case
from tests.faults.history import History
from tests.faults.hub import Hub
from tests.faults.machines import Troubles
from tests.faults.person import Person
from tests.faults.plant import Plant
from tests.faults.scenario import Scenario, draw
from tests.faults.virtual_time import VirtualLoop
from tests.faults.weather import Weather

STORM = 420.0
"""After so many seconds (virtual) no new trouble begins."""
HORIZON = 4 * 3600.0
"""Whatever is not quiet so long after the last trouble never will be."""


@dataclass
class Outcome:
    """What a schedule left behind, for the checker and for people."""

    scenario: Scenario
    history: list[dict[str, Any]]
    quiet: bool
    storm_ended: float
    quiet_at: float
    broken: list[str] = field(default_factory=list)
    points: dict[str, int] = field(default_factory=dict)
    calls: int = 0


class Simulation:
    """One schedule over a bench."""

    def __init__(self, bench: Bench, scenario: Scenario, forced: dict[int, str] | None = None) -> None:
        self.bench, self.scenario = bench, scenario
        self.loop = VirtualLoop(Random(f"turns {scenario.seed}"))
        self.loop.set_exception_handler(lambda *_: None)  # what a dead process leaves unheard is no news
        self.history = History(self.loop.time)
        self.plant = Plant(scenario, self.history, self.loop, int(BEGINNING.timestamp() * 1000))
        self.weather = Weather(Random(f"weather {scenario.seed}"), roughness=scenario.roughness, budget=scenario.gusts)
        self.weather.forced = dict(forced or {})
        self.troubles = Troubles(list(scenario.troubles))
        self.business = Business(self.plant)

    def run(self) -> Outcome:
        self.bench.database.restore("empty" if self.scenario.master_data_late else "master")
        try:
            return self.loop.run_until_complete(self._run())
        finally:
            self._end()

    async def _run(self) -> Outcome:
        self.hub = Hub(self.bench, self.plant, self.history, self.loop, self.weather, self.troubles)
        caller = Caller(self.plant, connection_of("wms"), lambda: self.hub.receiver, self._true_time, self.history)
        self.plant.master_data()
        self.business.begin()
        self._outside()
        self.hub.begin()
        person = Person(self.hub, self.business)
        quiet = await self._until_quiet(person)
        self.hub.over = True
        del caller
        return Outcome(
            self.scenario, self.history.entries, quiet, self.storm_ended, self.loop.time(), self.hub.broken,
            dict(self.troubles.counts), self.weather.calls,
        )  # fmt: skip

    def _true_time(self) -> Any:
        from datetime import timedelta

        return BEGINNING + timedelta(seconds=self.loop.time())

    def _outside(self) -> None:
        """Clock jumps, outages, and the end of the storm."""
        for at, ahead, seconds in self.scenario.jumps:
            self.loop.call_later(at, self._jump, ahead)
            self.loop.call_later(at + seconds, self._jump, 0.0)
        if self.scenario.outage:
            role, at, seconds = self.scenario.outage
            self.loop.call_later(at, self._down, role, at + seconds)

    def _jump(self, ahead: float) -> None:
        self.hub.ahead = ahead
        self.history.note("clock", "jumps", ahead=ahead)
        self.hub.look_everywhere()

    def _down(self, role: str, until: float) -> None:
        self.plant.down[role] = until
        self.history.note(role, "is down", until=until)

    async def _until_quiet(self, person: Person) -> bool:
        """Let time pass until nothing is left to do; a person answers what only a person can."""
        await asyncio.sleep(self._stormy_until())
        self.weather.over()
        self.troubles.planned.clear()
        self.storm_ended = self.loop.time()
        self.history.note("storm", "is over")
        end = self.loop.time() + HORIZON + max((abs(ahead) for _, ahead, _ in self.scenario.jumps), default=0.0)
        while self.loop.time() < end:
            await asyncio.sleep(20)
            if self.plant.busy or self.hub.waits_for_polls or not person.at_rest():
                continue
            if not await person.answers():
                return True
        return False

    def _stormy_until(self) -> float:
        ends = [at + seconds + 5 for at, _, seconds in self.scenario.jumps]
        if self.scenario.outage:
            ends.append(sum(self.scenario.outage[1:]) + 5)
        return max([30.0 if self.scenario.calm else STORM, *ends])

    def _end(self) -> None:
        """Nobody lives on into the next schedule."""
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()
        self.bench.shelf.all_back()
        self.loop.close()


def judged(bench: Bench, outcome: Outcome) -> list[Violation]:
    """The checker's verdict on an outcome whose ledger is still there."""
    scenario = outcome.scenario
    calm = not (
        scenario.gusts or scenario.troubles or scenario.jumps or scenario.outage or scenario.master_data_late
        or scenario.login_ends or scenario.refusals or scenario.stale_replica
    )  # fmt: skip
    return judge(Case(
        scenario.flow, outcome.history, read_ledger(bench.database.connection), outcome.quiet, outcome.storm_ended,
        outcome.broken, calm, max((abs(ahead) for _, ahead, _ in scenario.jumps), default=0.0),
    ))  # fmt: skip


def learn_master_data(bench: Bench) -> None:
    """Let the hub itself read items and customers once; most schedules begin with what it knows then."""
    bench.database.keep("master")
    outcome = Simulation(bench, Scenario(0, orders=0)).run()
    if not outcome.quiet or outcome.broken:
        raise RuntimeError(f"the master data could not be learnt: {outcome.broken[:3]}")
    bench.database.keep("master")


def run_seed(bench: Bench, seed: int) -> Outcome:
    return Simulation(bench, draw(seed)).run()
