"""The OA emulator (Seeyon A8) against its vendor's protocol, and what the hub's product makes of it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from include.plant.emulators.clients import PlantRefused, SeeyonPeople
from tests.unit.plant.conftest import Emulator, shared
from throughline.connectors.contract import Connection, Connector
from throughline.connectors.registry import open_connector
from throughline.errors import Rejected

seeyon_process = shared("seeyon")
LINE = {"item": "RM-001", "quantity": "20", "unit": "pcs", "price": "12.00"}
EXTRA = {"login_name": "hub", "template_code": "PR_001", "form_main": "formmain_0018", "form_son": "formson_0019"}


@pytest.fixture
def oa(seeyon_process: Emulator) -> Emulator:
    seeyon_process.act("settings", clock_offset_seconds=0)
    seeyon_process.reset()
    return seeyon_process


@pytest.fixture
def people(oa: Emulator) -> Iterator[SeeyonPeople]:
    made = SeeyonPeople(oa.url)
    yield made
    made.close()


def hub(oa: Emulator) -> Connector:
    return open_connector("seeyon", "oa", Connection("oa", oa.url, "rest-hub", "plant-seeyon-secret", EXTRA))


async def verdicts(oa: Emulator) -> dict[str, str]:
    async with hub(oa) as connector:
        pages = [page async for page in connector.changes("purchase_requisition", None)]
    return {record.number: record.raw["form"]["verdict"] for page in pages for record in page.records}


def test_a_token_dies_of_idleness_and_lives_by_use(oa):
    rest = oa.url + "/seeyon/rest/"
    wrong = httpx.post(rest + "token", json={"userName": "rest-hub", "password": "x", "loginName": "li"})
    assert (wrong.status_code, wrong.json()["id"]) == (200, "-1")
    login = {"userName": "rest-hub", "password": "plant-seeyon-secret", "loginName": "li"}
    token = httpx.post(rest + "token", json=login).json()["id"]
    for minutes in (13, 26, 39):
        oa.act("settings", clock_offset_seconds=minutes * 60)
        assert httpx.post(rest + "coll/sentAffairs", json={}, headers={"token": token}).status_code == 200
    oa.act("settings", clock_offset_seconds=55 * 60)
    late = httpx.post(rest + "coll/sentAffairs", json={}, headers={"token": token})
    assert (late.status_code, late.json()["message"]) == (401, "Invalid token,please authenticate again")


async def test_finished_is_zero_and_not_approved(oa, people):
    numbers = ("agreed", "refused", "stopped", "waiting", "back", "repealed", "revoked", "draft")
    ids = {number: people.ask("wang", number, [LINE], draft=number == "draft") for number in numbers}
    for number in ("agreed", "revoked"):
        people.decide("li", ids[number])
    people.decide("hub", ids["agreed"])
    people.decide("li", ids["refused"], agree=False)
    people.act("zhao", "bpm/process/stop", ids["stopped"])
    people.act("li", "bpm/workitem/stepBack", ids["back"])
    people.act("wang", "bpm/process/repeal", ids["repealed"])
    people.act("zhao", "bpm/process/repeal", ids["revoked"])
    assert [people.state(ids[number]) for number in ("agreed", "refused", "stopped", "waiting", "revoked")] == [
        0,
        0,
        15,
        4,
        5,
    ]
    assert people.state("-1") is None
    assert await verdicts(oa) == {
        "agreed": "approved", "refused": "rejected", "stopped": "withdrawn", "waiting": "submitted", "back": "draft",
        "repealed": "draft", "revoked": "withdrawn", "draft": "draft",
    }  # fmt: skip


async def test_news_is_written_while_the_flow_waits_for_us_and_closing_twice_is_once(oa, people):
    flow = people.ask("wang", "PR-1", [LINE])
    news = {"summaryId": flow, "form": {"main": {"采购订单号": "PO-7", "采购状态": "ordered"}}}
    async with hub(oa) as connector:
        with pytest.raises(Rejected, match="不能修改表单"):
            await connector.send("order_update", "create", news, reference="N", key="k")
        people.decide("li", flow)
        assert await verdicts(oa) == {"PR-1": "approved"}
        for operation in ("create", "create", "close", "close"):
            assert (await connector.send("order_update", operation, news, reference="N", key="k")).their_id == flow
    assert oa.documents("request")[0]["main"]["采购订单号"] == "PO-7"
    assert people.state(flow) == 0


def test_ids_are_signed_and_longer_than_a_float_holds(people):
    flow = people.ask("wang", "PR-1", [LINE])
    assert int(flow) < -(2**53)
    with pytest.raises(PlantRefused, match="模板不存在"):
        people.call("wang", "bpm/process/start", {"appName": "collaboration", "data": {"templateCode": "X"}})
