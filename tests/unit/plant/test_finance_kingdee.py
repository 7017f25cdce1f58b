"""The finance emulator (Kingdee Cloud) against its protocol, judged by the vendor's own SDK; and our product."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from k3cloud_webapi_sdk.core import webapi_client
from k3cloud_webapi_sdk.main import K3CloudApiSdk

from include.plant.emulators.clients import FinancePeople, PlantRefused
from tests.contracts.specimens import pay_apply
from tests.unit.plant.conftest import Emulator, shared
from throughline.connectors.contract import Connection, Connector
from throughline.connectors.mechanisms.http.outgoing import Outgoing
from throughline.connectors.products.kingdee_cloud.signer import sign
from throughline.connectors.registry import open_connector
from throughline.errors import InDoubt, Rejected

kingdee_cloud_process = shared("kingdee_cloud")
APP, SECRET = "plant_" + "A" * 32, "plant-kingdee_cloud-secret"
LINE = {"item": "RM-001", "quantity": "20", "price": "12.00", "order": "PO-1", "order_line": 10}
SERVICE = "/k3cloud/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService."


@pytest.fixture
def erp(kingdee_cloud_process: Emulator) -> Emulator:
    kingdee_cloud_process.reset()
    kingdee_cloud_process.act(
        "settings", clock_offset_seconds=-5
    )  # what changed in this very second comes with the next
    return kingdee_cloud_process


@pytest.fixture
def people(erp: Emulator) -> Iterator[FinancePeople]:
    made = FinancePeople(erp.url)
    yield made
    made.close()


@pytest.fixture
def sdk(erp: Emulator) -> K3CloudApiSdk:
    made = K3CloudApiSdk(f"{erp.url}/k3cloud")
    made.InitConfig("acct0000000001", "demo", APP, SECRET, f"{erp.url}/k3cloud")
    return made


def hub(erp: Emulator, **more: Any) -> Connector:
    connection = Connection("finance", erp.url, APP, SECRET, {"acct_id": "acct0000000001", "user_name": "hub"})
    return open_connector("kingdee_cloud", "finance", connection, **more)


def told(text: str) -> Any:
    return json.loads(text)


def test_our_signature_is_the_vendors_own(monkeypatch):
    """The vendor's published SDK 8.2.0 and our signer write the same headers; the figures are its test vector."""
    monkeypatch.setattr(webapi_client.time, "time", lambda: 1757548800.9)
    url = "http://erp.example.com/k3cloud/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.View.common.kdsvc"
    app, secret = "100001_" + "A" * 32, "0123456789abcdef" * 2
    theirs = K3CloudApiSdk("http://erp.example.com/k3cloud")
    theirs.InitConfig("acct0000000001", "demo", app, secret, "http://erp.example.com/k3cloud")
    wanted = {name.lower(): value for name, value in theirs.BuildHeader(url).items()}
    for host, path in (("http://erp.example.com", "/k3cloud/"), ("http://erp.example.com/k3cloud", "/")):
        connection = Connection("f", host, app, secret, {"acct_id": "acct0000000001", "user_name": "demo"})
        ours = Outgoing("POST", path + url.rsplit("/", 1)[1], {}, {}, {}, "json")
        sign(connection, ours, datetime.fromtimestamp(1757548800.9, UTC), {"language": 2052})
        assert {name.lower(): value for name, value in ours.headers.items()}.items() <= wanted.items()
        assert ours.headers["X-Api-Signature"].startswith("NTIxNTRlZTQ5M2FhM2E1MzM4MTZjZDdmMzUy")
        assert ours.headers["X-Kd-Signature"].startswith("NGI1YmU3MDhhMzc2M2I2MDdjZTQ0MTgy")


