"""The OA emulator (e-cology 9) against its vendor's protocol, and what the hub's product makes of it."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator

import httpx
import pytest

from include.plant.emulators.clients import EcologyPeople, PlantRefused
from tests.unit.plant.conftest import Emulator, shared
from throughline.connectors.contract import Connection, Connector
from throughline.connectors.products.weaver_ecology.signer import credential, introduction
from throughline.connectors.registry import open_connector
from throughline.errors import Misconfigured, Rejected

weaver_ecology_process = shared("weaver_ecology")
LINE = {"item": "RM-001", "quantity": "20", "unit": "pcs", "price": "12.00"}
FLOW = "/api/workflow/paService/"


@pytest.fixture
def oa(weaver_ecology_process: Emulator) -> Emulator:
    weaver_ecology_process.reset()
    return weaver_ecology_process


@pytest.fixture
def people(oa: Emulator) -> Iterator[EcologyPeople]:
    made = EcologyPeople(oa.url)
    yield made
    made.close()


def connection(oa: Emulator, **extra: str) -> Connection:
    known = {"spk": oa.act("register").json()["spk"], "user_id": "90", "workflow_id": "781",
             "detail_table": "formtable_main_1356_dt1"}  # fmt: skip
    return Connection("oa", oa.url, "plant-oa-app", "plant-weaver_ecology-secret", known | extra)


def hub(oa: Emulator, **extra: str) -> Connector:
    return open_connector("weaver_ecology", "oa", connection(oa, **extra))


async def verdicts(oa: Emulator) -> dict[str, str]:
    async with hub(oa) as connector:
        pages = [page async for page in connector.changes("purchase_requisition", None)]
    return {record.number: record.raw["form"]["verdict"] for page in pages for record in page.records}


def headers(oa: Emulator, user: str = "12") -> dict[str, str]:
    known = connection(oa, user_id=user)
    told = httpx.post(oa.url + "/api/ec/dev/auth/applytoken", headers=introduction(known)).json()
    return dict(credential(known, {"token": told["token"]}))


def test_the_door_takes_only_what_its_key_opens(oa):
    known = connection(oa)
    wrong_secret = Connection("oa", oa.url, known.login, "wrong", known.extra)
    plain = {"appid": known.login, "secret": base64.b64encode(b"plant-weaver_ecology-secret").decode()}
    for wrong, words in ((plain, "secret解密失败"), ({**introduction(known), "appid": "x"}, "认证信息错误"),
                         (introduction(wrong_secret), "认证信息错误")):  # fmt: skip
        answer = httpx.post(oa.url + "/api/ec/dev/auth/applytoken", headers=wrong)
        assert (answer.status_code, answer.json()["status"]) == (200, False)
        assert words in answer.json()["msg"]
    good = httpx.post(oa.url + "/api/ec/dev/auth/applytoken", headers=introduction(known)).json()
    assert (good["msg"], good["code"], good["status"]) == ("获取成功!", 0, True)


def test_registering_again_makes_every_key_worthless(oa):
    old = introduction(connection(oa))
    for _ in range(2):
        told = httpx.post(oa.url + "/api/ec/dev/auth/regist", headers={"appid": "plant-oa-app", "cpk": "x"}).json()
        assert told["secrit"] == "plant-weaver_ecology-secret"
    assert "解密失败" in httpx.post(oa.url + "/api/ec/dev/auth/applytoken", headers=old).json()["msg"]


def test_a_token_runs_out(oa):
    known = connection(oa)
    asked = {**introduction(known), "time": "0.2"}
    token = httpx.post(oa.url + "/api/ec/dev/auth/applytoken", headers=asked).json()["token"]
    time.sleep(0.25)
    answer = httpx.post(oa.url + FLOW + "getAllWorkflowRequestCount", headers=credential(known, {"token": token}))
    assert "token不存在或者超时" in answer.json()["msg"]


def test_an_old_cookie_is_another_user(oa, people):
    request = people.ask("wang", "PR-1", [LINE])
    with httpx.Client(base_url=oa.url) as careless:
        careless.get(FLOW + "getRequestStatus", params={"requestId": request}, headers=headers(oa, "11"))
        told = careless.post(FLOW + "submitRequest", data={"requestId": request}, headers=headers(oa, "12")).json()
        assert told["reqFailMsg"]["msgType"] == "NO_REQUEST_SUBMIT_PERMISSION", "taken for wang, by wang's cookie"
        careless.cookies.clear()
        told = careless.post(FLOW + "submitRequest", data={"requestId": request}, headers=headers(oa, "12")).json()
        assert told["code"] == "SUCCESS"


def test_lists_are_bare_arrays_by_whole_days_and_counts_bare_numbers(oa, people):
    request = people.ask("wang", "PR-1", [LINE])
    (row,) = people.call("li", "getToDoWorkflowRequestList", {})
    assert (row["requestId"], row["currentNodeName"]) == (request, "审批")
    assert people.call("li", "getAllWorkflowRequestCount", {}) == 1
    days = {"operatedateselect": "6", "operatedatefrom": "2020-01-01", "operatedateto": "2020-01-02"}
    assert people.call("li", "getAllWorkflowRequestList", {"conditions": json.dumps(days)}) == []


async def test_finished_is_not_approved(oa, people):
    numbers = ("agreed", "refused", "forced", "waiting", "back", "withdrawn", "revoked", "revoked late", "draft")
    ids = {number: people.ask("wang", number, [LINE], submit=number != "draft") for number in numbers}
    for number in ("agreed", "revoked", "revoked late"):
        people.approve("li", ids[number])
    people.refuse("li", ids["refused"])
    people.force_end("zhao", ids["forced"])
    people.send_back("li", ids["back"])
    people.withdraw("wang", ids["withdrawn"])
    people.call("hub", "submitRequest", {"requestId": ids["revoked late"]})
    for number in ("revoked", "revoked late"):
        people.draw_back("zhao", ids[number])
    assert await verdicts(oa) == {
        "agreed": "approved", "refused": "rejected", "forced": "withdrawn", "waiting": "submitted", "back": "draft",
        "withdrawn": "draft", "revoked": "withdrawn", "revoked late": "withdrawn", "draft": "draft",
    }  # fmt: skip


async def test_what_costs_much_needs_the_managers_manager_and_nobody_decides_on_their_own(oa, people):
    request = people.ask("wang", "PR-1", [{**LINE, "quantity": "10000"}])
    people.approve("li", request)
    assert await verdicts(oa) == {"PR-1": "submitted"}
    with pytest.raises(PlantRefused, match="NO_REQUEST_SUBMIT_PERMISSION"):
        people.approve("li", request)
    people.approve("zhao", request)
    assert await verdicts(oa) == {"PR-1": "approved"}
    with pytest.raises(PlantRefused, match="没有审批人"):
        people.ask("zhao", "PR-2", [LINE])


async def test_a_form_changed_after_its_approval_is_still_approved_and_comes_again(oa, people):
    request = people.ask("wang", "PR-1", [LINE])
    people.approve("li", request)
    async with hub(oa) as connector:
        pages = [page async for page in connector.changes("purchase_requisition", None)]
        oa.act("edit", requestId=request, row={"xh": "10", "sl": "2000"}).raise_for_status()
        again = [page async for page in connector.changes("purchase_requisition", pages[-1].cursor)]
    (record,) = again[-1].records
    assert (record.raw["form"]["verdict"], record.raw["form"]["dt1"][0]["sl"]) == ("approved", "2000")


async def test_news_is_written_while_the_request_waits_for_us_and_closing_twice_is_once(oa, people):
    request = people.ask("wang", "PR-1", [LINE])
    news = {"requestId": request, "form": {"main": {"cgddh": "PO-7", "cgzt": "ordered"}}}
    async with hub(oa) as connector:
        with pytest.raises(Rejected, match="NO_REQUEST_SUBMIT_PERMISSION"):
            await connector.send("order_update", "create", news, reference="N", key="k")
        people.approve("li", request)
        for operation in ("create", "create", "close", "close"):
            assert (await connector.send("order_update", operation, news, reference="N", key="k")).their_id == request
        with pytest.raises(Rejected, match="NO_REQUEST_SUBMIT_PERMISSION"):
            await connector.send("order_update", "create", news, reference="N", key="k")
    assert people.form("wang", request)["cgddh"] == "PO-7"
    assert await verdicts(oa) == {"PR-1": "approved"}


def test_a_field_that_is_too_long_is_cut_and_one_nobody_knows_is_dropped_in_silence(oa, people):
    request = people.ask("wang", "PR-1", [LINE], cgddh="x" * 80, nosuchfield="1")
    form = people.form("wang", request)
    assert (len(form["cgddh"]), "nosuchfield" in form) == (50, False)


async def test_a_number_that_is_part_of_another_is_not_found_for_it(oa):
    form = {"form": {"main": {"djbh": "PR-10"}, "dt1": [{"xh": "10", "wlbm": "RM-001", "sl": "1", "dw": "pcs"}]}}
    async with hub(oa) as connector:
        await connector.send("purchase_requisition", "create", form, reference="PR-10", key="k")
        assert await connector.find("purchase_requisition", "PR-1") is None
        assert await connector.find("purchase_requisition", "PR-10") is not None


async def test_a_spoiled_key_names_the_connection(oa):
    with pytest.raises(Misconfigured, match="connection oa"):
        async with hub(oa, spk="bm8ga2V5") as connector:
            await connector.test()


def test_state_survives_a_kill_but_the_key_must_be_fetched_anew(start):
    emulator = start("weaver_ecology")
    people = EcologyPeople(emulator.url)
    request = people.ask("wang", "PR-1", [LINE])
    emulator.kill()
    emulator.start()
    people.approve("li", request)
    assert emulator.documents("request")[0]["verdict"] == "agreed"
    people.close()
