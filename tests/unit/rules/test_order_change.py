from __future__ import annotations

from typing import Any

import pytest

from tests.unit.process.pure_process import ITEM, KEY, first_state, order, quantity, report, shipment, work_order
from throughline.canonical import CanonicalDocument, Item, reference
from throughline.errors import Misconfigured
from throughline.rules import Act, Dossier, Linked, rule, rule_named

WO = "work_order:erp:WO-1"


def dossier(*documents: CanonicalDocument, released: bool = False, **more: Any) -> Dossier:
    owners = {"work_order": "erp", "production_report": "mes", "shipment": "wms"}
    linked = tuple(
        Linked(reference(d.kind, owners[d.kind], d.number), owners[d.kind], d) for d in (work_order(), *documents)
    )
    other = Item(number="FG-200", name="B", unit="pcs", made=True)
    return Dossier(
        key=KEY, item_id=f"{KEY}@2", linked=linked,
        referenced={**first_state(order()).referenced, "item:erp:FG-200": other},
        carried={("mes", "work_order"): frozenset({WO}), ("wms", "outbound_order"): frozenset(
            {"outbound_order:hub:OB-SO-1"})} if released else {}, **more,
    )  # fmt: skip


def decided(new: CanonicalDocument, *documents: CanonicalDocument, released: bool = True) -> dict[str, Any]:
    verdict: dict[str, Any] = rule_named("order_change", "decide")(order(), new, dossier(*documents, released=released))
    return verdict


def line(number: str, item: str, amount: int) -> dict[str, Any]:
    return {"line": number, "item": f"item:erp:{item}", "quantity": quantity(amount)}


MOVED = {"street": "港口路 2 号"}
OTHER = line("10", "FG-200", 10)
OLD, NEW = line("10", "FG-100", 10), line("20", "FG-200", 5)


@pytest.mark.parametrize(
    ("new", "documents", "released", "expected"),
    [
        (order(10), (), True, ("none", "in_production", "apply")),
        (order(12), (), False, ("increase", "before_release", "apply")),
        (order(12), (report("R", 10),), True, ("increase", "in_production", "apply")),
        (order(12), (shipment("D", 4),), True, ("increase", "after_goods_issue", "apply")),
        (order(12), (shipment("D", 10),), True, ("increase", "after_goods_issue", "refuse")),
        (order(6), (), False, ("decrease", "before_release", "apply")),
        (order(6), (report("R", 6),), True, ("decrease", "in_production", "apply")),
        (order(5), (report("R", 6),), True, ("decrease", "in_production", "refuse")),
        (order(3), (shipment("D", 4),), True, ("decrease", "after_goods_issue", "refuse")),
        (order(4), (shipment("D", 4),), True, ("decrease", "after_goods_issue", "apply")),
        (order(status="cancelled"), (), False, ("cancel", "before_release", "apply")),
        (order(status="cancelled"), (report("R", 6),), True, ("cancel", "in_production", "apply")),
        (order(status="cancelled"), (shipment("D", 1),), True, ("cancel", "after_goods_issue", "refuse")),
        (order(lines=[OLD, NEW]), (), True, ("lines", "in_production", "apply")),
        (order(lines=[NEW]), (), True, ("lines", "in_production", "apply")),
        (order(lines=[NEW]), (report("R", 1),), True, ("lines", "in_production", "refuse")),
        (order(lines=[OTHER]), (report("R", 1),), True, ("lines", "in_production", "refuse")),
        (order(ship_to=MOVED), (), True, ("address", "in_production", "apply")),
        (order(ship_to=MOVED), (shipment("D", 1),), True, ("address", "after_goods_issue", "refuse")),
        (order(requested_on="2026-12-24"), (), True, ("date", "in_production", "apply")),
        (order(requested_on="2026-12-24"), (shipment("D", 1),), True, ("date", "after_goods_issue", "refuse")),
    ],
)  # fmt: skip
def test_the_same_wish_is_answered_by_how_far_the_order_is(
    new: CanonicalDocument, documents: tuple[CanonicalDocument, ...], released: bool, expected: tuple[str, str, str]
) -> None:
    verdict = decided(new, *documents, released=released)
    assert (verdict["kind"], verdict["stage"], verdict["outcome"]) == expected
    assert all(len(verdict["sentence"][tongue]) > 10 for tongue in ("en", "zh"))


