"""The whole platform as `make demo` starts it: real Airflow, real ERP, real sockets, and components killed on the way.

Everything is asked from outside: the command line, Airflow's REST API, the CRM's and the ERP's own APIs.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.live_platform import FLOW, Platform, running_platform, wait_for

pytestmark = [pytest.mark.airflow, pytest.mark.heavy, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    with running_platform() as platform:
        yield platform


def test_orders_confirmed_by_hand_travel_to_the_customer(platform: Platform) -> None:
    numbers = [platform.order(), platform.order("FG-200", "2", "carton")]
    platform.arrive(numbers)
    counted = platform.count(numbers)
    assert (counted["crm_orders"], counted["erp_sales"]) == (2, 2)
    assert counted["mails"] == counted["shipments"] >= 2


def test_any_number_of_any_system_leads_to_the_whole_path(platform: Platform) -> None:
    number = platform.order("RM-001", "5")
    platform.arrive([number])
    told = platform.told("trace", number)
    roles = {identity["system"] for identity in told["identities"]}
    assert {"crm", "erp", "wms"} <= roles
    assert {delivery["state"] for delivery in told["deliveries"]} <= {"confirmed", "resolved"}
    erp_number = next(i["number"] for i in told["identities"] if i["system"] == "erp" and i["kind"] == "sales_order")
    again = platform.told("trace", erp_number)
    assert {process["key"] for process in again["processes"]} == {f"sales_order:crm:{number}"}


def test_components_killed_on_the_way_lose_and_double_nothing(platform: Platform) -> None:
    numbers = [platform.order(quantity=str(n)) for n in (3, 4, 5)]
    for word in ("airflow worker", "scheduler", "triggerer", "throughline.receiver", "dag-processor"):
        try:
            victim = platform.component(word)
        except AssertionError:
            continue  # no task happens to run
        victim.send_signal(signal.SIGKILL)
        numbers.append(platform.order(quantity="2"))
        time.sleep(4)
    platform.arrive(numbers, 400)
    counted = platform.count(numbers)
    assert (counted["crm_orders"], counted["erp_sales"]) == (len(numbers), len(numbers))
    assert counted["mails"] == counted["shipments"]
    deliveries = [d for number in numbers for d in platform.told("trace", number)["deliveries"]]
    assert len({d["effect_key"] for d in deliveries}) == len(deliveries)


def test_a_backfill_reads_a_window_again_and_doubles_nothing(platform: Platform) -> None:
    number = platform.order()
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
    number = platform.order()
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
