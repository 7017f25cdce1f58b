"""A write is a row before it is a call; its key names one effect, however often it is tried."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from throughline.ledger import Ledger
from throughline.ledger.work_entries import Confirmation, Delivery, Intended, Intent, Setback, Start

INTENT = Intent(
    effect_key="k1", process_id=None, step="erp_order", item="", role="erp", document="sales_order", operation="create",
    canonical_id="sales_order:crm:SO-1", tier="T2", reference="SO-1", request={"quantity": Decimal("1.50")},
)  # fmt: skip


def intend(ledger: Ledger, intent: Intent = INTENT, **more: Any) -> Intended:
    with ledger.transaction() as books:
        (answer,) = books.deliveries.intend([intent], **more)
    return answer


def process(ledger: Ledger) -> int:
    with ledger.transaction() as books:
        (started,) = books.processes.start([Start("order_to_delivery", "1", "sales_order:crm:SO-1")])
    return started.process_id


def look(ledger: Ledger) -> Delivery:
    with ledger.transaction() as books:
        (row,) = books.deliveries.by_keys(["k1"])
    return row


def test_the_same_effect_is_one_row(ledger: Ledger) -> None:
    first, second = intend(ledger), intend(ledger)
    assert (first.new, second.new, second.differs) == (True, False, False)
    assert first.delivery.id == second.delivery.id
    assert str(second.delivery.request["quantity"]) == "1.50"


def test_a_sent_row_refuses_another_content(ledger: Ledger) -> None:
    intend(ledger, sending=True)
    answer = intend(ledger, replace(INTENT, request={"quantity": 2}), sending=True)
    assert answer.differs
    assert (answer.delivery.state, answer.delivery.attempts) == ("sent", 1)
    assert str(answer.delivery.request["quantity"]) == "1.50"


def test_what_was_surely_not_carried_out_may_be_corrected(ledger: Ledger) -> None:
    row = intend(ledger, sending=True).delivery
    with ledger.transaction() as books:
        assert books.deliveries.rejected([Setback(row.id, "No such item.", "Rejected:erp")]) == {row.id}
    answer = intend(ledger, replace(INTENT, request={"quantity": 2}), sending=True)
    assert (answer.new, answer.differs, answer.delivery.state) == (False, False, "sent")
    assert (answer.delivery.attempts, answer.delivery.request, answer.delivery.error) == (2, {"quantity": 2}, None)


def test_a_write_nobody_wants_any_more_is_over_unless_it_may_have_been_sent(ledger: Ledger) -> None:
    """Found by seeded faults: an order was cancelled while its write waited to be tried again."""
    meant = intend(ledger, replace(INTENT, process_id=process(ledger)))
    with ledger.transaction() as books:
        place = (meant.delivery.process_id or 0, "erp_order", "")
        assert books.deliveries.given_up([place]) == {meant.delivery.id}
        assert books.deliveries.given_up([place]) == set()
    assert look(ledger).state == "rejected"
    intend(ledger, replace(INTENT, process_id=meant.delivery.process_id), sending=True)
    with ledger.transaction() as books:
        assert books.deliveries.given_up([place]) == set()
    assert look(ledger).state == "sent"


def test_a_settled_row_stays_as_it_is(ledger: Ledger) -> None:
    row = intend(ledger, sending=True).delivery
    yes = Confirmation(row.id, "42", "ERP-7", {"10": "43"}, {"id": 42})
    with ledger.transaction() as books:
        assert books.deliveries.confirmed([yes]) == {row.id}
        assert books.deliveries.confirmed([replace(yes, their_id="99")]) == set()
        assert books.deliveries.rejected([Setback(row.id, "late", "s")]) == set()
        assert books.deliveries.sent([row.id]) == set()
        assert books.deliveries.unsettled() == []
    settled = look(ledger)
    assert (settled.state, settled.their_id, settled.number, settled.lines) == (
        "confirmed",
        "42",
        "ERP-7",
        {"10": "43"},
    )


def test_a_doubt_waits_its_time_and_ends_found_or_sent_again(ledger: Ledger, clock: Any) -> None:
    row = intend(ledger, sending=True).delivery
    later = clock.now + timedelta(minutes=2)
    with ledger.transaction() as books:
        books.deliveries.doubt([Setback(row.id, "no answer", "InDoubt:erp", later)])
    assert intend(ledger, sending=True).delivery.state == "in_doubt"
    assert look(ledger).not_before == later
    with ledger.transaction() as books:
        books.deliveries.deferred([Setback(row.id, "not there", "Transient:erp", later)])
    assert intend(ledger, sending=True).delivery.state == "intended"
    clock.pass_(minutes=2)
    assert intend(ledger, sending=True).delivery.attempts == 2
    with ledger.transaction() as books:
        assert books.deliveries.resolved([Confirmation(row.id, "42")]) == {row.id}
    assert look(ledger).state == "resolved"
