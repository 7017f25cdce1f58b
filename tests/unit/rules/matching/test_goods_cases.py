"""Cases 8 to 16 of procure to pay: orders that change, goods that come in parts, go back, or are refused."""

from __future__ import annotations

from tests.unit.rules.matching.buying import (
    bill_line,
    credit,
    d,
    day,
    gr,
    inspection,
    inv,
    invoice,
    judged,
    order,
    order_line,
    payment,
    po,
    receipt,
    receipt_line,
    request,
)
from throughline.canonical import PurchaseReceipt, SupplierConfirmation
from throughline.rules.matching import State


def test_p2p_08_an_invoice_is_judged_by_the_version_valid_at_its_order_date() -> None:
    first = order(order_line(100, 10))
    second = order(order_line(100, 12), version=2, valid_from=day("03-15"))
    before = invoice("I1", bill_line(40, 10), on="03-14")
    after = invoice("I2", bill_line(40, 12), on="03-16")
    late_at_old_price = invoice("I3", bill_line(20, 10), on="03-28", order_date=day("03-02"))
    late_at_new_price = invoice("I4", bill_line(20, 12), on="03-28", order_date=day("03-02"))
    outcome = judged(first, second, receipt("R1", 100), before, after, late_at_old_price)
    assert [verdict.state for verdict in outcome] == [State.CLEAN] * 3
    assert outcome.of("I2").payable == d("542.40")  # 40 × 12 × 1.13
    outcome = judged(first, second, receipt("R1", 100), before, after, late_at_new_price)
    assert outcome.of("I4").codes == ("price_over",)  # 12 against 10: 2 more, allowed min(2 %, 5) = 0.20
    assert outcome.of("I4").payable == 0


def test_p2p_08_a_change_of_the_order_opens_the_match_again() -> None:
    bill = invoice("I1", bill_line(120))
    short = judged(order(order_line(100)), receipt("R1", 120), bill)
    assert (short.of("I1").state, short.of("I1").codes) == (State.EXCEPTION, ("quantity_over_ordered",))
    raised = order(order_line(120), version=2)
    assert judged(order(order_line(100)), raised, receipt("R1", 120), bill).of("I1").payable == d("1356.00")


def test_p2p_09_the_supplier_confirms_another_quantity_price_and_date() -> None:
    said = {"line": "1", "order_line": po(), "quantity": {"value": "80", "unit": "pcs"}, "due_on": "2026-04-20",
            "unit_price": {"amount": "11", "currency": "CNY"}}  # fmt: skip
    confirmation = SupplierConfirmation.model_validate({"number": "C1", "order": po(), "lines": [said]})
    report = judged(order(order_line(due_on=day("04-10"))), confirmation).orders[po()]
    told = [reason.values for reason in report.reasons]
    assert told == [
        {"field": "quantity", "confirmed": "80", "ordered": "100"},
        {"field": "price", "confirmed": "11", "ordered": "10"},
        {"field": "date", "confirmed": "2026-04-20", "ordered": "2026-04-10"},
    ]
    assert report.reasons[0].owners == ("buyer",)


def test_p2p_10_an_invoice_spans_receipts_oldest_first() -> None:
    receipts = receipt("R2", 30, on="03-12"), receipt("R1", 40, on="03-08"), receipt("R3", 30, on="03-15")
    outcome = judged(order(), *receipts, invoice("I1", bill_line(60)), invoice("I2", bill_line(40), on="03-21"))
    assert [(take.receipt_line, take.quantity) for take in outcome.of("I1").lines[0].takes] == [
        (gr("R1"), d(40)),
        (gr("R2"), d(20)),
    ]
    assert [(take.receipt_line, take.quantity) for take in outcome.of("I2").lines[0].takes] == [
        (gr("R2"), d(10)),
        (gr("R3"), d(30)),
    ]
    assert outcome.orders[po()].received_not_invoiced == 0


def test_p2p_10_receipts_an_invoice_names_come_first() -> None:
    named = bill_line(30, receipts=[{"receipt_line": gr("R2")}])
    receipts = receipt("R1", 40, on="03-08"), receipt("R2", 30, on="03-12")
    outcome = judged(order(), *receipts, invoice("I1", bill_line(40)), invoice("I2", named, on="03-21"))
    assert [take.receipt_line for take in outcome.of("I2").lines[0].takes] == [gr("R2")]
    assert [take.receipt_line for take in outcome.of("I1").lines[0].takes] == [gr("R1")]
    assert outcome.of("I1").state == outcome.of("I2").state == State.CLEAN