def test_the_vendors_sdk_talks_with_it(sdk):
    saved = told(sdk.Save("CN_PAYAPPLY", {"Model": {**pay_apply(None, "P-1"), "FPAYAMOUNTFOR_H": "1.00"}}))["Result"]
    assert (saved["ResponseStatus"]["IsSuccess"], saved["Number"]) == (True, "P-1")
    for step in (sdk.Submit, sdk.Audit):
        assert told(step("CN_PAYAPPLY", {"Numbers": ["P-1"]}))["Result"]["ResponseStatus"]["IsSuccess"] is True
    shown = told(sdk.View("CN_PAYAPPLY", {"Number": "P-1"}))["Result"]["Result"]
    assert (shown["BillNo"], shown["DocumentStatus"]) == ("P-1", "C")
    query = {"FormId": "CN_PAYAPPLY", "FieldKeys": "FBillNo,FDocumentStatus,FCONTACTUNIT.FNumber",
             "FilterString": "FDocumentStatus='C' AND (FBillNo='P-1' OR FBillNo like 'X%')"}  # fmt: skip
    assert told(sdk.ExecuteBillQuery(query)) == [["P-1", "C", "V-2001"]]
    assert told(sdk.BillQuery(query)) == [{"FBillNo": "P-1", "FDocumentStatus": "C", "FCONTACTUNIT.FNumber": "V-2001"}]


def test_a_number_is_accepted_once_and_without_one_every_save_is_another(sdk, erp):
    model = {"FCURRENCYID": {"FNumber": "PRE001"}}
    for _ in range(2):
        assert told(sdk.Save("CN_PAYAPPLY", {"Model": model}))["Result"]["ResponseStatus"]["IsSuccess"] is True
    assert len(erp.documents("CN_PAYAPPLY")) == 2
    assert told(sdk.Save("CN_PAYAPPLY", {"Model": model | {"FBillNo": "N"}}))["Result"]["ResponseStatus"]["IsSuccess"]
    again = told(sdk.Save("CN_PAYAPPLY", {"Model": model | {"FBillNo": "N"}}))["Result"]["ResponseStatus"]
    assert (again["IsSuccess"], "唯一" in again["Errors"][0]["Message"]) == (False, True)


def test_of_many_some_succeed(sdk):
    for number in ("S-1", "S-2"):
        sdk.Save("CN_PAYAPPLY", {"Model": {"FBillNo": number, "FCURRENCYID": {"FNumber": "PRE001"}}})
    sdk.Submit("CN_PAYAPPLY", {"Numbers": ["S-1"]})
    status = told(sdk.Audit("CN_PAYAPPLY", {"Numbers": ["S-1", "S-2", "S-3"]}))["Result"]["ResponseStatus"]
    assert status["IsSuccess"] is False
    assert [done["Number"] for done in status["SuccessEntitys"]] == ["S-1"]
    assert [error["DIndex"] for error in status["Errors"]] == [1, 2]


def test_errors_of_queries_come_inside_two_lists_and_a_lost_session_has_no_code_of_its_own(sdk, erp):
    (((wrapped,),)) = told(sdk.ExecuteBillQuery({"FormId": "AP_Payable", "FieldKeys": "FNoSuchField"}))
    assert "FNoSuchField" in wrapped["Result"]["ResponseStatus"]["Errors"][0]["Message"]
    unsigned = httpx.post(erp.url + SERVICE + "ExecuteBillQuery.common.kdsvc", json={"data": {"FormId": "AP_Payable"}})
    assert unsigned.status_code == 200
    assert "会话信息已丢失" in unsigned.json()[0][0]["Result"]["ResponseStatus"]["Errors"][0]["Message"]


def test_one_login_ends_the_other(erp, people):
    people.requests()
    assert erp.calls()["LoginByAppSecret received"] == 1
    other = FinancePeople(erp.url)
    other.requests()
    people.requests()
    assert erp.calls()["LoginByAppSecret received"] == 3, "thrown out, and in again"
    other.close()


