"""Every fault does what its name says: what the client sees, and what really happened."""

from __future__ import annotations

import time

import httpx
import pytest

from include.plant.emulators.clients import MesPeople
from tests.unit.plant.test_wms_emulator import asn, call, form


def put(wms, number="ASN-1", timeout=5.0):
    return httpx.post(wms.url + "/datahubjson/FluxWmsJsonApi/", data=form("putASN", asn(number)), timeout=timeout)


def there(wms):
    return [row["docNo"] for row in wms.documents("asn")]


def test_timeout_before_carries_nothing_out(wms):
    wms.faults({"match": {"method": "putASN"}, "kind": "timeout_before", "seconds": 10})
    with pytest.raises(httpx.ReadTimeout):
        put(wms, timeout=0.3)
    assert there(wms) == []
    assert put(wms).json()["Response"]["return"]["returnFlag"] == "1", "the rule strikes once"


def test_timeout_after_carries_it_out_and_loses_the_answer(wms):
    wms.faults({"match": {"method": "putASN"}, "kind": "timeout_after", "seconds": 0.2})
    begun = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        put(wms)
    assert time.monotonic() - begun >= 0.2
    assert there(wms) == ["ASN-1"]


def test_late_carries_it_out_after_the_client_gave_up(wms):
    wms.faults({"match": {"method": "putASN"}, "kind": "late", "seconds": 0.6})
    with pytest.raises(httpx.ReadTimeout):
        put(wms, timeout=0.2)
    time.sleep(0.2)
    assert there(wms) == []
    deadline = time.monotonic() + 5
    while there(wms) != ["ASN-1"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_errors_before_and_after(wms):
    wms.faults({"kind": "error_5xx"}, {"kind": "error_5xx_after", "status": 502})
    assert put(wms).status_code == 503
    assert there(wms) == []
    assert put(wms).status_code == 502
    assert there(wms) == ["ASN-1"]


def test_too_many_calls_in_two_styles(wms):
    wms.faults({"kind": "rate_limited", "retry_after": 2}, {"kind": "rate_limited"},
               {"kind": "rate_limited", "style": "vendor"})  # fmt: skip
    first, second, third = put(wms), put(wms), put(wms)
    assert (first.status_code, first.headers["retry-after"]) == (429, "2")
    assert (second.status_code, "retry-after" in second.headers) == (429, False)
    assert (third.status_code, third.json()["Response"]["return"]["returnCode"]) == (200, "S429")
    assert there(wms) == []


def test_slow_is_still_an_answer(wms):
    wms.faults({"kind": "slow", "seconds": 0.3})
    begun = time.monotonic()
    assert put(wms).json()["Response"]["return"]["returnFlag"] == "1"
    assert time.monotonic() - begun >= 0.3


@pytest.mark.parametrize(("kind", "result"), [("reset", []), ("reset_after", ["ASN-1"])])
def test_a_reset_connection(wms, kind, result):
    wms.faults({"kind": kind})
    with pytest.raises(httpx.ReadError):
        put(wms)
    assert there(wms) == result


def test_a_login_page_instead_of_an_answer(wms):
    wms.faults({"kind": "html_200"})
    answer = put(wms)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<html>" in answer.text
    assert there(wms) == []


def test_rules_choose_their_calls(wms, mes):
    wms.faults({"kind": "error_5xx", "match": {"contains": "ASN-2"}, "skip": 1, "times": 2})
    assert [put(wms, n).status_code for n in ("ASN-1", "ASN-2", "ASN-2", "ASN-2", "ASN-2")] == [200, 200, 503, 503, 200]
    mes.faults({"kind": "error_5xx", "match": {"path": "/mfg/open/v1/work_order/_create"}, "times": None})
    people = MesPeople(mes.url)
    people.work_orders()
    for _ in range(3):
        with pytest.raises(httpx.HTTPStatusError):
            people.call("work_order/_create", {})
    httpx.delete(mes.url + "/_plant/faults")
    people.call("work_order/_create", {"code": "W", "materialCode": "FG-100", "plannedAmount": "1"})
    people.close()


def test_a_share_of_calls_is_drawn_the_same_way_each_time(wms):
    def pattern():
        wms.reset()
        wms.faults({"kind": "error_5xx", "times": None, "share": 0.5, "seed": 4})
        return [put(wms, f"A{n}").status_code for n in range(20)]

    first = pattern()
    assert first == pattern()
    assert 4 <= first.count(503) <= 16


def test_a_wrong_rule_is_refused(wms):
    for rule in ({"kind": "earthquake"}, {"kind": "slow", "sekonds": 1}):
        answer = httpx.post(wms.url + "/_plant/faults", json={"rules": [rule]})
        assert answer.status_code == 400
        assert answer.json()["message"]


def test_the_state_counts_what_happened(wms):
    wms.faults({"kind": "timeout_after", "seconds": 0})
    with pytest.raises(httpx.RemoteProtocolError):
        put(wms)
    call(wms, "putASN", asn("ASN-2"))
    calls = wms.calls()
    assert (calls["putASN received"], calls["putASN carried out"], calls["putASN timeout_after"]) == (2, 2, 1)
