"""Kills and freezes parts of a running platform while orders flow, and writes down how long it took to be well."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import psutil

from include.plant.emulators.clients import ControlDeskPeople
from tests.kills.books import Books
from tests.live_platform import FLOW, Platform, wait_for
from throughline.local_platform.supervision import Supervisor

LEASE = 120.0
"""Seconds a worker may hold documents (`throughline.process.workshop`)."""
PIECES = 10
PATIENCE = float(os.environ.get("KILLS_PATIENCE", "900"))
"""Seconds until we say that something does not converge by itself; other work may load this machine."""


@dataclass
class Blow:
    """One kill: when everything answered again, a new order began, and all orders had arrived (seconds after it)."""

    victim: str
    deed: str
    orders: list[str] = field(default_factory=list)
    struck_at: str = ""
    answered_after: float | None = None
    moved_after: float | None = None
    arrived_after: float | None = None
    restarts: dict[str, int] = field(default_factory=dict)
    note: str = ""


class Drill:
    """One platform, many blows; orders are confirmed before and after each."""

    def __init__(self, platform: Platform, report: Path) -> None:
        self.platform, self.report = platform, report
        self.orders: dict[str, int] = {}
        self.blows: list[Blow] = []
        self.supervisor = Supervisor(platform.settings)

    def confirm(self, count: int) -> list[str]:
        """Confirm so many orders in the CRM."""
        numbers = [self.platform.order(quantity=str(PIECES)) for _ in range(count)]
        self.orders |= dict.fromkeys(numbers, PIECES)
        return numbers

    def under_way(self, numbers: list[str]) -> None:
        """Wait until the hub has begun with these orders."""
        wait_for(
            lambda: len(self.platform.processes(numbers)) == len(numbers), PATIENCE, lambda: f"{numbers} not begun"
        )

    def strike(self, victim: str, deed: str, act: Callable[[], str | None]) -> Blow:
        """Strike while an order is under way, confirm one more, and wait until all answers and the new order has begun.

        Nobody waits for the orders to arrive: the next blow falls while they are on their way. `settle` waits for all.
        """
        blow = Blow(victim, deed, self.confirm(1))
        self.under_way(blow.orders)
        counted = self._restarts()
        blow.note = act() or ""
        struck, blow.struck_at = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
        late = self.confirm(1)
        blow.orders += late
        blow.answered_after = self._after(struck, self._all_answer)
        blow.moved_after = self._after(struck, lambda: bool(self.platform.processes(late)))
        blow.restarts = {
            name: n - counted.get(name, 0) for name, n in self._restarts().items() if n > counted.get(name, 0)
        }
        self.blows.append(blow)
        self._write()
        return blow

    def settle(self) -> None:
        """Wait until every order of the drill has arrived; then each blow's arrival is known too."""
        self._after(time.monotonic(), lambda: self.platform.arrived(list(self.orders)))
        told = {p["key"].rpartition(":")[2]: p for p in self.platform.told("processes", "--limit", "1000")}
        for blow in self.blows:
            last = max(datetime.fromisoformat(told[number]["finished_at"]) for number in blow.orders)
            blow.arrived_after = round((last - datetime.fromisoformat(blow.struck_at)).total_seconds(), 1)
        self._write()

    def wrong(self) -> dict[str, dict[str, Any]]:
        """The orders of the whole drill that are lost, doubled or half done."""
        return Books(self.platform).wrong(self.orders)

    def table(self) -> str:
        """What a person reads."""
        head = f"{'victim':<34}{'deed':<26}{'orders':>6}{'answers':>9}{'begins':>8}{'arrived':>9}  note"
        rows = [
            f"{b.victim:<34}{b.deed:<26}{len(b.orders):>6}{_seconds(b.answered_after):>9}{_seconds(b.moved_after):>8}"
            f"{_seconds(b.arrived_after):>9}  {b.note}"
            for b in self.blows
        ]
        return "\n".join([head, *rows])

    def _after(self, struck: float, well: Callable[[], bool]) -> float:
        def why() -> str:
            platform = self.platform
            return f"{self.table()}\n{platform.run('status', ok=False)}{platform.run('processes', ok=False)[-4000:]}"

        wait_for(lambda: _calmly(well), PATIENCE, why)
        return round(time.monotonic() - struck, 1)

    def _all_answer(self) -> bool:
        told = self.platform.told("status")
        return bool(told) and all(one["healthy"] for one in told)

    def _restarts(self) -> dict[str, int]:
        with suppress(OSError, ValueError):
            return dict(json.loads((self.platform.state / "restarts.json").read_text()))
        return {}

    def _write(self) -> None:
        self.report.parent.mkdir(parents=True, exist_ok=True)
        told = {"patience": PATIENCE, "orders": len(self.orders), "blows": [asdict(blow) for blow in self.blows]}
        self.report.write_text(json.dumps(told, indent=2, ensure_ascii=False), "utf-8")

    # what can be struck

    def pid_of(self, component: str) -> int:
        """The process of a component, as the supervisor knows it."""
        pid = self.supervisor.states()[component].pid
        assert pid, f"{component} does not run"
        return pid

    def kill(self, component: str) -> None:
        """SIGKILL."""
        os.kill(self.pid_of(component), signal.SIGKILL)

    def freeze(self, component: str, seconds: float) -> None:
        """SIGSTOP for so long, the processes it began with it; then SIGCONT."""
        main = psutil.Process(self.pid_of(component))
        family = [main, *main.children(recursive=True)]
        freeze(family)
        try:
            time.sleep(seconds)
        finally:
            thaw(family)

    def postgres_away(self, seconds: float) -> None:
        """An immediate stop, and nobody starts it for so long."""
        pid = self.pid_of("postgres")
        self.supervisor.end("postgres")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)
        time.sleep(seconds)
        self.supervisor.run("postgres")

    def hold_next_work_order(self, kind: str) -> None:
        """The MES keeps the answer to the next new work order to itself; `kind` says whether it carries it out."""
        with self._mes() as desk:
            desk.no_faults()
            desk.faults({"kind": kind, "match": {"method": "work_order/_create"}, "seconds": 600})

    def delivering(self) -> psutil.Process:
        """The task process that is waiting for that answer."""
        wait_for(self._struck, PATIENCE, lambda: "no work order reached the MES", every=0.05)
        return self._task_process("mes_work_order")

    def _struck(self) -> bool:
        with self._mes() as desk:
            return any(rule["struck"] for rule in desk.state("none")["faults"])

    @contextmanager
    def _mes(self) -> Iterator[ControlDeskPeople]:
        desk = ControlDeskPeople(f"http://127.0.0.1:{self.platform.settings.ports['mes']}")
        try:
            yield desk
        finally:
            desk.close()

    def _task_process(self, step: str) -> psutil.Process:
        """The task of this step that talks to the MES now: it has a connection there, and Airflow knows its name."""
        running: list[psutil.Process] = []

        def found() -> bool:
            talking = [worker for worker in self.platform.processes_named("airflow worker") if self._talks(worker)]
            names = {task["id"] for task in self.tasks(step)} if talking else set()
            running[:] = [worker for worker in talking if _task_of(worker) in names]
            return bool(running)

        wait_for(found, 60, lambda: f"no process works on {step}", every=0.1)
        return running[0]

    def _talks(self, worker: psutil.Process) -> bool:
        with suppress(psutil.Error):
            return any(
                c.raddr and c.raddr.port == self.platform.settings.ports["mes"] for c in worker.net_connections()
            )
        return False

    def tasks(self, step: str) -> list[dict[str, Any]]:
        """The newest task instances of a step, as Airflow knows them."""
        query: dict[str, Any] = {"task_id": step, "order_by": "-start_date", "limit": 20}
        told = self._airflow.get(f"/api/v2/dags/{FLOW}/dagRuns/~/taskInstances", params=query)
        return list(told.raise_for_status().json()["task_instances"])

    @cached_property
    def _airflow(self) -> httpx.Client:
        """One login for the whole drill: a password is checked slowly."""
        with self.platform.airflow() as client:
            return httpx.Client(base_url=client.base_url, headers=client.headers, timeout=60)


def freeze(family: list[psutil.Process]) -> None:
    """SIGSTOP."""
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGSTOP)


def thaw(family: list[psutil.Process]) -> None:
    """SIGCONT."""
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)


def _task_of(worker: psutil.Process) -> str:
    """The id that stands in a task process's title; empty when it has just ended."""
    with suppress(psutil.Error, IndexError):
        return str(" ".join(worker.cmdline()).split()[-1])
    return ""


def _calmly(well: Callable[[], bool]) -> bool:
    """While something is away, asking may fail: that is no answer yet."""
    try:
        return well()
    except (AssertionError, ValueError, OSError):
        return False


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} s"
