"""The SRM emulator (携客云) against its vendor's protocol, and what the hub's product makes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from include.plant.emulators.clients import PlantRefused, SupplierPeople
from tests.contracts.specimens import srm_order
from tests.unit.plant.conftest import Emulator, shared
from throughline.connectors.contract import Connection, Connector
from throughline.connectors.mechanisms.http.outgoing import Outgoing
from throughline.connectors.products.xieke_srm.signer import sign
from throughline.connectors.registry import open_connector
from throughline.errors import RateLimited, Rejected

xieke_srm_process = shared("xieke_srm")
EXTRA: dict[str, Any] = {"company_code": "HDJX", "erp_code": "ERP", "limits": {"rate": None}}


@pytest.fixture
def srm(xieke_srm_process: Emulator) -> Emulator:
    xieke_srm_process.reset()
    xieke_srm_process.act("settings", rate_calls=0)
    return xieke_srm_process


@pytest.fixture
def supplier(srm: Emulator) -> Iterator[SupplierPeople]:
    made = SupplierPeople(srm.url)
    yield made
    made.close()


def hub(srm: Emulator) -> Connector:
    return open_connector(
        "xieke_srm", "srm", Connection("srm", srm.url, "plant-srm-key", "plant-xieke_srm-secret", EXTRA)
    )


async def confirmations(connector: Connector, cursor: Any = None) -> tuple[dict[str, Any], Any]:
    found = {}
    async for page in connector.changes("supplier_confirmation", cursor):
        cursor = page.cursor
        found |= {record.number: record.raw for record in page.records}
    return found, cursor


def test_the_signature_is_the_vendors_formula():
    connection = Connection("srm", "http://x", "key", "s", {"company_code": "OWN", "operate_company_code": "OPER"})
    outgoing = Outgoing("POST", "/x.json", {}, {}, {"erpCode": "E"}, "json")
    sign(connection, outgoing, datetime.fromtimestamp(1757548800, UTC), {})
    common = outgoing.body["commonParam"]
    assert common["sign"] == hashlib.md5(b"key:OPER:OWN:1757548800:s").hexdigest()  # noqa: S324
    assert (common["timestamp"], common["timestamps"], outgoing.body["body"]) == (
        1757548800000,
        1757548800,
        {"erpCode": "E"},
    )


def test_a_wrong_signature_is_refused_with_http_200(srm):
    connection = Connection("srm", srm.url, "plant-srm-key", "wrong", EXTRA)
    outgoing = Outgoing("POST", "/compVendor/confirmList.json", {}, {}, {}, "json")
    sign(connection, outgoing, datetime.now(UTC), {})
    answer = httpx.post(srm.url + outgoing.path, json=outgoing.body)
    assert (answer.status_code, answer.json()["result"], answer.json()["errorCode"]) == (200, 9, 900101)


async def test_one_call_for_each_address_in_half_a_minute(srm):
    srm.act("settings", rate_calls=1)
    async with hub(srm) as connector:
        await connector.test()
        with pytest.raises(RateLimited) as caught:
            await connector.test()
        assert caught.value.retry_after == 30
        assert await connector.find("purchase_order", "PO-1") is None, "another address has a turn of its own"


async def test_an_order_is_confirmed_as_asked_or_differs_and_the_buyer_decides(srm, supplier):
    async with hub(srm) as connector:
        for number in ("PO-1", "PO-2", "PO-3", "PO-4"):
            await connector.send("purchase_order", "create", srm_order(None, number), reference=number, key=number)
        supplier.confirm("PO-1")
        supplier.confirm("PO-2", [{"poLineErpNo": "10", "confirmQty": "15"}])
        supplier.decline("PO-3")
        found, cursor = await confirmations(connector)
        assert {number: row["orderStatus"] for number, row in found.items()} == {
            "PO-1-A1": 5,
            "PO-2-A1": 2,
            "PO-3-A1": 13,
        }
        answer = {"answerNo": "PO-2-A1", "poErpNo": "PO-2", "accept": "0"}
        for _ in range(2):
            await connector.send("supplier_confirmation", "send_back", answer, reference="PO-2-A1", key="k")
        supplier.confirm("PO-2", [{"poLineErpNo": "10", "confirmQty": "18"}])
        with pytest.raises(Rejected, match="PO-2-A2"):
            await connector.send("supplier_confirmation", "accept", answer, reference="PO-2-A1", key="k2")
        better = answer | {"answerNo": "PO-2-A2", "accept": "1"}
        for _ in range(2):
            await connector.send("supplier_confirmation", "accept", better, reference="PO-2-A2", key="k3")
        found, _ = await confirmations(connector, cursor)
    assert {number: row["orderStatus"] for number, row in found.items() if number > "PO-2-A1"} == {
        "PO-2-A2": 5,
        "PO-3-A1": 13,
    }
    assert found["PO-2-A2"]["lines"][0]["confirmQty"] == "18"


async def test_a_change_asks_the_supplier_again_and_the_same_change_does_not(srm, supplier):
    async with hub(srm) as connector:
        await connector.send("purchase_order", "create", srm_order(None, "PO-1"), reference="PO-1", key="c")
        supplier.confirm("PO-1")
        changed = srm_order(None, "PO-1")
        changed["lines"][0]["qty"] = "30"
        for _ in range(2):
            await connector.send("purchase_order", "change", changed, reference="PO-1", key="c2")
        assert supplier.orders()[0]["_status"] == "4"
        supplier.confirm("PO-1")
        await connector.send("purchase_order", "change", changed, reference="PO-1", key="c2")
        assert supplier.orders()[0]["_status"] == "5"
        for _ in range(2):
            await connector.send("purchase_order", "cancel", {"poErpNo": "PO-1"}, reference="PO-1", key="x")
        with pytest.raises(Rejected, match="PO-1"):
            await connector.send("purchase_order", "change", srm_order(None, "PO-1"), reference="PO-1", key="c3")
    with pytest.raises(PlantRefused, match="PO-1"):
        supplier.confirm("PO-1")


async def test_an_order_without_an_answer_says_so_and_is_not_told(srm):
    async with hub(srm) as connector:
        await connector.send("purchase_order", "create", srm_order(None, "PO-1"), reference="PO-1", key="c")
        assert (await confirmations(connector))[0] == {}
    connection = Connection("srm", srm.url, "plant-srm-key", "plant-xieke_srm-secret", EXTRA)
    outgoing = Outgoing(
        "POST", "/purchase/answer.json", {}, {}, {"poErpNo": "PO-1", "innerVendorCode": "V-2001"}, "json"
    )
    sign(connection, outgoing, datetime.now(UTC), {})
    assert httpx.post(srm.url + outgoing.path, json=outgoing.body).json()["errorCode"] == 300115


async def test_quantities_that_are_none_are_refused(srm):
    async with hub(srm) as connector:
        for wrong in ({"qty": "0"}, {"qty": "-1"}, {"qty": "many"}, {"price": "-1"}):
            payload = srm_order(None, "PO-9")
            payload["lines"][0] |= wrong
            with pytest.raises(Rejected, match="数量或单价"):
                await connector.send("purchase_order", "create", payload, reference="PO-9", key="k")
