"""What must hold for every set of documents, whatever arrived first: checked on generated sets with an own tally."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

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
from throughline.canonical import CanonicalDocument, Inspection, PurchaseInvoice, PurchaseOrder, PurchaseReceipt
from throughline.rules.matching import Outcome, State, Verdict, match
from throughline.rules.matching.money import cent, rounded, split

RULES = policy()
MASTER = [supplier(), item()]
AMOUNT = st.integers(1, 60)
DAYS = st.integers(2, 28).map(lambda number: f"03-{number:02d}")
LINES = st.sampled_from(["10", "20"])


@st.composite
def papers(draw: st.DrawFn) -> list[CanonicalDocument]:
    """An order of two lines (3- and 4-way or 2-way), receipts, returns, inspections, invoices, credits, payments."""
    rows = [
        order_line(draw(AMOUNT), 10, line="10", category=draw(st.sampled_from([None, "loose"]))),
        order_line(draw(AMOUNT), "7.33", line="20", category=draw(st.sampled_from(["inspected", "services", None]))),
    ]
    agreed = draw(st.sampled_from([None, 20]))
    kept = draw(st.sampled_from([None, 5]))
    terms: dict[str, Any] = {"prepayment_percent": agreed, "retention_percent": kept, "retention_until": "2026-12-31"}
    found: list[CanonicalDocument] = [order(*rows, **terms)]
    if draw(st.booleans()):
        changed = [row.model_copy(update={"quantity": order_line(draw(AMOUNT)).quantity}) for row in rows]
        found.append(order(*changed, version=2, valid_from="2026-03-15", **terms))
    found += draw(goods())
    found += draw(bills())
    if draw(st.booleans()):
        advance = bill_line(None, draw(st.integers(1, 90)), order_line=None, tax_rate=d(0))
        found.append(invoice("V1", advance, on="03-02", nature="prepayment", order="purchase_order:erp:PO-1"))
    return found


@st.composite
def goods(draw: st.DrawFn) -> list[CanonicalDocument]:
    found: list[CanonicalDocument] = []
    for number in range(draw(st.integers(0, 4))):
        name, line = f"R{number}", draw(LINES)
        came = draw(AMOUNT)
        found.append(receipt(name, receipt_line(came, order_line=po(line)), on=draw(DAYS)))
        fate = draw(st.sampled_from(["kept", "inspected", "returned", "reversed", "part reversed"]))
        if fate == "inspected":
            good = draw(st.integers(0, came))
            found.append(inspection(f"Q{number}", name, good, draw(st.integers(0, came - good))))
        elif fate == "returned":
            origin = gr(name) if draw(st.booleans()) else None
            back = receipt_line(draw(st.integers(1, came)), order_line=po(line), returns=origin)
            found.append(receipt(f"B{number}", back, on="03-28", movement="return"))
        elif fate == "part reversed":
            back = receipt_line(draw(st.integers(1, came)), order_line=po(line), returns=gr(name))
            found.append(receipt(f"B{number}", back, on="03-28", movement="reversal"))
        elif fate == "reversed":
            found.append(PurchaseReceipt(number=f"B{number}", movement="reversal", received_on=TODAY,
                                         reverses=gr(name).split("#")[0]))  # fmt: skip
    return found


@st.composite
def bills(draw: st.DrawFn) -> list[CanonicalDocument]:
    found: list[CanonicalDocument] = []
    for number in range(draw(st.integers(0, 4))):
        rows = []
        for at in range(draw(st.integers(1, 2))):
            line = draw(LINES)
            price = draw(st.sampled_from(["10", "10.10", "9"] if line == "10" else ["7.33", "7.40", "8"]))
            named = [{"receipt_line": gr(f"R{draw(st.integers(0, 3))}")}] if draw(st.booleans()) else []
            rows.append(bill_line(draw(AMOUNT), price, line=str(at), order_line=po(line), receipts=named))
        bill = invoice(f"I{number}", *rows, on=draw(DAYS), supplier_number=f"{number}{number * 7}X{number * 31}")
        found.append(bill)
        if draw(st.integers(0, 3)) == 0:
            first = rows[0]
            part = draw(st.integers(1, int(first.quantity.value) if first.quantity else 1))
            note = bill_line(
                part, first.unit_price.amount if first.unit_price else 0, line="1", credits_line=inv(f"I{number}", "0")
            )
            found.append(credit(f"K{number}", note))
        found += draw(money_out(bill))
    return found


@st.composite
def money_out(draw: st.DrawFn, bill: PurchaseInvoice) -> list[CanonicalDocument]:
    fate = draw(st.sampled_from(["nothing", "nothing", "asked", "paid", "part paid"]))
    if fate == "asked":
        return [request(f"A{bill.number}", bill.number, bill.gross.amount)]
    if fate == "paid":
        return [payment(f"P{bill.number}", bill.number, bill.gross.amount)]
    if fate == "part paid":
        return [payment(f"P{bill.number}", bill.number, d(draw(st.integers(1, 50))))]
    return []


def tally(documents: Iterable[CanonicalDocument]) -> dict[str, Decimal]:
    """Per order line the most that may ever be matched: min(received − returned, or accepted; ordered)."""
    everything = list(documents)
    ordered, ways = _ordered(everything)
    receipts = {f"purchase_receipt:wms:{one.number}": one for one in everything if isinstance(one, PurchaseReceipt)}
    came: dict[str, Decimal] = defaultdict(lambda: d(0))
    accepted: dict[str, Decimal] = defaultdict(lambda: d(0))
    for one in receipts.values():
        row = receipts[one.reverses].lines[0] if one.reverses else one.lines[0]
        came[_line(row.order_line)] += row.quantity.value * (1 if one.movement == "receipt" else -1)
    for one in everything:
        if isinstance(one, Inspection):
            origin = receipts[one.lines[0].receipt_line.split("#")[0]].lines[0]
            accepted[_line(origin.order_line)] += one.lines[0].accepted.value
    most = {}
    for line, quantity in ordered.items():
        there = {"services": quantity, "inspected": min(came[line], accepted[line])}.get(ways[line] or "", came[line])
        most[line] = min(quantity, max(d(0), there))
    return most


def _ordered(documents: list[CanonicalDocument]) -> tuple[dict[str, Decimal], dict[str, str | None]]:
    rows = [row for one in documents if isinstance(one, PurchaseOrder) for row in one.lines]
    most = {row.line: max(other.quantity.value for other in rows if other.line == row.line) for row in rows}
    return most, {row.line: row.category for row in rows}


def _line(ref: str | None) -> str:
    return str(ref).split("#")[1]


def check(verdict: Verdict) -> None:
    """Money is conserved to the cent, and only a clean verdict pays."""
    assert verdict.gross == verdict.credited + verdict.unmatched + verdict.matched
    assert min(verdict.credited, verdict.unmatched, verdict.matched, verdict.prepaid, verdict.claim) >= 0
    if verdict.nature == "invoice":
        assert verdict.matched == verdict.prepaid + sum(one.amount for one in verdict.positions)
        assert sum(line.matched_amount for line in verdict.lines) >= verdict.matched
    assert verdict.payable == 0 or verdict.state is State.CLEAN
    engaged = sum((max(one.requested, one.paid) for one in verdict.positions), d(0))
    if verdict.payable:
        assert engaged + verdict.payable <= verdict.matched - verdict.prepaid
    for line in verdict.lines:
        assert 0 <= line.matched <= max(line.invoiced, d(0))
        assert line.order_line is None or not line.takes or sum(take.quantity for take in line.takes) == line.matched
    owed = verdict.state is State.CLEAN or verdict.owners
    assert owed, "what holds a payment has an owner"
    for reason in verdict.reasons:
        assert "?" not in reason.sentence("en")
        assert reason.sentence("zh")


def advances(outcome: Outcome) -> None:
    """No prepayment is taken off twice."""
    taken = sum((verdict.prepaid for verdict in outcome), d(0))
    assert taken <= sum((verdict.matched for verdict in outcome if verdict.nature == "prepayment"), d(0))


def run(documents: Iterable[CanonicalDocument]) -> Outcome:
    return match([*MASTER, *documents], RULES, as_of=TODAY)


@settings(max_examples=300, deadline=None)
@given(papers(), st.randoms(use_true_random=False))
def test_matched_never_exceeds_what_is_there_whatever_arrives_first(
    documents: list[CanonicalDocument], dice: Random
) -> None:
    outcome = run(documents)
    matched: dict[str, Decimal] = defaultdict(lambda: d(0))
    for verdict in outcome:
        check(verdict)
        for line in verdict.lines:
            matched[str(line.order_line).split("#")[1]] += line.matched
    advances(outcome)
    most = tally(documents)
    for line, quantity in matched.items():
        assert quantity <= most[line], (line, quantity, most)
    shuffled = list(documents)
    dice.shuffle(shuffled)
    assert run(shuffled) == outcome
    assert run([*documents, *shuffled]) == outcome


@settings(max_examples=150, deadline=None)
@given(papers(), st.randoms(use_true_random=False))
def test_asking_for_what_is_payable_asks_for_nothing_twice(documents: list[CanonicalDocument], dice: Random) -> None:
    """Documents arrive one by one in any order; whatever is payable is asked for at once."""
    arriving = [one for one in documents if one.kind not in ("payment", "payment_request")]
    dice.shuffle(arriving)
    there: list[CanonicalDocument] = []
    keys: set[str] = set()
    for document in arriving:
        there.append(document)
        for verdict in run(there):
            for position in verdict.positions:
                if position.payable:
                    assert position.key not in keys
                    keys.add(position.key)
                    number = verdict.number
                    there.append(request(f"A{len(keys)}", number, position.payable, position.number))
    outcome = run(there)
    advances(outcome)
    for verdict in outcome:
        check(verdict)
        assert verdict.payable == 0
        excess = [one for one in verdict.reasons if one.code == "requested_not_matched"]
        beyond = sum((d(one.values["excess"]) for one in excess), d(0))
        assert verdict.requested - beyond <= verdict.matched - verdict.prepaid
    assert {one.invoice for one in run(dice.sample(there, len(there)))} == {one.invoice for one in outcome}


@given(
    st.decimals(0, 10**9, places=2),
    st.lists(st.decimals(0, 10**6, places=3), min_size=1, max_size=12),
    st.sampled_from(["CNY", "JPY", "KWD"]),
)
def test_a_split_loses_no_cent(total: Decimal, weights: list[Decimal], currency: str) -> None:
    total = rounded(total, currency)
    parts = split(total, weights, currency)
    assert sum(parts) == total
    whole = sum(weights)
    if whole:
        assert all(
            abs(part - total * weight / whole) < cent(currency) for part, weight in zip(parts, weights, strict=True)
        )
