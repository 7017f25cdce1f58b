"""The real OA (Roundup with our own schema) and the hub's product for it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from include.plant.emulators.crm_people import PlantRefused
from include.plant.roundup import RoundupPeople, RoundupServer
from tests.conftest import free_port
from throughline.connectors.contract import Connection, Connector
from throughline.connectors.registry import open_connector
from throughline.errors import InDoubt, Misconfigured, Rejected, Transient

HOME = Path(os.environ.get("THROUGHLINE_PLANT_HOME", Path(__file__).parents[3] / ".plant"))
PASSWORD = "plant-Passw0rd-2026"
LINE = {"line": "10", "item": "RM-001", "quantity": "20", "unit": "pcs", "price": "12.00"}


@pytest.fixture(scope="module")
def oa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoundupServer]:
    server = RoundupServer(HOME, free_port(), tracker=tmp_path_factory.mktemp("roundup") / "tracker")
    server.prepare(password=PASSWORD)
    server.prepare(password=PASSWORD)
    process = server.start()
    try:
        deadline = time.monotonic() + 60
        while not server.ready():
            assert process.poll() is None, (server.directory / "server.log").read_text()
            assert time.monotonic() < deadline, "Roundup did not start within 60 s"
            time.sleep(0.05)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@pytest.fixture
def people(oa: RoundupServer) -> Iterator[RoundupPeople]:
    made = RoundupPeople(oa.address, PASSWORD)
    yield made
    made.close()


def hub(oa: RoundupServer, password: str = PASSWORD, **road: Any) -> Connector:
    return open_connector("roundup", "oa", Connection("oa", oa.address, "hub", password, {"web": oa.web}), **road)


async def changes(oa: RoundupServer, cursor: Any = None) -> tuple[dict[str, Any], Any]:
    found: dict[str, Any] = {}
    async with hub(oa) as connector:
        async for page in connector.changes("purchase_requisition", cursor):
            cursor = page.cursor
            found |= {record.number: record.raw for record in page.records if record.number}
    return found, cursor


async def test_only_the_approver_decides_and_the_state_graph_is_enforced(oa, people):
    request = people.ask("wang", "PR-1", [LINE])
    for who, state in (("wang", "approved"), ("zhao", "approved"), ("li", "closed"), ("li", "withdrawn")):
        with pytest.raises(PlantRefused, match=r"may decide|not allowed|only who asked"):
            people.move(who, request, state)
    people.move("li", request, "approved")
    with pytest.raises(PlantRefused, match="not allowed"):
        people.move("li", request, "rejected")
    others = {state: people.ask("wang", f"PR-1-{state}", [LINE]) for state in ("rejected", "draft")}
    for state, key in others.items():
        people.move("li", key, state)
    people.move("wang", people.ask("wang", "PR-1-withdrawn", [LINE]), "withdrawn")
    found, _ = await changes(oa)
    told = {number: row["status"]["name"] for number, row in found.items() if number.startswith("PR-1")}
    assert told == {
        "PR-1": "approved",
        "PR-1-rejected": "rejected",
        "PR-1-draft": "draft",
        "PR-1-withdrawn": "withdrawn",
    }
    assert found["PR-1"]["lines"] == [LINE]
    with pytest.raises(PlantRefused, match="nobody to approve"):
        people.ask("zhao", "PR-2", [LINE])


async def test_a_request_is_made_once_and_the_hub_cannot_approve_its_own(oa, people):
    payload = {"currency": "CNY", "lines": [LINE]}
    async with hub(oa) as connector:
        assert await connector.find("purchase_requisition", "PR-3") is None
        made = [
            await connector.send("purchase_requisition", "create", payload, reference="PR-3", key="k") for _ in range(2)
        ]
        assert made[0] == made[1] == await connector.find("purchase_requisition", "PR-3")
    with pytest.raises(PlantRefused, match="only the approver"):
        people.move("hub", made[0].their_id, "approved")
    assert people.seen("li", made[0].their_id)["external_id"] == "PR-3"


class Twice(httpx.AsyncBaseTransport):
    """A line that passes a creation on twice and loses the first answer."""

    def __init__(self) -> None:
        self._road = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if "@poe/" in request.url.path:
            await (await self._road.handle_async_request(request)).aread()
        return await self._road.handle_async_request(request)


async def test_a_line_that_repeats_a_request_makes_one_all_the_same(oa):
    async with hub(oa, transport=Twice()) as connector:
        with pytest.raises(InDoubt, match="POE token"):
            await connector.send("purchase_requisition", "create", {"lines": [LINE]}, reference="PR-4", key="k")
        assert await connector.find("purchase_requisition", "PR-4") is not None
    found, _ = await changes(oa)
    assert [number for number in found if number == "PR-4"] == ["PR-4"]


class ChangedMeanwhile(httpx.AsyncBaseTransport):
    """Somebody else is quicker, once."""

    def __init__(self, act: Any) -> None:
        self._road, self._act = httpx.AsyncHTTPTransport(), act

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH" and self._act:
            self._act()
            self._act = None
        return await self._road.handle_async_request(request)


async def test_news_never_overwrites_what_somebody_wrote_meanwhile(oa, people):
    request = people.ask("wang", "PR-5", [LINE])
    news = {"id": request, "erp_order": "PO-7", "erp_status": "ordered"}
    road = ChangedMeanwhile(lambda: people.move("li", request, "approved"))
    async with hub(oa, transport=road) as connector:
        with pytest.raises(Transient, match="retry modification"):
            await connector.send("order_update", "create", news, reference="N", key="k")
        assert people.seen("li", request)["erp_order"] is None
        for operation in ("create", "create", "close", "close"):
            await connector.send("order_update", operation, news, reference="N", key="k")
        with pytest.raises(Rejected, match="nosuch"):
            await connector.send("order_update", "create", {"id": request, "nosuch": "1"}, reference="N", key="k")
    found, _ = await changes(oa)
    assert (found["PR-5"]["status"]["name"], found["PR-5"]["erp_order"]) == ("closed", "PO-7")


async def test_changes_come_again_by_whole_seconds_and_a_wrong_password_names_the_connection(oa, people):
    request = people.ask("wang", "PR-6", [LINE])
    _, cursor = await changes(oa)
    people.move("li", request, "approved")
    found, _ = await changes(oa, cursor)
    assert found["PR-6"]["status"]["name"] == "approved"
    async with hub(oa, password="wrong") as connector:
        with pytest.raises(Misconfigured, match="connection oa"):
            await connector.test()
    async with hub(oa) as connector:
        assert oa.address in await connector.test()
