"""FLUX's signature and messages, by worked examples."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.http.outgoing import Outgoing
from throughline.connectors.products.flux import inbound
from throughline.connectors.products.flux.signer import sign, signature, signed_by
from throughline.errors import Invalid

DATA = '{"xmldata":{"header":[{"docNo":"单-1"}]}}'


def test_the_signature_is_the_vendors_formula():
    digest = hashlib.md5(f"s{DATA}s".encode()).hexdigest()  # noqa: S324
    plain = base64.b64encode(digest.encode()).decode()
    assert signature("s", DATA) == quote(plain.upper(), safe="")
    assert signature("s", DATA, upper=False) == quote(plain, safe="")
    assert signature("s", DATA) != signature("t", DATA)


def test_a_site_may_not_upper_case():
    extra = {"customer_id": "HDJX", "client_db": "DB", "apptoken": "t", "sign_upper": False}
    connection = Connection("wms", "http://x", "key", "s", extra)
    assert signed_by(connection, DATA, signature("s", DATA, upper=False))
    assert not signed_by(connection, DATA, signature("s", DATA))
    assert not signed_by(connection, DATA, "")
    assert not signed_by(connection, DATA, "签名")
    outgoing = Outgoing("POST", "/", {}, {}, {"messageid": "ASN", "data": DATA}, "form_json", "putASN")
    sign(connection, outgoing, datetime(2026, 11, 23, 8, tzinfo=UTC), {"upper": True})
    assert outgoing.body["sign"] == signature("s", DATA, upper=False)
    assert outgoing.body["timestamp"] == "2026-11-23 16:00:00"
    assert (outgoing.body["method"], outgoing.body["appkey"]) == ("putASN", "key")


def test_a_message_of_several_documents_is_one_message():
    body = b'{"xmldata":{"data":[{"DeliveryNo":"D1","shippedTime":"2026-11-23 16:00:00"},{"DeliveryNo":"D2"}]}}'
    kind, message_id = inbound.identify({}, body, {"method": "confirmSOData"})
    assert kind == "confirmSOData"
    assert message_id.startswith("confirmSOData:D1+1:")
    first, second = inbound.parse(kind, body)
    assert (first.document, first.their_id, second.their_id) == ("shipment", "D1", "D2")
    assert first.changed_at == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert second.changed_at is None


def test_quantities_stay_exact_and_a_single_document_needs_no_list():
    body = b'{"xmldata":{"data":{"WMSReceiptNo":"R1","details":[{"receivedQty":1.10}]}}}'
    [receipt] = inbound.parse("confirmASNData", body)
    assert str(receipt.raw["details"][0]["receivedQty"]) == "1.10"
    with pytest.raises(Invalid, match="DeliveryNo"):
        inbound.parse("confirmSOData", body)
