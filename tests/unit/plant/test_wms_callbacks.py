"""FLUX tells the hub: signed, until it is heard, across a kill, with every prank the rules ask for."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from urllib.parse import quote_plus

import httpx

from tests.unit.plant.test_wms_emulator import asn, call, order

SECRET = "plant-flux-secret"


def rightly_signed(told):
    digest = hashlib.md5((SECRET + told["data"] + SECRET).encode(), usedforsecurity=False).hexdigest()
    return told["sign"] == quote_plus(base64.b64encode(digest.encode()).decode().upper())


def waiting(emulator):
    return [(m["method"], m["state"], m["attempts"]) for m in emulator.act("callbacks").json()["callbacks"]]


def settle(emulator, *expected, seconds=10):
    """Wait until the callbacks stand as expected (or in one of the ways that are as good)."""
    deadline = time.monotonic() + seconds
    while waiting(emulator) not in expected:
        assert time.monotonic() < deadline, waiting(emulator)
        time.sleep(0.05)


def received(emulator, number="ASN-1"):
    call(emulator, "putASN", asn(number))
    return emulator.act("receive", docNo=number).json()["number"]


def test_a_receipt_is_told_signed_and_once(start, receiver):
    emulator = start("flux", "--callback", receiver.url)
    number = received(emulator)
    told = receiver.wait_for(1)[0]
    assert told["path"] == "/inbound/wms"
    assert (told["method"], told["appkey"], told["client_customerid"]) == ("confirmASNData", "plant-wms-key", "HDJX")
    assert rightly_signed(told)
    document = json.loads(told["data"])["xmldata"]["data"][0]
    assert (document["docNo"], document["WMSReceiptNo"], document["status"]) == ("ASN-1", number, "99")
    assert (document["warehouseId"], document["customerId"]) == ("WH01", "HDJX")
    assert document["details"] == [
        {"lineNo": "1", "sku": "FG-100", "receivedQty": "10", "lotAtt04": "L1", "userDefine1": "u"}
    ]
    settle(emulator, [("confirmASNData", "accepted", 1)])
    time.sleep(0.3)
    assert len(receiver.heard) == 1


def test_a_shipment_tells_what_left(start, receiver):
    emulator = start("flux", "--callback", receiver.url)
    received(emulator)
    call(emulator, "putSalesOrder", order())
    emulator.act("ship", docNo="OUT-1", lines=[{"lineNo": "1", "qty": "3"}])
    told = next(t for t in receiver.wait_for(2) if t["method"] == "confirmSOData")
    document = json.loads(told["data"])["xmldata"]["data"][0]
    assert (document["OMSOrderNo"], document["lastShipment"], document["WarehouseID"]) == ("OUT-1", "N", "WH01")
    assert document["item"] == [{"lineNo": "1", "sku": "FG-100", "QtyShipped": "3", "lotAtt04": ""}]
    assert document["TrackingNo"]
    assert document["DeliveryNo"] == "DL00000001"


def test_it_repeats_until_the_envelope_says_ok(start, receiver):
    flag_zero = '{"Response":{"return":{"returnCode":"0001","returnFlag":"0","returnDesc":"no"}}}'
    receiver.answers = [(200, flag_zero), (500, "oops"), (200, "<html></html>"), (200, "success")]
    emulator = start("flux", "--callback", receiver.url, retry_first_seconds=0.05)
    received(emulator)
    heard = receiver.wait_for(5)
    settle(emulator, [("confirmASNData", "accepted", 5)])
    assert len({told["data"] for told in heard}) == 1
    assert all(rightly_signed(told) for told in heard)


def test_pauses_grow(start, receiver):
    receiver.answers = [(500, "")] * 4
    emulator = start("flux", "--callback", receiver.url, retry_first_seconds=0.1)
    begun = time.monotonic()
    received(emulator)
    receiver.wait_for(5)
    assert time.monotonic() - begun > 0.1 + 0.2 + 0.4 + 0.8


def test_what_was_not_heard_survives_a_kill(start, receiver):
    receiver.answers = [(503, "down")] * 2
    emulator = start("flux", "--callback", receiver.url, retry_first_seconds=0.4)
    number = received(emulator)
    receiver.wait_for(1)
    emulator.kill()
    emulator.start()
    last = receiver.wait_for(3)[-1]
    assert json.loads(last["data"])["xmldata"]["data"][0]["WMSReceiptNo"] == number
    # the kill may strike between an attempt and its being counted
    settle(emulator, [("confirmASNData", "accepted", 3)], [("confirmASNData", "accepted", 2)])


def test_nothing_is_lost_when_no_receiver_was_there_yet(start, receiver, tmp_path):
    emulator = start("flux", retry_first_seconds=0.1)
    received(emulator)
    assert waiting(emulator) == [("confirmASNData", "waiting", 0)]
    emulator.act("settings", callback=receiver.url)
    receiver.wait_for(1)


def test_duplicates_on_purpose(start, receiver):
    emulator = start("flux", "--callback", receiver.url)
    emulator.faults({"kind": "duplicate_callback", "match": {"method": "confirmASNData"}, "copies": 2})
    received(emulator)
    heard = receiver.wait_for(3)
    assert len({told["data"] for told in heard}) == 1
    received(emulator, "ASN-2")
    receiver.wait_for(4)
    time.sleep(0.2)
    assert len(receiver.heard) == 4, "the rule strikes once"


def test_a_forged_and_a_broken_message_are_followed_by_the_good_one(start, receiver):
    emulator = start("flux", "--callback", receiver.url, retry_first_seconds=0.05)
    emulator.faults({"kind": "bad_signature_callback"}, {"kind": "malformed_callback"})
    received(emulator)
    forged, broken, good = receiver.wait_for(3)
    assert not rightly_signed(forged)
    assert rightly_signed(broken)
    assert broken["data"] == good["data"][: len(good["data"]) // 2]
    assert rightly_signed(good)
    settle(emulator, [("confirmASNData", "accepted", 3)])


def test_a_refused_act_tells_nobody(start, receiver):
    emulator = start("flux", "--callback", receiver.url)
    call(emulator, "putSalesOrder", order())
    refusal = emulator.act("ship", docNo="OUT-1")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "NO_STOCK")
    assert waiting(emulator) == []
    assert httpx.post(emulator.url + "/_plant/act", json={"do": "dance"}).status_code == 409