def test_a_wrong_or_old_signature_is_refused(erp):
    connection = Connection("f", erp.url, APP, SECRET, {"acct_id": "acct0000000001", "user_name": "hub"})
    path = SERVICE + "View.common.kdsvc"
    for now, spoilt, words in (
        (datetime.now(UTC), {"X-Kd-Signature": base64.b64encode(b"x").decode()}, "签名校验失败"),
        (datetime.now(UTC), {"X-Api-Signature": "x"}, "签名校验失败"),
        (datetime(2026, 1, 1, tzinfo=UTC), {}, "签名已过期"),
    ):
        outgoing = Outgoing("POST", path, {}, {}, {}, "json")
        sign(connection, outgoing, now, {"language": 2052})
        answer = httpx.post(erp.url + path, json={}, headers={**outgoing.headers, **spoilt}).json()
        assert words in answer["Result"]["ResponseStatus"]["Errors"][0]["Message"]


async def test_a_request_half_made_is_not_found_and_goes_on_where_it_stopped(erp):
    async with hub(erp) as connector:
        for number, step in enumerate(("Save", "Submit", "Audit")):
            for fault in ("timeout_after", "reset", "error_5xx"):
                name = f"{step}-{fault}"
                rule = {"kind": fault, "match": {"method": f"CN_PAYAPPLY/{step}"}, "seconds": 0.1}
                erp.faults(rule)
                with pytest.raises(InDoubt):
                    await connector.send("payment_request", "create", pay_apply(None, name), reference=name, key="k")
                found = await connector.find("payment_request", name)
                assert (found is None) is not (fault == "timeout_after" and number == 2)
                made = await connector.send("payment_request", "create", pay_apply(None, name), reference=name, key="k")
                assert await connector.find("payment_request", name) == made
    bills = erp.documents("CN_PAYAPPLY")
    assert (len(bills), {bill["_status"] for bill in bills}) == (9, {"C"})


async def test_a_recall_is_once_and_a_recalled_request_is_not_made_again(erp):
    async with hub(erp) as connector:
        await connector.send("payment_request", "create", pay_apply(None, "P-1"), reference="P-1", key="k")
        for _ in range(2):
            await connector.send("payment_request", "cancel", {"FBillNo": "P-1"}, reference="P-1", key="c")
        with pytest.raises(Rejected, match="recalled"):
            await connector.send("payment_request", "create", pay_apply(None, "P-1"), reference="P-1", key="k")
    (bill,) = erp.documents("CN_PAYAPPLY")
    assert (bill["_status"], bill["FCancelStatus"]) == ("D", "B")


async def test_invoices_come_with_their_entries_and_a_corrected_one_comes_again(erp, people):
    number = people.key_in("V-2001", "INV-0441", [LINE, {"price": "5.00", "charge": "freight"}])
    async with hub(erp) as connector:
        pages = [page async for page in connector.changes("purchase_invoice", None)]
        (record,) = pages[-1].records
        people.reopen("AP_Payable", number)
        again = [page async for page in connector.changes("purchase_invoice", pages[-1].cursor)]
    assert (record.number, record.raw["FDocumentStatus"], record.raw["FSUPPLIERID"]) == (
        number,
        "C",
        {"FNumber": "V-2001"},
    )
    assert [(row["FSeq"], row["F_TL_Charge"], row["FORDERNUMBER"]) for row in record.raw["FEntityDetail"]] == [
        (1, "", "PO-1"), (2, "freight", ""),
    ]  # fmt: skip
    assert [each.raw["FDocumentStatus"] for page in again for each in page.records][-1] == "D"


async def test_a_bank_that_changed_is_told_with_who_changed_it(erp, people):
    people.change_bank("V-2001", "999", "小王")
    async with hub(erp) as connector:
        records = [one async for page in connector.changes("supplier", None) for one in page.records]
    banks = {record.number: (record.raw["F_TL_BankCode"], record.raw["F_TL_BankChangedBy"]) for record in records}
    assert banks == {"V-2001": ("999", "小王"), "V-2002": ("331001002002", None)}


def test_an_audited_bill_is_not_written_any_more(people):
    number = people.key_in("V-2001", "INV-1", [LINE])
    with pytest.raises(PlantRefused, match="已审核，不允许修改"):
        people.call("Save", {"formid": "AP_Payable", "data": {"Model": {"FID": 100007, "FBillNo": number}}})
