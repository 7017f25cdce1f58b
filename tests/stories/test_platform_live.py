"""The whole platform as `make demo` starts it: real Airflow, real ERP, real sockets, and components killed on the way.

Everything is asked from outside: the command line, Airflow's REST API, the CRM's and the ERP's own APIs.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from include.plant.emulators.clients import CrmPeople
from include.plant.tally import Tally
from throughline.local_platform.settings import Settings, load_settings

pytestmark = [pytest.mark.airflow, pytest.mark.heavy, pytest.mark.timeout(900)]
COMMAND = [str(Path(sys.executable).parent / "throughline")]
FLOW = "order_to_delivery"


class Platform:
    """One running instance with a state directory of its own."""

    def __init__(self, state: Path) -> None:
        self.environment = {**os.environ, "THROUGHLINE_STATE": str(state), "THROUGHLINE_PORT_BASE": str(free_block())}
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.state = state

    def run(self, *arguments: str, ok: bool = True) -> str:
        done = subprocess.run([*COMMAND, *arguments], env=self.environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0 or not ok, f"{arguments}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def told(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json", ok=False))

    @property
    def settings(self) -> Settings:
        settings = load_settings(self.state)
        assert settings is not None
        return settings

    @cached_property
    def crm(self) -> CrmPeople:
        """One person for the whole run: the CRM hands out few tokens a minute."""
        return CrmPeople(f"http://127.0.0.1:{self.settings.ports['crm']}", secret=self.settings.secrets["crm_secret"])

    def count(self, numbers: list[str]) -> dict[str, int]:
        ports, secrets = self.settings.ports, self.settings.secrets
        return Tally(
            f"http://127.0.0.1:{ports['crm']}", secrets["crm_secret"], f"http://127.0.0.1:{ports['tryton']}",
            secrets["erp_password"], self.settings.mail,
        ).count(numbers)  # fmt: skip

    @contextmanager
    def airflow(self, *, logged_in: bool = True) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=self.settings.ui, timeout=60) as client:
            if logged_in:
                body = {"username": "admin", "password": self.settings.secrets["admin_password"]}
                token = client.post("/auth/token", json=body).raise_for_status().json()["access_token"]
                client.headers["authorization"] = f"Bearer {token}"
            yield client

    def component(self, word: str) -> psutil.Process:
        """The supervised process of a component, by what stands on its command line."""
        mark = self.settings.instance
        for process in psutil.process_iter(["cmdline", "environ"]):
            about = process.info
            if (about["environ"] or {}).get("THROUGHLINE_INSTANCE") == mark and word in " ".join(
                about["cmdline"] or []
            ):
                return process
        raise AssertionError(f"no component {word}")

    def processes(self, numbers: list[str]) -> dict[str, str]:
        keys = {f"sales_order:crm:{number}": number for number in numbers}
        return {keys[p["key"]]: p["state"] for p in self.told("processes") if p["key"] in keys}

    def arrive(self, numbers: list[str], seconds: float = 240) -> None:
        def all_there() -> bool:
            states = self.processes(numbers)
            return len(states) == len(numbers) and set(states.values()) == {"finished"}

        wait_for(all_there, seconds, lambda: f"{self.processes(numbers)} {self.run('parked', ok=False)}")


def free_block() -> int:
    """A base port with a dozen free ports above it."""
    for base in range(26_000, 32_000, 40):
        probes = []
        try:
            for port in range(base, base + 12):
                probe = socket.socket()
                probes.append(probe)
                probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        else:
            return base
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no block of free ports")


def wait_for(happened: Callable[[], bool], seconds: float, why: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, why()
        time.sleep(1)


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("live")
    for part in [folder, *folder.parents][:3]:
        part.chmod(0o755)  # PostgreSQL runs as nobody and must reach its files
    platform = Platform(folder / "state")
    platform.run("up")
    yield platform
    platform.run("down")
    mark = platform.settings.instance
    left = [p.info for p in psutil.process_iter(["environ", "name"])
            if (p.info["environ"] or {}).get("THROUGHLINE_INSTANCE") == mark]  # fmt: skip
    assert not left, "down leaves nothing running"


def order(platform: Platform, item: str = "FG-100", quantity: str = "10", unit: str = "pcs") -> str:
    line = {"item": item, "quantity": quantity, "unit": unit, "price": "1150.00"}
    return platform.crm.place_order(customer="C-1001", lines=[line], confirm=True)


def test_orders_confirmed_by_hand_travel_to_the_customer(platform: Platform) -> None:
    numbers = [order(platform), order(platform, "FG-200", "2", "carton")]
    platform.arrive(numbers)
    counted = platform.count(numbers)
    assert (counted["crm_orders"], counted["erp_sales"]) == (2, 2)
    assert counted["mails"] == counted["shipments"] >= 2


def test_any_number_of_any_system_leads_to_the_whole_path(platform: Platform) -> None:
    number = order(platform, "RM-001", "5")
    platform.arrive([number])
    told = platform.told("trace", number)
    roles = {identity["system"] for identity in told["identities"]}
    assert {"crm", "erp", "wms"} <= roles
    assert {delivery["state"] for delivery in told["deliveries"]} <= {"confirmed", "resolved"}
    erp_number = next(i["number"] for i in told["identities"] if i["system"] == "erp" and i["kind"] == "sales_order")
    again = platform.told("trace", erp_number)
    assert {process["key"] for process in again["processes"]} == {f"sales_order:crm:{number}"}


def test_components_killed_on_the_way_lose_and_double_nothing(platform: Platform) -> None:
    numbers = [order(platform, quantity=str(n)) for n in (3, 4, 5)]
    for word in ("airflow worker", "scheduler", "triggerer", "throughline.receiver", "dag-processor"):
        try:
            victim = platform.component(word)
        except AssertionError:
            continue  # no task happens to run
        victim.send_signal(signal.SIGKILL)
        numbers.append(order(platform, quantity="2"))
        time.sleep(4)
    platform.arrive(numbers, 400)
    counted = platform.count(numbers)
    assert (counted["crm_orders"], counted["erp_sales"]) == (len(numbers), len(numbers))
    assert counted["mails"] == counted["shipments"]
    deliveries = [d for number in numbers for d in platform.told("trace", number)["deliveries"]]
    assert len({d["effect_key"] for d in deliveries}) == len(deliveries)


def test_a_backfill_reads_a_window_again_and_doubles_nothing(platform: Platform) -> None:
    number = order(platform)
    platform.arrive([number])
    before = platform.count([number])
    now = datetime.now(UTC)
    body = {
        "dag_id": "capture_crm", "from_date": (now - timedelta(minutes=45)).isoformat(), "to_date": now.isoformat(),
        "reprocess_behavior": "completed", "max_active_runs": 2,
    }  # fmt: skip
    with platform.airflow() as airflow:
        backfill = airflow.post("/api/v2/backfills", json=body).raise_for_status().json()["id"]

        def over() -> bool:
            return airflow.get(f"/api/v2/backfills/{backfill}").json()["completed_at"] is not None

        wait_for(over, 180, lambda: airflow.get(f"/api/v2/backfills/{backfill}").text)
        runs = airflow.get("/api/v2/dags/capture_crm/dagRuns", params={"run_type": "backfill"}).json()["dag_runs"]
    assert runs
    assert {run["state"] for run in runs} == {"success"}
    time.sleep(5)
    assert platform.count([number]) == before


def test_rest_moves_chosen_documents_only_with_a_token(platform: Platform) -> None:
    number = order(platform)
    wait_for(lambda: bool(platform.processes([number])), 60, lambda: "the order never started")
    body = {"logical_date": None, "conf": {"keys": [number]}}
    with platform.airflow(logged_in=False) as stranger:
        assert stranger.post(f"/api/v2/dags/{FLOW}/dagRuns", json=body).status_code == 401
    with platform.airflow() as airflow:
        assert airflow.post(f"/api/v2/dags/{FLOW}/dagRuns", json=body).status_code == 200
        wrong = {"logical_date": None, "conf": {"keys": "not a list"}}
        assert airflow.post(f"/api/v2/dags/{FLOW}/dagRuns", json=wrong).status_code == 400
    platform.arrive([number])


def test_airflow_knows_the_hub(platform: Platform) -> None:
    with platform.airflow() as airflow:
        assert airflow.get("/api/v2/importErrors").json()["total_entries"] == 0
        plugins = [plugin["name"] for plugin in airflow.get("/api/v2/plugins").json()["plugins"]]
        assert plugins.count("throughline") == 1
        dags = {dag["dag_id"]: dag["is_paused"] for dag in airflow.get("/api/v2/dags").json()["dags"]}
        assert not any(dags[name] for name in (FLOW, "capture_crm", "capture_erp", "capture_mes", "capture_wms"))
        assets = {asset["name"] for asset in airflow.get("/api/v2/assets", params={"limit": 100}).json()["assets"]}
        assert {"crm/sales_order", "mes/production_report", "wms/shipment"} <= assets
        connection = airflow.get("/api/v2/connections/erp").json()
        tried = airflow.post("/api/v2/connections/test", json=connection).json()
        assert tried["status"] in (True, False)
        assert platform.settings.secrets["erp_password"] not in json.dumps(connection)
