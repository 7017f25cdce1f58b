"""The MES emulator against its vendor's protocol."""

from __future__ import annotations

import time

import httpx
import pytest

from include.plant.emulators.clients import MesPeople, PlantRefused

TOKEN = "/api/openapi/domain/api/v1/access_token/_get_access_token"
ROUTE = "/api/openapi/domain/web/v1/route/mfg/open/v1/"


@pytest.fixture
def people(mes):
    made = MesPeople(mes.url)
    yield made
    made.close()


def create(people, code="WO-1", amount="10", **more):
    return people.call("work_order/_create", {"code": code, "materialCode": "FG-100", "plannedAmount": amount, **more})


def refused(people, path, **body):
    with pytest.raises(PlantRefused) as refusal:
        people.call(path, body)
    return refusal.value.code


def test_login_and_token_are_checked_and_answers_are_http_200(mes):
    wrong = httpx.post(mes.url + TOKEN, json={"appKey": "cli_plant", "appSecret": "x"})
    assert (wrong.status_code, wrong.json()["code"]) == (200, 40101)
    for query in ({}, {"access_token": "nonsense"}):
        answer = httpx.post(mes.url + ROUTE + "work_order/_list", params=query, json={})
        assert (answer.status_code, answer.json()["code"]) == (200, 40150)
        assert answer.json()["needCheck"] == 0


def test_a_token_runs_out(start):
    emulator = start("black_lake", token_seconds=0.3)
    people = MesPeople(emulator.url)
    create(people)
    time.sleep(0.35)
    assert people.work_order("WO-1")["plannedAmount"] == "10", "people log in again"
    received = emulator.calls()["token received"]
    assert received == 2
    people.close()


def test_a_code_is_accepted_once(people, mes):
    made = create(people, remark="x", customFields={"orderLine": "sales_order:crm:SO-1#10"})
    assert made["code"] == "WO-1"
    assert made["id"] > 2**53, "ids are too long for a float"
    with pytest.raises(PlantRefused) as refusal:
        create(people)
    assert refusal.value.code == 40012
    assert "编码已存在" in refusal.value.message
    assert len(mes.documents("work_order")) == 1
    assert people.work_order("WO-1")["customFields"] == {"orderLine": "sales_order:crm:SO-1#10"}


def test_wrong_values_are_refused(people):
    told = {"code": "W", "materialCode": "FG-100", "plannedAmount": "1"}
    assert refused(people, "work_order/_create", **told | {"materialCode": "nothing"}) == 40004
    for amount in ("0", "-1", "many", "NaN", None):
        assert refused(people, "work_order/_create", **told | {"plannedAmount": amount}) == 40001
    assert refused(people, "work_order/_nothing") == 40400


def test_production_runs_its_course(people, mes):
    create(people)
    people.report("WO-1", "4", "1")
    order = people.work_order("WO-1")
    assert (order["status"], order["qualifiedAmount"], order["unqualifiedAmount"]) == (3, "4", "1")
    mes.act("report", code="WO-1", good="5", scrap="0", finished=True)
    order = people.work_order("WO-1")
    assert (order["status"], order["qualifiedAmount"]) == (4, "9")
    assert [r["finished"] for r in people.reports("WO-1")] == [False, True]
    with pytest.raises(PlantRefused):
        people.report("WO-1", "1")


def test_a_plan_that_is_met_finishes_the_order(people):
    create(people, amount="2.5")
    people.report("WO-1", "2.5")
    assert people.work_order("WO-1")["status"] == 4


def test_gates_of_a_running_order(people):
    create(people)
    assert people.call("work_order/_change", {"code": "WO-1", "plannedAmount": "20"})["code"] == "WO-1"
    people.report("WO-1", "6", "1")
    assert refused(people, "work_order/_cancel", code="WO-1", reason="x") == 40021
    assert refused(people, "work_order/_change", code="WO-1", plannedAmount="6") == 40021
    assert refused(people, "work_order/_change", code="WO-1", plannedAmount="21") == 40021
    people.call("work_order/_change", {"code": "WO-1", "plannedAmount": "7"})
    assert refused(people, "work_order/_close", code="WO-1") == 40021
    assert refused(people, "work_order/_close", code="WO-1", force=True, plannedAmount="3") == 40021
    people.call("work_order/_close", {"code": "WO-1", "force": True, "reason": "gate"})
    order = people.work_order("WO-1")
    assert (order["status"], order["qualifiedAmount"], order["plannedAmount"]) == (5, "6", "7")
    with pytest.raises(PlantRefused):
        people.report("WO-1", "1")


def test_cancel_before_anything_was_made(people):
    create(people)
    people.call("work_order/_cancel", {"code": "WO-1", "reason": "customer"})
    people.call("work_order/_cancel", {"code": "WO-1", "reason": "customer"})
    assert people.work_order("WO-1")["status"] == 9
    with pytest.raises(PlantRefused):
        people.report("WO-1", "1")


def test_a_report_can_be_reversed(people, mes):
    create(people)
    people.report("WO-1", "4")
    mes.act("reverse", report="PR-000001").raise_for_status()
    assert people.work_order("WO-1")["qualifiedAmount"] == "0"
    assert people.reports("WO-1")[0]["status"] == 2
    assert mes.act("reverse", report="PR-000001").status_code == 409


def test_lists_by_closed_window_code_and_page(people):
    for n in range(5):
        create(people, f"WO-{n}")
        time.sleep(0.002)
    rows = people.call("work_order/_list", {"page": 1, "size": 10})["list"]
    stamps = [row["updatedAt"] for row in rows]
    window = {"updatedAtFrom": stamps[1], "updatedAtTo": stamps[3], "page": 1, "size": 10}
    assert [r["code"] for r in people.call("work_order/_list", window)["list"]] == ["WO-1", "WO-2", "WO-3"]
    second = people.call("work_order/_list", {"page": 2, "size": 2})
    assert ([r["code"] for r in second["list"]], second["total"]) == (["WO-2", "WO-3"], 5)
    assert [r["code"] for r in people.call("work_order/_list", {"codes": ["WO-4"]})["list"]] == ["WO-4"]
    assert refused(people, "work_order/_list", page=0) == 40001


def test_pages_drift_when_a_row_leaves_the_window(people):
    for n in range(4):
        create(people, f"WO-{n}")
    until = int(time.time() * 1000)
    time.sleep(0.005)
    told = {"updatedAtFrom": 0, "updatedAtTo": until, "size": 2}
    first = people.call("work_order/_list", told | {"page": 1})["list"]
    people.report("WO-0", "1")
    second = people.call("work_order/_list", told | {"page": 2})["list"]
    assert [row["code"] for row in first + second] == ["WO-0", "WO-1", "WO-3"]


def test_state_and_numbering_survive_a_kill(start):
    emulator = start("black_lake")
    people = MesPeople(emulator.url)
    create(people)
    people.report("WO-1", "4")
    emulator.kill()
    emulator.start()
    people.report("WO-1", "6")
    assert [r["code"] for r in people.reports("WO-1")] == ["PR-000001", "PR-000002"]
    assert people.work_order("WO-1")["status"] == 4
    people.close()
