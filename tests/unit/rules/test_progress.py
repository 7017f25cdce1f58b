from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.process.pure_process import (
    KEY,
    first_state,
    made,
    order,
    quantity,
    receipt,
    report,
    shipment,
    work_order,
)
from throughline.canonical import CanonicalDocument, reference
from throughline.errors import Invalid, Unknown
from throughline.rules import Dossier, Linked, rule_named
from throughline.rules.progress import order_status

OWNERS = {"work_order": "erp", "production_report": "mes", "receipt": "wms", "shipment": "wms"}


def dossier(*documents: CanonicalDocument, **more: Any) -> Dossier:
    linked = tuple(
        Linked(reference(d.kind, OWNERS.get(d.kind, "hub"), d.number), OWNERS.get(d.kind, "hub"), d) for d in documents
    )
    return Dossier(**{"key": KEY, "linked": linked, "referenced": first_state(order()).referenced, **more})


def enough(name: str, *documents: CanonicalDocument, subject: CanonicalDocument | None = None) -> bool:
    return bool(rule_named(name, "until")(subject or order(), None, dossier(*documents)))


def test_supply_is_planned_when_work_orders_cover_every_made_line() -> None:
    assert not enough("supply_planned")
    assert not enough("supply_planned", work_order(amount=9))
    assert enough("supply_planned", work_order(amount=9), work_order("WO-2", 1))
    assert not enough("supply_planned", work_order().model_copy(update={"status": "cancelled"}))
    assert enough("supply_planned", subject=order(status="cancelled"))


def test_production_is_complete_by_good_pieces_that_stand() -> None:
    assert not enough("production_complete", work_order(), report("R-1", 9, scrap=1, final=True))
    assert enough("production_complete", work_order(), report("R-1", 9), report("R-2", 1))
    undone = report("R-2", 10, reverses="production_report:mes:R-1")
    assert not enough("production_complete", work_order(), report("R-1", 10), undone)


def test_everything_reported_must_be_received() -> None:
    produced = (work_order(), report("R-1", 10))
    assert not enough("received_all", *produced, receipt("RC-1", 9, "R-1"))
    assert enough("received_all", *produced, receipt("RC-1", 9, "R-1"), receipt("RC-2", 1, "R-1"))


def test_shipped_in_full_is_counted_by_line_and_unit() -> None:
    ordered = order(lines=[{"line": "10", "item": "item:erp:FG-100", "quantity": quantity(3, "carton")}])
    assert not enough("fully_shipped", shipment("D-1", 11), subject=ordered)
    assert enough("fully_shipped", shipment("D-1", 8), shipment("D-2", 4), subject=ordered)
    reversed_one = shipment("D-2", 4).model_copy(update={"status": "reversed"})
    assert not enough("fully_shipped", shipment("D-1", 8), reversed_one, subject=ordered)


def test_an_unknown_item_or_unit_is_said() -> None:
    with pytest.raises(Unknown) as caught:
        rule_named("fully_shipped", "until")(order(), None, dossier(referenced={}))
    assert caught.value.awaited == "item:erp:FG-100"
    pallets = order(lines=[{"line": "10", "item": "item:erp:FG-100", "quantity": quantity(1, "pallet")}])
    with pytest.raises(Invalid, match="has no unit 'pallet'; its units are pcs, carton"):
        enough("fully_shipped", subject=pallets)


@pytest.mark.parametrize(
    ("documents", "carried", "status"),
    [
        ((), False, "accepted"),
        ((work_order(),), False, "planned"),
        ((work_order(),), True, "in_production"),
        ((work_order(), report("R-1", 4)), True, "part_completed"),
        ((work_order(), report("R-1", 10)), True, "completed"),
        ((work_order(), report("R-1", 10), shipment("D-1", 4)), True, "part_shipped"),
        ((work_order(), shipment("D-1", 10)), True, "shipped"),
    ],
)
def test_the_headers_status_follows_from_its_lines(
    documents: tuple[CanonicalDocument, ...], carried: bool, status: str
) -> None:
    written = {("mes", "work_order"): frozenset({"work_order:erp:WO-1"})} if carried else {}
    papers = dossier(*documents, carried=written)
    subject: Any = order()
    assert order_status(subject, papers) == status


