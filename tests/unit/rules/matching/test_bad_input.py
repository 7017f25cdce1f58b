"""Contradictions, strangers and impossible figures: a clear reason, an owner, nothing payable."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rules.matching.buying import (
    TODAY,
    bill_line,
    credit,
    d,
    gr,
    inspection,
    inv,
    invoice,
    item,
    judged,
    money,
    order,
    order_line,
    payment,
    po,
    policy,
    receipt,
    receipt_line,
    request,
    supplier,
)
from throughline.canonical import CanonicalDocument, Customer, Item
from throughline.rules.dossier import Linked
from throughline.rules.matching import State, match

GOODS, BILL = receipt("R1", 100), invoice("I1", bill_line(100))


@pytest.mark.parametrize(
    ("documents", "code", "owner"),
    [
        ((order(order_line(-5)), GOODS, BILL), "relies_on_unsound", "buyer"),
        ((order(), receipt("R1", receipt_line(-100)), BILL), "relies_on_unsound", "warehouse"),
        ((order(), GOODS, invoice("I1", bill_line(-100, amount=1000))), "negative", "finance"),
        ((order(), GOODS, invoice("I1", bill_line(100, "-10", amount=1000))), "negative", "finance"),
        ((order(), GOODS, invoice("I1", bill_line(0, 10, amount=0))), "not_positive", "finance"),
        ((order(), GOODS, invoice("I1", bill_line(50), bill_line(50))), "line_twice", "finance"),
        ((order(), GOODS, invoice("I1", bill_line(100, currency="USD"))), "currency_mixed", "finance"),
        ((order(), order(order_line(100, 11)), GOODS, BILL), "relies_on_unsound", "buyer"),
        ((order(), GOODS, receipt("R1", 90), BILL), "relies_on_unsound", "warehouse"),
        ((order(), GOODS, BILL, invoice("I1", bill_line(90))), "document_contradicts", "finance"),
        ((order(), GOODS, BILL, payment("P1", "I1", "-5")), "relies_on_unsound", "finance"),
        ((order(), GOODS, BILL, request("Q1", "I1", "0")), "relies_on_unsound", "finance"),
        ((order(), GOODS, BILL, credit("K1", bill_line(-5, amount=50, credits_line=inv("I1", "1")))),
         "relies_on_unsound", "finance"),
        ((order(order_line(category="inspected")), GOODS, BILL, inspection("Q1", "R1", 90, 20)),
         "relies_on_unsound", "warehouse"),
        ((order(), GOODS, BILL, receipt("B1", receipt_line(120, returns=gr("R1")), movement="return")),
         "relies_on_unsound", "warehouse"),
        ((order(), GOODS, invoice("I1", bill_line(100, amount=1100))), "line_amount_differs", "finance"),
        ((order(), GOODS, invoice("I1", bill_line(100, item="item:erp:RM-9"))), "item_differs", "buyer"),
        ((order(), GOODS, invoice("I1", bill_line(100, order_line=None))), "line_without_order", "buyer"),
        ((order(), GOODS, invoice("I1")), "nothing_invoiced", "finance"),
        ((order(company="C2"), GOODS, BILL), "company_differs", "finance"),
        ((order(supplier="supplier:erp:S-2"), GOODS, BILL), "supplier_differs", "supplier_steward"),
        ((order(status="cancelled"), GOODS, BILL), "order_cancelled", "buyer"),
        ((order(), GOODS, invoice("I1", bill_line(100), net="900", gross="1030")), "net_differs", "finance"),
        ((order(), GOODS, invoice("I1", bill_line(100), status="reversed")), "invoice_reversed", "finance"),
        ((order(order_line(tax_rate=None)), GOODS, invoice("I1", bill_line(100, tax_rate=None), tax="130")),
         "tax_unexplained", "finance"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_named_and_owned(
    documents: tuple[CanonicalDocument, ...], code: str, owner: str
) -> None:
    verdict = judged(*documents).of("I1")
    assert verdict.state > State.WAITING
    assert code in verdict.codes
    found = next(reason for reason in verdict.reasons if reason.code == code)
    assert found.owners == (owner,)
    assert (verdict.payable, verdict.claim) == (0, 0)
    assert "?" not in found.sentence("en")
    assert found.sentence("zh")
    assert not any(position.payable for position in verdict.positions)


def test_the_same_document_told_twice_or_further_along_is_one() -> None:
    twice = judged(
        order(), order(status="confirmed"), GOODS, GOODS, BILL, invoice("I1", bill_line(100), status="matched")
    )
    assert twice.of("I1").payable == d("1130.00")


def test_linked_documents_and_other_kinds() -> None:
    line = "purchase_order:tryton:7#10"
    linked = [
        Linked("purchase_order:tryton:7", "erp", order()),
        Linked("purchase_receipt:flux:9", "wms", receipt("9", receipt_line(100, order_line=line))),
        Linked("supplier:erp:S-1", "erp", supplier()),
        Customer(number="C", name="nobody's business"),
        Linked("x:y:I1", "finance", invoice("I1", bill_line(100, order_line=line))),
    ]
    assert match(linked, policy(), as_of=TODAY).of("x:y:I1").payable == d("1130.00")


def test_a_request_in_another_currency_says_nothing_about_the_invoice() -> None:
    strange = request("Q1", "I1", "100").model_copy(update={"amount": money(100, "USD")})
    verdict = judged(order(), GOODS, BILL, strange).of("I1")
    assert (verdict.state, verdict.payable) == (State.BLOCKED, 0)
    assert "currency_mixed" in verdict.codes


def test_a_receipt_in_an_unknown_unit_is_found_and_holds() -> None:
    outcome = judged(order(), receipt("R1", receipt_line(4, unit="box")), BILL)
    assert [(one.code, one.values["unit"], one.owners) for one in outcome.findings] == [
        ("factor_missing", "box", ("buyer",)),
    ]
    assert outcome.of("I1").payable == 0


def test_nothing_depends_on_an_item_that_is_not_needed() -> None:
    stranger: Any = Item(number="RM-1", name="x", unit="kg")
    assert judged(supplier(), stranger, order(), GOODS, BILL, master=False).of("I1").payable == d("1130.00")
    assert judged(supplier(), order(), GOODS, BILL, master=False).of("I1").payable == d("1130.00")
    assert judged(supplier(), item(), order(), GOODS, master=False).orders[po()].received == 100


def test_a_circle_of_reversals_undoes_nothing_for_ever() -> None:
    one = receipt("X1", movement="reversal", reverses="purchase_receipt:wms:X2")
    two = receipt("X2", movement="reversal", reverses="purchase_receipt:wms:X1")
    assert judged(order(), GOODS, BILL, one, two).of("I1").payable == d("1130.00")