def test_quantities_in_another_unit_are_compared_by_the_items_own_factors() -> None:
    assert decided(order(lines=[{**OLD, "quantity": quantity("2.5", "carton")}]))["kind"] == "none"
    verdict = decided(order(lines=[{**OLD, "quantity": quantity(3, "carton")}]))
    assert verdict["lines"][0] | {"delta": "2", "before": "10", "after": "12"} == verdict["lines"][0]


def test_a_refusal_says_what_exists_already() -> None:
    verdict = decided(order(5), report("R", 6))
    assert "10: 6 pcs" in verdict["sentence"]["en"]
    assert "10: 6 pcs" in verdict["sentence"]["zh"]
    assert "return is offered" in decided(order(status="cancelled"), shipment("D", 1))["sentence"]["en"]


def followed(name: str, new: CanonicalDocument, *documents: CanonicalDocument) -> list[tuple[str, str, str]]:
    verdict = decided(new, *documents)
    papers = dossier(*documents, released=True, verdicts={"change": verdict})
    answer = rule_named(name, "make")(order(), new, papers)
    acts: list[Act] = answer if isinstance(answer, list) else [answer] if answer else []
    return [(act.operation, act.document.number, _amount(act.document)) for act in acts]


def _amount(document: CanonicalDocument) -> str:
    lines = getattr(document, "lines", None)
    return str((lines[0] if lines else document).quantity.value)  # type: ignore[union-attr]


def test_the_shop_floor_cancels_closes_reduces_or_adds() -> None:
    floor = "work_orders_after_change"
    assert followed(floor, order(status="cancelled")) == [("cancel", "WO-1", "10")]
    assert followed(floor, order(status="cancelled"), report("R", 4)) == [("close", "WO-1", "10")]
    assert followed(floor, order(status="cancelled"), report("R", 10, final=True)) == []
    assert followed(floor, order(6), report("R", 4)) == [("change", "WO-1", "6")]
    assert followed(floor, order(4), report("R", 4)) == [("close", "WO-1", "10")]
    assert followed(floor, order(12)) == [("create", "WO-1-S1", "2")]
    assert followed(floor, order(3), report("R", 4)) == []


def test_less_is_taken_from_the_youngest_supplement_first() -> None:
    extra = work_order("WO-2", 5)
    papers = dossier(extra, released=True)
    papers = Dossier(**{**vars(papers), "carried": {("mes", "work_order"): frozenset({WO, "work_order:erp:WO-2"})}})
    verdict = rule_named("order_change", "decide")(order(15), order(8), papers)
    after = Dossier(**{**vars(papers), "verdicts": {"change": verdict}})
    acts = rule_named("work_orders_after_change", "make")(order(15), order(8), after)
    assert [(act.operation, act.document.number) for act in acts] == [("cancel", "WO-2"), ("change", "WO-1")]
    assert acts[1].document.quantity.value == 8


def test_warehouse_and_erp_follow() -> None:
    assert followed("outbound_after_change", order(12)) == [("change", "OB-SO-1", "12")]
    assert followed("outbound_after_change", order(status="cancelled")) == [("cancel", "OB-SO-1", "10")]
    assert followed("order_after_change", order(12)) == [("change", "SO-1", "12")]
    assert followed("order_after_change", order(status="cancelled")) == [("cancel", "SO-1", "10")]
    assert followed("order_after_change", order(3), report("R", 4)) == []


def test_a_rule_may_look_at_nothing_else_and_names_are_unique() -> None:
    with pytest.raises(Misconfigured, match="may only look at subject, item and dossier"):
        rule("looks_at_the_clock", kind="decide")(lambda subject, now: {})
    with pytest.raises(Misconfigured, match="two rules named 'order_change'"):
        rule("order_change", kind="decide")(lambda subject: {})
    with pytest.raises(Misconfigured, match="no 'make' rule named 'order_change'; there are: change_answer"):
        rule_named("order_change", "make")
    assert ITEM.startswith("item:")
