"""The hub under test: the real engine, ledger, mapping, connectors and receiver, worked by machines that may die.

What Airflow does in production is done here by a collector (captures, understands) and one or two sweepers; they wake
when the ledger says that there is work, and now and then anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any

import psycopg

from tests.faults.bench import BEGINNING, POLLED, Bench, connection_of, parts_of, path_of, profile_of
from tests.faults.history import History
from tests.faults.machines import Killed, Machine, Troubles
from tests.faults.plant import Plant
from tests.faults.transport import Road
from tests.faults.virtual_time import VirtualLoop
from tests.faults.weather import Weather
from throughline.connectors.contract import Connection, Connector
from throughline.connectors.mechanisms.http.connector import HttpConnector
from throughline.connectors.products.flux import inbound as flux
from throughline.errors import ThroughlineError
from throughline.ledger import Ledger
from throughline.process.ledger_registry import LedgerRegistry
from throughline.process.sweep import Engine
from throughline.process.translator_words import TranslatorWords
from throughline.receiver.application import create_app
from throughline.receiver.doors import Door

LOOKS_BACK = 31.0
"""After a change a source is asked at once, and again at two later deep looks back, which are taken every 30 s."""


IDLE = 900.0
"""A process with nothing to do looks whether that is still so after so many seconds."""


WAKES = 60.0
"""What waits for a name is looked through so often, should the news of it have been lost with a process."""


class LoginShelf:
    """Logins that outlive a process, as on one machine."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[dict[str, Any], datetime]] = {}
        self._turn = asyncio.Lock()

    def take(self, connection: Connection) -> tuple[dict[str, Any], datetime] | None:
        return self._kept.get(connection.name)

    def put(self, connection: Connection, values: dict[str, Any], until: datetime) -> None:
        self._kept[connection.name] = (values, until)

    @asynccontextmanager
    async def alone(self, connection: Connection) -> AsyncIterator[None]:
        async with self._turn:
            yield


class Process:
    """One incarnation: a machine with the hub on it."""

    def __init__(self, hub: Hub, name: str) -> None:
        self.machine = Machine(name, hub.troubles, hub.history.note, hub.loop.rest, hub.heard, hub.bench.shelf)
        self.ledger = Ledger(hub.bench.database.dsn, clock=hub.clock, connect=self.machine.connect)
        words = TranslatorWords(hub.bench.translator.with_registry(LedgerRegistry(self.ledger)), hub.bench.landscape)
        self.hub = hub
        self.engine = Engine(
            self.ledger, hub.bench.landscape, self.connector, words, hub.bench.flows[hub.flow],
            rng=Random(f"{name} {hub.seed}"), holder=name,
        )  # fmt: skip

    def connector(self, role: str) -> Connector:
        hub = self.hub
        chosen = hub.plant.scenario.tiers.items()
        tiers = tuple(sorted((k.split(".")[1], t) for k, t in chosen if k.startswith(f"{role}.")))
        road = Road(role, hub.plant.serve(role), self.machine, hub.weather, hub.history,
                    lambda place: dict(tiers).get(place.partition(".")[0], "T1"),
                    lambda kind: hub.source_changed(role, kind, again=True))  # fmt: skip
        return HttpConnector(
            profile_of(role, tiers), parts_of(role), path_of(role), role, connection_of(role), clock=hub.clock,
            randomness=Random(f"{self.machine.name} {role}"), transport=road, shelf=hub.logins,
        )  # fmt: skip