def test_p2p_10_an_invoice_that_names_only_its_receipt() -> None:
    named = bill_line(40, order_line=None, receipts=[{"receipt_line": gr("R1")}])
    verdict = judged(order(), receipt("R1", 40), invoice("I1", named)).of("I1")
    assert (verdict.payable, verdict.lines[0].order_line) == (d("452.00"), po())
    assert judged(order(), invoice("I1", named)).of("I1").codes == ("line_without_order",)


def test_p2p_11_over_receipt_is_never_paid_beyond_the_order() -> None:
    # allowed beyond 100: min(5 % = 5, 10) = 5 pieces
    within = judged(order(), receipt("R1", 105), invoice("I1", bill_line(105)))
    assert [reason.code for reason in within.orders[po()].reasons] == ["over_receipt_within"]
    verdict = within.of("I1")
    assert verdict.codes == ("quantity_over_ordered",)
    assert (verdict.lines[0].matched, verdict.payable, verdict.owners) == (d(100), 0, ("buyer",))
    over = judged(order(), receipt("R1", 106), invoice("I1", bill_line(100)))
    assert [(one.code, one.owners) for one in over.orders[po()].reasons] == [("over_receipt", ("buyer",))]
    assert over.of("I1").payable == d("1130.00")


def test_p2p_12_delivery_complete_releases_the_rest_and_stops_the_waiting() -> None:
    closed = order(order_line(100, delivery_complete=True))
    outcome = judged(closed, receipt("R1", 80), invoice("I1", bill_line(100)))
    assert outcome.of("I1").codes == ("quantity_over_received",)
    assert outcome.of("I1").lines[0].reasons[0].values["missing"] == "20"
    report = outcome.orders[po()]
    assert (report.open, report.reasons[0].code, report.reasons[0].values["open"]) == (0, "short_closed", "20")
    assert judged(closed, receipt("R1", 80), invoice("I1", bill_line(80))).of("I1").payable == d("904.00")
    assert judged(order(), receipt("R1", 80)).orders[po()].open == 20


def test_p2p_13_receipt_before_the_order_and_against_the_wrong_line() -> None:
    emergency = receipt("R1", 100)
    parked = judged(emergency, invoice("I1", bill_line(100)))
    assert parked.of("I1").waiting_for == ("purchase_order",)
    assert [(one.code, one.owners) for one in parked.findings] == [
        ("receipt_without_order", ("buyer", "warehouse")),
    ]
    assert judged(emergency, invoice("I1", bill_line(100)), order()).of("I1").payable == d("1130.00")
    wrong = receipt("R1", receipt_line(100, item="item:erp:RM-2"))
    outcome = judged(order(), wrong, invoice("I1", bill_line(100)))
    assert [one.code for one in outcome.findings] == ["receipt_item_differs"]
    assert outcome.of("I1").waiting_for == ("purchase_receipt",)


def test_p2p_14_a_reversed_receipt_holds_an_unpaid_invoice_and_claims_a_paid_one() -> None:
    undone = PurchaseReceipt(
        number="R9", movement="reversal", received_on=day("03-26"), reverses="purchase_receipt:wms:R1"
    )
    documents = order(), receipt("R1", 100), invoice("I1", bill_line(100)), undone
    unpaid = judged(*documents).of("I1")
    assert (unpaid.state, unpaid.codes, unpaid.payable) == (State.EXCEPTION, ("receipt_reversed",), 0)
    paid = judged(
        *documents, request("Q1", "I1", "1130.00"), payment("P1", "I1", "1130.00", request="payment_request:hub:Q1")
    )
    assert (paid.of("I1").claim, paid.of("I1").payable) == (d("1130.00"), 0)
    assert "paid_not_matched" in paid.of("I1").codes
    asked = judged(*documents, request("Q1", "I1", "1130.00")).of("I1")
    assert "requested_not_matched" in asked.codes
    assert (asked.claim, asked.payable) == (0, 0)
    again = judged(*documents, receipt("R2", 100, on="03-27")).of("I1")
    assert (again.state, again.payable) == (State.CLEAN, d("1130.00"))


def test_p2p_14_a_part_of_a_receipt_is_reversed_and_a_reversal_is_reversed() -> None:
    part = receipt("R9", receipt_line(30, returns=gr("R1")), on="03-26", movement="reversal")
    documents = order(), receipt("R1", 100), invoice("I1", bill_line(100))
    assert judged(*documents, part).of("I1").lines[0].matched == 70
    back = PurchaseReceipt(
        number="RA", movement="reversal", received_on=day("03-27"), reverses="purchase_receipt:wms:R9"
    )
    assert judged(*documents, part, back).of("I1").lines[0].matched == 100