def top_up(*documents: CanonicalDocument, item: str = "R-1", **more: Any) -> dict[str, Any]:
    papers = dossier(work_order(), *documents, item_id=f"production_report:mes:{item}", **more)
    about = next(d for d in documents if d.number == item)
    verdict: dict[str, Any] = rule_named("scrap_top_up", "decide")(order(), about, papers)
    return verdict


def test_scrap_is_made_again_once() -> None:
    final = report("R-1", 8, scrap=2, final=True)
    verdict = top_up(final)
    assert (verdict["needed"], verdict["quantity"], verdict["number"]) == (True, "2", "WO-1-S1")
    assert not top_up(report("R-1", 8, scrap=2))["needed"]
    assert not top_up(report("R-1", 10, final=True))["needed"]
    assert not top_up(final, earlier=(verdict,))["needed"]
    supplement = work_order("WO-1-S1", 2, supplements="work_order:erp:WO-1")
    assert not top_up(final, supplement)["needed"]
    short_again = report("R-2", 1, of="WO-1-S1", scrap=1, final=True)
    assert top_up(final, supplement, short_again, item="R-2")["number"] == "WO-1-S2"


def test_a_supplement_carries_what_its_original_makes() -> None:
    final = report("R-1", 8, scrap=2, final=True)
    papers = dossier(work_order(), final, verdicts={"top_up": top_up(final)})
    made_again = rule_named("work_order_top_up", "make")(order(), final, papers)
    assert (made_again.number, made_again.quantity.value) == ("WO-1-S1", Decimal(2))
    assert made_again.supplements == "work_order:erp:WO-1"
    assert made_again.order_line == f"{KEY}#10"


def test_postings_name_the_order_and_the_work_order() -> None:
    notice = made("receipt_notice", number="RN-R-9", work_order="work_order:erp:WO-1-S1", lines=[])
    supplement = work_order("WO-1-S1", 2, supplements="work_order:erp:WO-1")
    papers = dossier(work_order(), supplement, notice)
    booked = rule_named("receipt_for_work_order", "make")(order(), receipt("RC-1", 2, "R-9"), papers)
    assert booked.notice == "work_order:erp:WO-1"
    posted = rule_named("shipment_for_order", "make")(order(), shipment("D-1", 4), papers)
    assert (posted.order, posted.lines[0].outbound_line) == (KEY, f"{KEY}#10")


def test_letters_are_bilingual_and_need_an_address() -> None:
    papers = dossier(work_order(), shipment("D-1", 4), item_id="shipment:wms:D-1")
    letter = rule_named("shipment_notice", "make")(order(), shipment("D-1", 4), papers)
    assert "已发货" in letter.body
    assert "The rest will follow." in letter.body
    assert letter.number == "D-1-notice"
    with pytest.raises(Invalid, match="names nobody to write to"):
        rule_named("shipment_notice", "make")(order(contact_email=None), shipment("D-1", 4), papers)


def test_nothing_good_is_announced_to_nobody() -> None:
    announce = rule_named("receipt_notice_for_report", "make")
    assert announce(order(), report("R-1", 0, scrap=3), dossier(work_order())) is None
    notice = announce(order(), report("R-1", 3), dossier(work_order(), item_id="production_report:mes:R-1"))
    assert (notice.number, notice.lines[0].quantity.value) == ("RN-R-1", Decimal(3))


def test_a_change_answered_after_the_order_was_closed_does_not_take_the_news_back() -> None:
    """Found by seeded faults: sales heard "closed", and then "shipped"."""
    told = {("crm", "order_update"): frozenset({"order_update:hub:SO-1-closed"})}
    answer = rule_named("change_answer", "make")
    assert answer(order(), order(), dossier(shipment("D-1", amount=10))).status == "shipped"
    assert answer(order(), order(), dossier(shipment("D-1", amount=10), carried=told)).status == "closed"
