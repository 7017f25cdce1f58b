"""Whatever is thrown at it, however contradictory: never a crash, never a cent too much, never a matter of arrival."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.rules.matching.buying import (
    TODAY,
    bill_line,
    d,
    day,
    gr,
    inspection,
    inv,
    invoice,
    item,
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
from tests.unit.rules.matching.test_invariants import check
from throughline.canonical import CanonicalDocument, ExchangeRate, PlannedCharge
from throughline.rules.matching import match

RULES = policy()
pick = st.sampled_from
COUNT = pick([-3, 0, 1, 7, 24, 40, 100])
PRICE = pick(["-1", "0", "0.01", "3.333", "10", "10.15", "999"])
UNIT = pick(["pcs", "pcs", "carton", "kg"])
CURRENCY = pick(["CNY", "CNY", "CNY", "USD", "EUR", "GBP"])
DATE = st.integers(1, 31).map(lambda number: f"03-{number:02d}")
ORDERS = pick([po("10"), po("10"), po("20"), po("99"), po("10", "PO-2"), None])
STATUS = pick(["created", "confirmed", "cancelled", "short_closed"])
NAMES = pick(["S-1", "S-1", "S-1", "S-2", "S-9"])


@st.composite
def orders(draw: st.DrawFn) -> CanonicalDocument:
    currency = draw(CURRENCY)
    rows = [
        order_line(draw(COUNT), draw(PRICE), line=line, currency=currency, unit=draw(UNIT),
                   price_per=draw(pick([1, 100])),
                   category=draw(pick([None, "inspected", "services", "loose"])),
                   delivery_complete=draw(st.booleans()), due_on=draw(pick([None, day("03-09")])))
        for line in ("10", "20")[: draw(st.integers(1, 2))]
    ]  # fmt: skip
    return order(
        *rows, number=draw(pick(["PO-1", "PO-1", "PO-2"])), currency=currency,
        version=draw(st.integers(1, 3)),
        status=draw(STATUS), supplier=f"supplier:erp:{draw(NAMES)}", valid_from=day(draw(DATE)),
        prepayment_percent=draw(pick([None, 30, 150])), retention_percent=draw(pick([None, 5])),
        retention_until=draw(pick([None, day("03-30")])),
        charges=draw(pick([(), (PlannedCharge(code="freight", amount=money(20, currency)),)])),
    )  # fmt: skip


@st.composite
def movements(draw: st.DrawFn) -> CanonicalDocument:
    named = pick([None, None, gr("R1"), gr("R2"), gr("B1")])
    rows = [receipt_line(draw(COUNT), order_line=draw(ORDERS), unit=draw(UNIT), returns=draw(named))]
    return receipt(
        draw(pick(["R1", "R2", "R3", "B1", "B2"])), *rows, on=draw(DATE),
        movement=draw(pick(["receipt", "receipt", "receipt", "return", "reversal"])),
        status=draw(pick(["received", "received", "reversed"])),
        reverses=draw(pick([None, None, "purchase_receipt:wms:R1", "purchase_receipt:wms:B1"])),
    )  # fmt: skip


@st.composite
def papers_charged(draw: st.DrawFn) -> CanonicalDocument:
    currency = draw(CURRENCY)
    rows = []
    for at in range(draw(st.integers(0, 3))):
        count, charge = (
            draw(pick([None, 1, 7, 24, 40, 100, -2])),
            draw(pick([None, None, "freight", "x"])),
        )
        rows.append(
            bill_line(count, draw(PRICE), line=str(at), currency=currency, charge=charge, order_line=draw(ORDERS),
                      tax_rate=draw(pick([None, d(13), d(0)])), unit=draw(UNIT),
                      credits_line=draw(pick([None, None, inv("I1", "0"), inv("I9", "0")])))
        )  # fmt: skip
    halves = [{"number": "1", "percent": "50"}, {"number": "2", "percent": "50"}]
    return invoice(
        draw(pick(["I1", "I2", "I3", "K1"])), *rows, on=draw(DATE), currency=currency,
        nature=draw(pick(["invoice", "invoice", "credit_note", "prepayment"])),
        supplier=f"supplier:erp:{draw(NAMES)}",
        supplier_number=draw(pick(["0441", "INV-441", "7", "发票-9", "--"])),
        credits=draw(pick([None, inv("I1"), inv("I2")])), tax=draw(pick([None, "1"])),
        order=draw(pick([None, "purchase_order:erp:PO-1"])),
        instalments=draw(pick([(), halves, halves[:1]])),
        pay_currency=draw(pick([None, "CNY", "JPY"])),
        status=draw(pick(["captured", "captured", "reversed"])),
        discount_percent=d(2), discount_until=day("03-31"),
    )  # fmt: skip


@st.composite
def moneys(draw: st.DrawFn) -> CanonicalDocument:
    number, amount = (
        draw(pick(["I1", "I2", "K1", "I9"])),
        draw(pick(["-1", "0.01", "113", "1130"])),
    )
    part = draw(pick(["1", "1", "2", "retention"]))
    if draw(st.booleans()):
        netted = draw(pick([[], [{"credit": inv("K1"), "amount": money(5)}]]))
        return request(draw(pick(["Q1", "Q2"])), number, amount, part, netted=netted,
                       status=draw(pick(["sent", "rejected", "recalled"])))  # fmt: skip
    return payment(draw(pick(["P1", "P2"])), number, amount, part, refund=draw(st.booleans()),
                   status=draw(pick(["settled", "rejected"])),
                   request=draw(pick([None, "payment_request:hub:Q1"])),
                   settles=draw(pick([None, money(3, "USD")])))  # fmt: skip


@st.composite
def masters(draw: st.DrawFn) -> list[CanonicalDocument]:
    rates = [
        ExchangeRate(number=f"{c}", currency=c, into="CNY", rate=d(7), valid_on=day("03-01")) for c in ("USD", "EUR")
    ]
    more: dict[str, Any] = {"carton": "24"} if draw(st.booleans()) else {}
    family = draw(pick([None, "G"]))
    people = [supplier(group=family, tax_number="T"), supplier("S-2", group=family, bank_changed_on=day("03-30"))]
    return [*people, item(**more), *draw(pick([[], rates]))]


ANY = st.one_of(
    orders(), movements(), movements(), papers_charged(), papers_charged(), moneys(),
    st.builds(inspection, pick(["Z1", "Z2"]), pick(["R1", "R2"]), COUNT, COUNT),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(masters(), st.lists(ANY, max_size=14), st.randoms(use_true_random=False))
def test_whatever_the_papers_say(master: list[CanonicalDocument], wild: list[CanonicalDocument], dice: Random) -> None:
    documents = [*master, *wild]
    outcome = match(documents, RULES, as_of=TODAY)
    for verdict in outcome:
        if verdict.gross >= 0:
            check(verdict)
        assert verdict.explain("zh")
    for report in outcome.orders.values():
        assert 0 <= report.matched <= max(report.ordered, Decimal(100))
    for proposal in outcome.proposals:
        assert proposal.to_pay >= 0
        assert sum(amount for _, _, amount in proposal.positions) == proposal.to_pay + sum(
            amount for _, amount in proposal.credits
        )
    for finding in outcome.findings:
        assert finding.owners
        assert "?" not in finding.sentence("en")
    dice.shuffle(documents)
    assert match(documents, RULES, as_of=TODAY) == outcome
