"""The FLUX emulator against its vendor's protocol; signatures are calculated here independently."""

from __future__ import annotations

import base64
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote_plus

import httpx
import pytest

from include.plant.emulators.flux_signature import sign

SECRET = "plant-flux-secret"
PLACE = {"warehouseId": "WH01", "customerId": "HDJX"}


def signature(data, secret=SECRET):
    digest = hashlib.md5((secret + data + secret).encode(), usedforsecurity=False).hexdigest()
    return quote_plus(base64.b64encode(digest.encode("ascii")).decode("ascii").upper())


def form(method, data, **changes):
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    fields = {
        "method": method, "client_customerid": "HDJX", "client_db": "FLUXWMSJSON", "messageid": "X",
        "apptoken": "plant-wms-token", "appkey": "plant-wms-key", "timestamp": "2026-11-23 15:00:00",
        "sign": signature(text), "format": "json", "data": text,
    }  # fmt: skip
    return fields | changes


def call(wms, method, data, **changes):
    response = httpx.post(wms.url + "/datahubjson/FluxWmsJsonApi/", data=form(method, data, **changes))
    assert response.status_code == 200
    return response.json()["Response"]["return"]


def asn(number="ASN-1", quantity="10", **more):
    line = {"lineNo": "1", "sku": "FG-100", "expectedQty": quantity, "lotAtt04": "L1", "userDefine1": "u"}
    header = {**PLACE, "asnType": "FG", "docNo": number, "asnReferenceA": "WO-1", "details": [line], **more}
    return {"xmldata": {"header": [header]}}


def order(number="OUT-1", quantity="10", **more):
    line = {"lineNo": "1", "sku": "FG-100", "qtyOrdered": quantity, "userDefine1": "10"}
    header = {**PLACE, "orderType": "SO", "docNo": number, "consigneeName": "青岛", "details": [line], **more}
    return {"xmldata": {"header": [header]}}


def cancel(number, kind="SO"):
    return {"data": {"ordernos": {**PLACE, "docNo": number, "orderType": kind, "erpCancelReason": "x"}}}


def header(**fields):
    return {"data": {"header": {**PLACE, **fields}}}


def stock(wms, sku="FG-100"):
    row = call(wms, "queryInventory", header(sku=sku))["resultInfo"][0]
    return row["qty"], row["qtyAllocated"], row["qtyAvailable"]


def code(answer):
    assert answer["returnFlag"] == "0", answer
    return answer["resultInfo"][0]["errorcode"]


def test_the_signature_is_what_md5sum_and_base64_make_of_it():
    # printf '%s' '1234567890{"a":"一"}1234567890' | md5sum | cut -c1-32 | tr -d '\n' | base64 | tr a-z A-Z
    assert sign("1234567890", '{"a":"一"}') == "YZG0MTFMMJUZYMM1ZMFHZJQYYJI1OWFMZJCZNMFHOWY%3D"
    assert signature('{"a":"一"}', "1234567890") == "YZG0MTFMMJUZYMM1ZMFHZJQYYJI1OWFMZJCZNMFHOWY%3D"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"appkey": "x"}, "S002"), ({"apptoken": "x"}, "S002"), ({"client_customerid": "x"}, "S002"),
     ({"client_db": "x"}, "S002"), ({"sign": "test"}, "S003"), ({"sign": ""}, "S003"),
     ({"timestamp": "yesterday"}, "S005")],
)  # fmt: skip
def test_wrong_keys_and_signatures_are_refused(wms, changes, expected):
    answer = call(wms, "putASN", asn(), **changes)
    assert (answer["returnFlag"], answer["returnCode"]) == ("0", expected)
    assert wms.documents("asn") == []


def test_a_signature_must_be_url_encoded_upper_case_and_over_the_exact_text(wms):
    text = json.dumps(asn())
    right = signature(text)
    for wrong in (right.replace("%3D", "="), right.lower(), signature(json.dumps(asn(), indent=1))):
        assert call(wms, "putASN", text, sign=wrong)["returnCode"] == "S003"
    assert call(wms, "putASN", text, sign=right)["returnFlag"] == "1"


def test_the_newer_style_carries_everything_but_the_data_in_the_address(wms):
    fields = form("putASN", asn())
    text = fields.pop("data")
    answer = httpx.post(wms.url + "/datahub/FluxWmsJsonApi", params=fields, content=text.encode())
    assert answer.json()["Response"]["return"]["returnFlag"] == "1"


def test_a_skewed_clock_is_refused_when_the_site_checks_it(start):
    emulator = start("flux", max_skew_seconds=60)
    assert call(emulator, "putASN", asn(), timestamp="2001-01-01 00:00:00")["returnCode"] == "S006"


def test_a_document_number_is_accepted_once(wms):
    made = call(wms, "putASN", asn())
    assert (made["returnCode"], made["returnFlag"], made["resultInfo"][0]["docNo"]) == ("0000", "1", "ASN-1")
    assert code(call(wms, "putASN", asn())) == "DUPLICATE"
    assert call(wms, "putSalesOrder", order())["returnFlag"] == "1"
    assert code(call(wms, "putSalesOrder", order(quantity="3"))) == "DUPLICATE"
    assert len(wms.documents("asn")) == len(wms.documents("outbound_order")) == 1
    found = call(wms, "querySO", header(docNo="OUT-1"))["resultInfo"]
    assert [(row["docNo"], row["status"], row["details"][0]["qtyOrdered"]) for row in found] == [("OUT-1", "00", "10")]
    assert call(wms, "queryASN", header(docNo="nothing"))["resultInfo"] == []


