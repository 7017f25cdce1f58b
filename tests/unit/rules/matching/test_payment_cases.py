"""Cases 25 to 28 of procure to pay: prepayments, retention, instalments, discounts, bank accounts, requests."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rules.matching.buying import (
    bill_line,
    d,
    day,
    inv,
    invoice,
    judged,
    money,
    order,
    order_line,
    payment,
    receipt,
    request,
    supplier,
)
from throughline.canonical import MatchRelease
from throughline.rules.matching import State

GOODS = receipt("R1", 100)


def prepayment(number: str = "V1", net: object = 300, **more: Any) -> Any:
    line = bill_line(None, net, order_line=None, tax_rate=d(0))
    return invoice(number, line, on="03-02", nature="prepayment", order="purchase_order:erp:PO-1", **more)


def test_p2p_25_a_prepayment_is_taken_off_and_a_retention_kept_back() -> None:
    agreed = order(prepayment_percent=d(30), retention_percent=d(5), retention_until=day("12-31"))
    advance = prepayment(net="339.00")  # 30 % of 1130
    bill = invoice("I1", bill_line(100), due_on=day("04-20"))
    first = judged(agreed, advance).of("V1")
    assert (first.state, first.payable) == (State.CLEAN, d("339.00"))
    paid = payment("P1", "V1", "339.00")
    verdict = judged(agreed, advance, paid, GOODS, bill).of("I1")
    # 1130.00 = 339.00 prepaid + 56.50 kept back + 734.50
    assert (verdict.prepaid, verdict.retained, verdict.payable) == (d("339.00"), d("56.50"), d("734.50"))
    assert [(one.number, one.state) for one in verdict.positions] == [("1", "payable"), ("retention", "held")]
    later = judged(agreed, advance, paid, GOODS, bill, payment("P2", "I1", "734.50"), on=day("12-31")).of("I1")
    assert [(one.number, one.payable) for one in later.positions] == [("1", 0), ("retention", d("56.50"))]
    assert later.claim == 0


def test_p2p_25_a_prepayment_nobody_agreed_to_or_beyond_it() -> None:
    assert judged(order(), prepayment()).of("V1").codes == ("prepayment_not_agreed",)
    agreed = order(prepayment_amount=money(300))
    assert judged(agreed, prepayment(net=301)).of("V1").codes == ("prepayment_over_agreed",)
    both = judged(agreed, prepayment(net=200), prepayment("V2", net=150))
    assert (both.of("V1").payable, both.of("V2").codes) == (d("200.00"), ("prepayment_over_agreed",))
    late = judged(agreed, GOODS, invoice("I1", bill_line(100)), payment("P1", "I1", "1130"), prepayment())
    assert late.of("V1").codes == ("prepayment_over_agreed",)


def test_p2p_25_a_prepayment_serves_several_invoices_once() -> None:
    agreed = order(prepayment_amount=money(300))
    bills = invoice("I1", bill_line(20)), invoice("I2", bill_line(80), on="03-22")
    outcome = judged(agreed, prepayment(), payment("P0", "V1", "300"), GOODS, *bills)
    assert (outcome.of("I1").prepaid, outcome.of("I1").payable) == (d("226.00"), 0)
    assert (outcome.of("I2").prepaid, outcome.of("I2").payable) == (d("74.00"), d("830.00"))


def test_p2p_25_instalments_and_milestones_split_to_the_cent() -> None:
    thirds = [{"number": "1", "percent": "33.33"}, {"number": "2", "percent": "33.33"},
              {"number": "3", "percent": "33.34", "milestone": "installed", "reached": False}]  # fmt: skip
    bill = invoice("I1", bill_line(100, "10.01"), instalments=thirds)  # 1001 × 1.13 = 1131.13
    verdict = judged(order(order_line(100, "10.01")), GOODS, bill).of("I1")
    # 377.0056, 377.0056, 377.1187: the two missing cents go to the largest remainders, the third and the first
    assert [one.amount for one in verdict.positions] == [d("377.01"), d("377.00"), d("377.12")]
    assert sum(one.amount for one in verdict.positions) == d("1131.13")
    assert [one.state for one in verdict.positions] == ["payable", "payable", "held"]
    wrong = invoice("I1", bill_line(100), instalments=thirds[:2])
    assert judged(order(), GOODS, wrong).of("I1").codes == ("instalments_differ",)


def test_p2p_26_a_cash_discount_at_risk_is_urgent() -> None:
    bill = invoice("I1", bill_line(100), discount_percent=d(2), discount_until=day("04-03"))
    waiting = judged(order(), bill).of("I1")
    assert (waiting.state, waiting.urgent) == (State.WAITING, True)
    note = next(one for one in waiting.reasons if one.code == "discount_at_risk")
    assert note.values["amount"] == "22.6"  # 2 % of 1130
    assert judged(order(), GOODS, bill).of("I1").urgent is False
    assert judged(order(), bill, on=day("03-21")).of("I1").urgent is False


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, State.BLOCKED),
        ({"bank_confirmed_by": "Li", "bank_confirmed_on": day("03-26")}, State.BLOCKED),  # not a second person
        ({"bank_confirmed_by": "Wang", "bank_confirmed_on": day("03-24")}, State.BLOCKED),  # before the change
        ({"bank_confirmed_by": "Wang", "bank_confirmed_on": day("03-26")}, State.CLEAN),
        ({"bank_changed_on": day("02-28")}, State.CLEAN),  # 31 days ago
        ({"bank_changed_on": day("03-01")}, State.BLOCKED),  # 30 days ago
    ],
)
def test_p2p_27_a_changed_bank_account_is_held_for_a_call_back(changes: dict[str, Any], state: State) -> None:
    who = supplier(**{"bank_changed_on": day("03-25"), "bank_changed_by": "Li", **changes})
    verdict = judged(who, order(), GOODS, invoice("I1", bill_line(100))).of("I1")
    assert verdict.state == state
    assert verdict.payable == (d("1130.00") if state is State.CLEAN else 0)
    if state is State.BLOCKED:
        assert (verdict.codes, verdict.owners) == (("bank_changed",), ("supplier_steward",))


def test_p2p_27_the_account_on_the_paper_is_never_paid_to() -> None:
    bill = invoice("I1", bill_line(100), bank_account="9999 8888")
    assert judged(order(), GOODS, bill).of("I1").codes == ("bank_differs",)
    same = invoice("I1", bill_line(100), bank_account="62220001")
    assert judged(order(), GOODS, same).of("I1").codes == ()


def test_p2p_28_an_instalment_is_requested_once() -> None:
    bill = invoice("I1", bill_line(100))
    asked = judged(order(), GOODS, bill, request("Q1", "I1", "1130.00")).of("I1")
    assert (asked.state, asked.payable, asked.positions[0].state) == (State.CLEAN, 0, "requested")
    assert asked.positions[0].key == "C1|purchase_invoice:finance:I1|1"
    done = payment("P1", "I1", "1130.00", request="payment_request:hub:Q1")
    paid = judged(order(), GOODS, bill, request("Q1", "I1", "1130.00"), done).of("I1")
    assert (paid.paid, paid.payable, paid.positions[0].state) == (d("1130.00"), 0, "paid")
    twice = judged(order(), GOODS, bill, request("Q1", "I1", "1130.00"), request("Q2", "I1", "1130.00")).of("I1")
    assert (twice.state, twice.codes) == (State.EXCEPTION, ("requested_not_matched",))
    assert twice.reasons[0].values["excess"] == "1130"


@pytest.mark.parametrize("status", ["rejected", "recalled"])
def test_p2p_28_a_rejected_or_recalled_request_waits_for_a_person(status: str) -> None:
    documents = order(), GOODS, invoice("I1", bill_line(100)), request("Q1", "I1", "1130.00", status=status)
    held = judged(*documents).of("I1")
    assert (held.state, held.codes, held.payable) == (State.BLOCKED, (f"request_{status}",), 0)
    again = MatchRelease(number="L1", invoice=inv("I1"), fingerprint=held.reasons[0].fingerprint, released_by="Wang")
    assert judged(*documents, again).of("I1").payable == d("1130.00")


def test_p2p_28_the_bank_sends_a_payment_back() -> None:
    asked = request("Q1", "I1", "1130.00")
    back = payment("P1", "I1", "1130.00", status="rejected", request="payment_request:hub:Q1")
    documents = order(), GOODS, invoice("I1", bill_line(100)), asked, back
    verdict = judged(*documents).of("I1")
    assert (verdict.codes, verdict.paid, verdict.payable) == (("payment_bounced",), 0, 0)
    again = payment("P2", "I1", "1130.00", request="payment_request:hub:Q1", paid_on=day("03-30"))
    assert judged(*documents, again).of("I1").state == State.CLEAN


def test_p2p_28_a_refund_settles_a_claim() -> None:
    short = receipt("R1", 90)
    closed = order(order_line(100, delivery_complete=True))
    documents = closed, short, invoice("I1", bill_line(100)), payment("P1", "I1", "1130.00")
    assert judged(*documents).of("I1").claim == d("113.00")
    refunded = judged(*documents, payment("P2", "I1", "113.00", refund=True)).of("I1")
    assert (refunded.claim, refunded.payable) == (0, 0)