class Hub:
    """All machines of one schedule."""

    def __init__(
        self, bench: Bench, plant: Plant, history: History, loop: VirtualLoop, weather: Weather, troubles: Troubles
    ) -> None:
        self.bench, self.plant, self.history, self.loop = bench, plant, history, loop
        self.weather, self.troubles, self.seed = weather, troubles, plant.scenario.seed
        self.flow = plant.scenario.flow
        self.ahead = 0.0
        self.over = False
        self.logins = LoginShelf()
        self.broken: list[str] = []
        self._incarnations: dict[str, int] = {}
        self._polls: set[tuple[float, str, str]] = set()
        self._work = {"sweeper-1": asyncio.Event(), "sweeper-2": asyncio.Event()}
        self._told = asyncio.Event()
        self._wake_due = False
        self._pause_asked = 0.0
        self._not_before: dict[tuple[str, str], float] = {}
        self.receiver: Any = None
        plant.told = self.source_changed

    def clock(self) -> datetime:
        return BEGINNING + timedelta(seconds=self.loop.time() + self.ahead)

    def heard(self, words: set[str]) -> None:
        """The ledger says that something is ready, as `LISTEN` would tell."""
        if "work" in words:
            for event in self._work.values():
                event.set()
        if words & {"inbox", "versions"}:
            self._told.set()

    def source_changed(self, role: str, kind: str, again: bool = False) -> None:
        now = self.loop.time()
        self._poll(role, kind, now + 0.5)
        if self.plant.scenario.hides or again:
            deep = now // LOOKS_BACK * LOOKS_BACK
            self._poll(role, kind, deep + LOOKS_BACK, deep + 2 * LOOKS_BACK)
        self._told.set()

    def begin(self) -> None:
        lives = {"collector": self._collecting, "receiver": self._receiving, "sweeper-1": self._sweeping}
        if self.plant.scenario.overlaps:
            lives["sweeper-2"] = self._sweeping
        self.tasks = [self.loop.create_task(self._live(name, work)) for name, work in lives.items()]

    async def _live(self, name: str, work: Callable[[Process], Awaitable[None]]) -> None:
        """A process that is started again whenever it dies."""
        while not self.over:
            count = self._incarnations[name] = self._incarnations.get(name, 0) + 1
            process = Process(self, f"{name}.{count}" if count > 1 else name)
            try:
                await work(process)
            except Killed:
                process.machine.dead = self._wake_due = True
                await asyncio.sleep(self.plant.rng.uniform(1, 20))

    async def _attempt(self, process: Process, what: str, work: Awaitable[Any]) -> Any:
        """One task of Airflow's: its failure is told, and the next one comes."""
        process.machine.doing = what.partition(" ")[0]
        try:
            return await work
        except ThroughlineError as error:
            self.history.note(
                process.machine.name, "fails", task=what, error=f"{type(error).__name__}: {error.message}"
            )
            self._pause_asked = getattr(error, "retry_after", None) or 0.0
        except (Exception, psycopg.Error) as error:  # noqa: BLE001 - a mistake of the hub is a finding, not the end
            if process.machine.dead:
                raise Killed(process.machine.name) from None
            self.broken.append(f"{what}: {type(error).__name__}: {error}")
            self.history.note(process.machine.name, "breaks", task=what, error=f"{type(error).__name__}: {error}")
        if process.machine.dead:
            raise Killed(process.machine.name)
        return None

    async def _collecting(self, process: Process) -> None:
        engine, thread = process.engine, asyncio.to_thread
        while not self.over:
            self._told.clear()
            now = self.loop.time()
            for role, kind in sorted({(role, kind) for at, role, kind in self._polls if at <= now}, key=POLLED.index):
                told = await self._attempt(process, f"capture {role} {kind}", engine.capture(role, kind))
                self._polls = {poll for poll in self._polls if poll[0] > now or poll[1:] != (role, kind)}
                if told is None:
                    self._ask_again(role, kind)
            if self._waits("inbox where read_at is null"):
                await self._attempt(process, "inbox", thread(engine.drain_inbox, "wms"))
            if self._waits("record_versions where state = 'pending'"):
                self._wake_due |= await self._attempt(process, "take in", thread(engine.take_in)) is None
            latest = now + (WAKES if self._wake_due else IDLE)
            await self._pause(self._told, min([latest, *(at for at, _, _ in self._polls)]), least=0.2)
            if self.loop.time() - now > WAKES - 5:
                woken = await self._attempt(process, "wake", thread(self._wake, process))
                self._wake_due &= woken is None

    def _ask_again(self, role: str, kind: str) -> None:
        """A capture that failed is tried again as Airflow would: after 15 s, or when the system said."""
        again = self._not_before[role, kind] = self.loop.time() + max(15.0, self._pause_asked)
        self._pause_asked = 0.0
        mine = {poll for poll in self._polls if poll[1:] == (role, kind)}
        self._polls -= mine
        self._poll(role, kind, again, *(at for at, _, _ in mine))

    def _poll(self, role: str, kind: str, *moments: float) -> None:
        """Ask this source at these moments, but not before it wants to be asked again."""
        earliest = self._not_before.get((role, kind), 0.0)
        self._polls |= {(max(at, earliest), role, kind) for at in moments}

    def look_everywhere(self) -> None:
        """What a poll every second would do by itself after something was wrong with all of them."""
        for role, kind in POLLED:
            self._poll(role, kind, self.loop.time() + 1.0)
        self._told.set()

    @property
    def waits_for_polls(self) -> bool:
        """Whether a source is still to be asked, or what waits for a name is still to be looked through."""
        return bool(self._polls) or self._wake_due

    def _waits(self, what: str) -> bool:
        """Whether the ledger has something of this kind, as the triggers of production ask it."""
        return self.bench.database.connection.execute(f"select exists (select from {what})").fetchone() == (True,)

    def _wake(self, process: Process) -> bool:
        with process.ledger.transaction() as books:
            books.identities.wake()
        return True

    async def _sweeping(self, process: Process) -> None:
        event = self._work[process.machine.name.partition(".")[0]]
        in_vain, before = 0, dict[str, int]()
        while not self.over:
            event.clear()
            planned = await self._attempt(process, "plan", asyncio.to_thread(process.engine.plan, self.flow)) or {}
            ready = [step for step, count in planned.items() if count]
            for step in ready:
                await self._attempt(process, step, process.engine.run_step(self.flow, step))
            if not ready:
                await self._pause(event, self.loop.time() + max(self._until_due(), in_vain - 20.0), least=0.1)
            else:
                await asyncio.sleep(max(0.1, in_vain - 20.0))
            in_vain = min(in_vain + 1, 80) if planned == before else 0  # what is due and never done is no hurry
            before = planned

    async def _pause(self, event: asyncio.Event, until: float, *, least: float) -> None:
        """Until somebody says there is work, or something is due."""
        await asyncio.sleep(least)
        if not event.is_set():
            try:
                async with asyncio.timeout_at(max(until, self.loop.time())):
                    await event.wait()
            except TimeoutError:
                pass

    def _until_due(self) -> float:
        """How long until a retry or a lease of somebody who died is due, by the hub's clock."""
        (due,) = self.bench.database.connection.execute(_DUE).fetchone() or (None,)
        return IDLE if due is None else min(IDLE, max(0.2, (due - self.clock()).total_seconds()))

    async def _receiving(self, process: Process) -> None:
        doors = {"wms": Door("wms", connection_of("wms"), flux)}  # type: ignore[arg-type]
        application = create_app(process.ledger, doors, clock=self.clock)
        self.receiver = application
        died = asyncio.Event()
        process.machine.at_death = died.set
        await died.wait()
        self.receiver = None
        raise Killed(process.machine.name)


_DUE = """
select min(at) from (
    select greatest(s.ready_at, p.lease_until) as at from steps s join processes p on p.id = s.process_id
    where s.state in ('ready', 'retrying') and p.state = 'running'
    union all select lease_until from processes where lease_until is not null
    union all select s.due_at from steps s join processes p on p.id = s.process_id
    where s.due_at is not null and s.overdue_at is null and s.finished_at is null and p.state = 'running'
) as moments
"""