def test_one_refused_document_does_not_hold_up_the_others(wms):
    both = {"xmldata": {"header": [asn("A")["xmldata"]["header"][0], asn("B", "zero")["xmldata"]["header"][0]]}}
    answer = call(wms, "putASN", both)
    assert answer["returnFlag"] == "2"
    assert [(row["docNo"], row["errorcode"]) for row in answer["resultInfo"]] == [("B", "BAD_QTY")]
    assert [row["docNo"] for row in wms.documents("asn")] == ["A"]


def test_wrong_documents_are_refused_and_unknown_fields_ignored(wms):
    assert code(call(wms, "putASN", asn(warehouseId="WH99"))) == "NO_PLACE"
    assert code(call(wms, "putASN", asn(details=[{"lineNo": "1", "sku": "X", "expectedQty": 1}]))) == "SKU_NOT_FOUND"
    assert code(call(wms, "putASN", asn(details=[]))) == "REQUIRED"
    assert call(wms, "putNothing", asn())["returnCode"] == "0001"
    assert call(wms, "putASN", "{half")["returnCode"] == "S004"
    assert call(wms, "putASN", asn(colour="red"))["returnFlag"] == "1"
    assert "colour" not in wms.documents("asn")[0]
    assert call(wms, "putSKU", {"xmldata": {"header": [{**PLACE, "sku": "NEW", "descr": "新"}]}})["returnFlag"] == "1"
    assert stock(wms, "NEW") == ("0", "0", "0")


def test_goods_come_in_in_parts(wms):
    call(wms, "putASN", asn())
    wms.act("receive", docNo="ASN-1", lines=[{"lineNo": "1", "qty": "4"}]).raise_for_status()
    assert stock(wms) == ("4", "0", "4")
    assert code(call(wms, "cancelASN", cancel("ASN-1", "FG"))) == "RECEIVED"
    assert wms.act("receive", docNo="ASN-1", lines=[{"lineNo": "1", "qty": "7"}]).json()["code"] == "OVER_RECEIPT"
    wms.act("receive", docNo="ASN-1").raise_for_status()
    assert call(wms, "queryASN", header(docNo="ASN-1"))["resultInfo"][0]["status"] == "99"
    assert wms.act("receive", docNo="ASN-1").status_code == 409
    assert [r["details"][0]["receivedQty"] for r in wms.documents("receipt")] == ["4", "6"]


def test_goods_go_out_in_parts_and_only_what_is_there(wms):
    call(wms, "putSalesOrder", order())
    assert wms.act("ship", docNo="OUT-1").json()["code"] == "NO_STOCK"
    call(wms, "putASN", asn(quantity="12"))
    wms.act("receive", docNo="ASN-1")
    assert stock(wms) == ("12", "10", "2")
    wms.act("ship", docNo="OUT-1", lines=[{"lineNo": "1", "qty": "4"}]).raise_for_status()
    assert stock(wms) == ("8", "6", "2")
    assert code(call(wms, "cancelSO", cancel("OUT-1"))) == "SHIPPED"
    assert code(call(wms, "putSalesOrder", order(quantity="3", action="UPDATE"))) == "BELOW_SHIPPED"
    assert call(wms, "putSalesOrder", order(quantity="7", action="UPDATE"))["returnFlag"] == "1"
    assert stock(wms) == ("8", "3", "5")
    wms.act("ship", docNo="OUT-1").raise_for_status()
    assert [s["lastShipment"] for s in wms.documents("shipment")] == ["N", "Y"]
    assert code(call(wms, "putSalesOrder", order(quantity="9", action="UPDATE"))) == "NOT_OPEN"
    assert stock(wms) == ("5", "0", "5")


def test_a_last_shipment_ends_an_order_short(wms):
    call(wms, "putSalesOrder", order(details=[{"lineNo": "1", "sku": "RM-001", "qtyOrdered": "5"}]))
    wms.act("ship", docNo="OUT-1", lines=[{"lineNo": "1", "qty": "2"}], last=True).raise_for_status()
    assert call(wms, "querySO", header(docNo="OUT-1"))["resultInfo"][0]["status"] == "99"
    assert stock(wms, "RM-001") == ("9998", "0", "9998")


def test_cancelling_gives_the_demand_back(wms):
    call(wms, "putSalesOrder", order(details=[{"lineNo": "1", "sku": "RM-001", "qtyOrdered": "5"}]))
    assert stock(wms, "RM-001") == ("10000", "5", "9995")
    for _ in range(2):
        assert call(wms, "cancelSO", cancel("OUT-1"))["returnFlag"] == "1"
    assert stock(wms, "RM-001") == ("10000", "0", "10000")
    assert wms.act("ship", docNo="OUT-1").status_code == 409
    assert code(call(wms, "putSalesOrder", order())) == "DUPLICATE"
    assert code(call(wms, "cancelSO", cancel("nothing"))) == "NOT_FOUND"


def test_the_same_number_from_many_at_once_makes_one_document(wms):
    with ThreadPoolExecutor(8) as pool:
        flags = [a["returnFlag"] for a in pool.map(lambda _: call(wms, "putSalesOrder", order()), range(24))]
    assert sorted(flags) == ["0"] * 23 + ["1"]
    assert len(wms.documents("outbound_order")) == 1


def test_state_survives_a_kill(start):
    emulator = start("flux")
    call(emulator, "putASN", asn())
    emulator.act("receive", docNo="ASN-1")
    emulator.kill()
    emulator.start()
    assert stock(emulator) == ("10", "0", "10")
    assert code(call(emulator, "putASN", asn())) == "DUPLICATE"