def test_p2p_15_only_accepted_goods_are_paid_and_a_replacement_gives_no_new_right() -> None:
    checked = order(order_line(category="inspected"))
    bill, first = invoice("I1", bill_line(100)), receipt("R1", 100)
    waiting = judged(checked, first, bill).of("I1")
    assert (waiting.state, waiting.waiting_for) == (State.WAITING, ("inspection",))
    refused = judged(checked, first, inspection("Q1", "R1", 90, 10), bill).of("I1")
    assert (refused.codes, refused.lines[0].matched, refused.owners) == (("goods_rejected",), d(90), ("buyer",))
    back = receipt("B1", receipt_line(10, returns=gr("R1")), on="03-22", movement="return")
    returned = judged(checked, first, inspection("Q1", "R1", 90, 10), back, bill).of("I1")
    assert (returned.codes, returned.lines[0].matched) == (("goods_returned",), d(90))
    replaced = judged(
        checked, first, inspection("Q1", "R1", 90, 10), back, bill,
        receipt("R2", 10, on="03-24"), inspection("Q2", "R2", 10), invoice("I2", bill_line(10), on="03-25"),
    )  # fmt: skip
    assert replaced.of("I1").payable == d("1130.00")
    assert replaced.of("I2").codes == ("quantity_over_ordered",)
    assert replaced.of("I2").payable == 0


def test_p2p_15_a_return_and_its_credit_note_leave_a_clean_invoice() -> None:
    back = receipt("B1", receipt_line(10, returns=gr("R1")), on="03-22", movement="return")
    note = credit("K1", bill_line(10, credits_line=inv("I1", "1")))
    verdict = judged(order(), receipt("R1", 100), back, invoice("I1", bill_line(100)), note).of("I1")
    assert (verdict.state, verdict.credited, verdict.payable) == (State.CLEAN, d("113.00"), d("1017.00"))


def test_p2p_15_returns_without_origin_are_taken_from_the_newest_goods() -> None:
    back = receipt("B1", receipt_line(10), on="03-22", movement="return")
    receipts = receipt("R1", 60, on="03-08"), receipt("R2", 40, on="03-12")
    line = judged(order(), *receipts, back, invoice("I1", bill_line(90))).of("I1").lines[0]
    assert [(take.receipt_line, take.quantity) for take in line.takes] == [(gr("R1"), d(60)), (gr("R2"), d(30))]


def test_p2p_16_an_invoice_before_its_goods_waits_and_is_reminded() -> None:
    bill = invoice("I1", bill_line(100))
    early = judged(order(), bill, on=day("03-25")).of("I1")
    assert (early.state, early.waiting_for, early.remind_on) == (State.WAITING, ("purchase_receipt",), day("03-27"))
    assert early.owners == ("warehouse",)
    late = judged(order(), bill, on=day("05-05")).of("I1")  # more than 45 days after 20 March
    assert (late.state, late.codes) == (State.EXCEPTION, ("receipt_awaited", "receipt_overdue"))
    assert judged(order(), bill, receipt("R1", 100), on=day("05-05")).of("I1").payable == d("1130.00")


def test_p2p_16_goods_and_services_of_a_two_way_category_need_no_receipt() -> None:
    services = order(order_line(100, category="services"))
    assert judged(services, invoice("I1", bill_line(100))).of("I1").payable == d("1130.00")
    assert judged(services, invoice("I1", bill_line(101))).of("I1").codes == ("quantity_over_ordered",)


def test_dates_out_of_tolerance() -> None:
    due = order(order_line(due_on=day("03-20")))
    early = judged(due, receipt("R1", 100, on="03-10"), invoice("I1", bill_line(100))).of("I1")
    assert (early.state, early.codes) == (State.EXCEPTION, ("delivered_early",))  # 10 days, allowed 5
    late = judged(due, receipt("R1", 100, on="03-28"), invoice("I1", bill_line(100))).of("I1")
    assert (late.state, late.codes) == (State.CLEAN, ("delivered_late",))
    before = judged(order(), receipt("R1", 100), invoice("I1", bill_line(100), on="02-27")).of("I1")
    assert before.codes == ("invoice_before_order",)
    future = judged(order(), receipt("R1", 100), invoice("I1", bill_line(100)), on=day("03-19")).of("I1")
    assert future.codes == ("invoice_in_future",)


def test_quantity_tolerance_is_accepted_and_never_paid() -> None:
    # 100 received, 101 invoiced: tolerance min(1 % = 1, 3) = 1 piece, so 101 is clean and 100 are paid
    loose = order(order_line(101, category="loose"))
    verdict = judged(loose, receipt("R1", 100), invoice("I1", bill_line(101))).of("I1")
    assert (verdict.state, verdict.codes, verdict.payable) == (State.CLEAN, ("quantity_cut",), d("1130.00"))
    assert verdict.unmatched == d("11.30")
    more = judged(loose, receipt("R1", 99), invoice("I1", bill_line(101))).of("I1")
    assert (more.state, more.payable) == (State.WAITING, 0)
