"""SIGKILL and SIGSTOP for everything that runs, while orders flow: it converges by itself, nothing lost or doubled.

`make test-kills` prints the recovery times and writes them to `.kills.json` ($KILLS_REPORT). About forty minutes.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.kills.drill import LEASE, PATIENCE, Drill, freeze, thaw
from tests.live_platform import running_platform, wait_for

pytestmark = [pytest.mark.airflow, pytest.mark.heavy, pytest.mark.timeout(3 * int(PATIENCE))]
REPORT = Path(os.environ.get("KILLS_REPORT", ".kills.json"))
COMPONENTS = ("scheduler", "triggerer", "dag-processor", "api-server", "receiver")


@pytest.fixture(scope="module")
def drill() -> Iterator[Drill]:
    with running_platform() as platform:
        drill = Drill(platform, REPORT)
        yield drill
        print(f"\n\n{drill.table()}\n")


def test_without_a_kill_for_comparison(drill: Drill) -> None:
    drill.strike("nobody", "", lambda: None)


@pytest.mark.parametrize(
    ("kind", "when"), [("timeout_before", "before the write"), ("timeout_after", "after the write")]
)
def test_a_worker_in_the_middle_of_a_delivery(drill: Drill, kind: str, when: str) -> None:
    drill.hold_next_work_order(kind)
    drill.strike("worker in a delivery", f"SIGKILL {when}", lambda: drill.delivering().send_signal(signal.SIGKILL))


def test_a_worker_frozen_in_a_delivery_for_longer_than_its_lease(drill: Drill) -> None:
    """When it wakes, its lease is over and others have done its work: it must not write over them."""
    drill.hold_next_work_order("timeout_after")

    def act() -> str:
        worker = drill.delivering()
        freeze([worker])
        time.sleep(LEASE + 15)
        thaw([worker])
        return f"frozen for {LEASE + 15:.0f} s"

    drill.strike("worker in a delivery", "SIGSTOP, SIGCONT", act)


def test_one_task_runs_twice_at_the_same_time(drill: Drill) -> None:
    """The process that supervises a task dies, not the task: Airflow takes it for dead and runs it once more."""
    drill.hold_next_work_order("timeout_after")
    seen: list[str] = []

    def act() -> str:
        worker = drill.delivering()
        (task,) = [one for one in drill.tasks("mes_work_order") if one["id"] in " ".join(worker.cmdline())]
        supervising = psutil.Process(worker.ppid())
        assert "LocalExecutor" in " ".join(supervising.cmdline())
        supervising.send_signal(signal.SIGKILL)
        supervising.wait(30)
        # Or it would end before Airflow notices: it gives its call up after half a minute. Frozen any earlier, the
        # kernel would hang it up with its parent.
        freeze([worker])
        begun = time.monotonic()

        def again() -> bool:
            tries = [one for one in drill.tasks("mes_work_order") if one["dag_run_id"] == task["dag_run_id"]]
            seen[:] = [f"try {one['try_number']} {one['state']}" for one in tries]
            return any(one["try_number"] > task["try_number"] and one["state"] == "running" for one in tries)

        wait_for(again, PATIENCE, lambda: f"Airflow did not run it again: {seen}", every=0.2)
        assert worker.is_running(), "the first attempt is still there"
        thaw([worker])
        return f"second attempt after {time.monotonic() - begun:.0f} s, beside the first"

    drill.strike("supervisor of a task", "SIGKILL, its task lives", act)


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_killed(drill: Drill, component: str) -> None:
    blow = drill.strike(component, "SIGKILL", lambda: drill.kill(component))
    assert blow.restarts.get(component) == 1


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_frozen(drill: Drill, component: str) -> None:
    drill.strike(component, "SIGSTOP, SIGCONT", lambda: drill.freeze(component, LEASE + 15))


def test_postgresql_stopped_at_once_for_half_a_minute(drill: Drill) -> None:
    drill.strike("PostgreSQL", "immediate stop, 30 s", lambda: drill.postgres_away(30))


def test_postgresql_stopped_in_the_middle_of_a_delivery(drill: Drill) -> None:
    """The write is done and nobody can write down that it is."""
    drill.hold_next_work_order("timeout_after")

    def act() -> None:
        drill.delivering()
        drill.postgres_away(40)

    drill.strike("PostgreSQL, a delivery under way", "immediate stop, 40 s", act)


def test_postgresql_killed(drill: Drill) -> None:
    drill.strike("PostgreSQL", "SIGKILL", lambda: drill.kill("postgres"))


def test_in_the_end_every_order_arrived_once(drill: Drill) -> None:
    """Counted in ERP, MES, WMS, CRM and the mailbox; the hub is not asked."""
    drill.settle()
    assert drill.wrong() == {}


def test_in_the_end_the_hub_says_the_same(drill: Drill) -> None:
    platform = drill.platform
    assert platform.told("parked") == []
    assert set(platform.processes(list(drill.orders)).values()) == {"finished"}
    assert platform.told("audit", "verify")["whole"] is True
    deliveries = [d for number in drill.orders for d in platform.told("trace", number)["deliveries"]]
    assert len({d["effect_key"] for d in deliveries}) == len(deliveries)
    assert {d["state"] for d in deliveries} <= {"confirmed", "resolved"}
