"""The checker itself, on histories made by hand: a right one passes, and each invariant violated once is found."""

from __future__ import annotations

import ast
import copy
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker import RULES, judge
from tests.faults.checking_case import Case

MOMENT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ORDER = {
    "id": "crm-o-SO-1", "no": "SO-1", "version": 1, "status": "confirmed", "currency": "CNY", "customer": "crm-c-1",
    "ordered": int(MOMENT.timestamp() * 1000), "wanted": "2026-05-11", "po": "PO 𠮷", "remark": "a\nb",
    "ship": {"who": "青岛", "street": "Łódź 1"},
    "lines": [{"id": "SO-1-l1", "no": "10", "item": "crm-i-FG-100", "qty": "3", "unit": "carton", "price": "19.95"}],
}  # fmt: skip
IN_ERP = {
    "reference": "SO-1", "currency": "CNY", "customer": "C-1", "ordered": "2026-03-02 16:00:00",
    "wanted": "2026-05-11", "po": "PO 𠮷", "remark": "a\nb", "ship": {"who": "青岛", "street": "Łódź 1"},
    "lines": [{"ref": "10", "item": "erp-i-FG-100", "qty": "3", "unit": "carton", "price": "19.95"}],
}  # fmt: skip
TOLD = {
    "DeliveryNo": "DN-OB-SO-1-1", "OMSOrderNo": "OB-SO-1", "TrackingNo": "SF1", "status": "99",
    "shippedTime": "2026-03-02 16:05:00", "item": [{"lineNo": "10", "sku": "FG-100", "QtyShipped": "12"}],
}  # fmt: skip


def effect(t: float, who: str, kind: str, reference: str, data: Any, operation: str = "create") -> dict[str, Any]:
    return {"t": t, "who": who, "what": "effect", "kind": kind, "operation": operation, "reference": reference,
            "key": f"key {who} {kind} {operation} {reference}", "id": f"{who}-{kind}-1", "data": data}  # fmt: skip


def news(t: float, name: str, status: str, message: str = "") -> dict[str, Any]:
    return effect(
        t, "crm", "order_update", f"SO-1-{name}", {"order": "crm-o-SO-1", "status": status, "message": message}
    )


def right() -> Case:
    """One order on its whole way, without a fault."""
    history = [
        {"t": 1.0, "who": "crm", "what": "commits", "kind": "sales_order", "id": "crm-o-SO-1", "visible": 1.0,
         "body": copy.deepcopy(ORDER)},
        effect(2.0, "erp", "sales_order", "SO-1", copy.deepcopy(IN_ERP)),
        news(3.0, "accepted", "accepted"),
        effect(4.0, "wms", "outbound_order", "OB-SO-1", {}),
        {"t": 5.0, "who": "wms", "what": "tells", "method": "confirmSOData", "number": TOLD["DeliveryNo"],
         "body": copy.deepcopy(TOLD)},
        {"t": 5.1, "who": "wms", "what": "is answered", "method": "confirmSOData", "number": TOLD["DeliveryNo"],
         "status": 200, "accepted": True},
        effect(6.0, "erp", "shipment", "DN-OB-SO-1-1", {"order": "erp-sales_order-1", "lines": [
            {"line": "erp-sales_order-1-l1", "item": "erp-i-FG-100", "qty": "12"}]}),
        effect(6.1, "crm", "shipment", "DN-OB-SO-1-1", {
            "shipped": int(datetime(2026, 3, 2, 8, 5, tzinfo=UTC).timestamp() * 1000), "tracking": "SF1",
            "lines": [{"line": "SO-1-l1", "item": "crm-i-FG-100", "qty": "3", "unit": "carton"}]}),
        effect(6.2, "mail", "notice", "DN-OB-SO-1-1-notice", {}),
        news(7.0, "closed", "closed"),
    ]  # fmt: skip
    deliveries = [
        {"id": n, "effect_key": e["key"], "process_id": 1, "step": f"s{n}", "item": "", "role": e["who"],
         "document": e["kind"], "operation": e["operation"], "reference": e["reference"], "state": "confirmed"}
        for n, e in enumerate((e for e in history if e["what"] == "effect"), 1)
    ]  # fmt: skip
    ledger = {
        "inbox": [{"id": 1, "role": "wms", "message_kind": "confirmSOData", "read_at": MOMENT, "problem": None,
                   "message_id": "confirmSOData:DN-OB-SO-1-1:abc"}],
        "versions": [{"id": 1, "role": "crm", "document": "sales_order", "state": "translated", "awaited": None,
                      "their_id": "crm-o-SO-1", "number": "SO-1", "canonical_id": "c", "deleted": False}],
        "processes": [{"id": 1, "flow": "order_to_delivery", "key": "sales_order:crm:SO-1", "state": "finished",
                       "lease_holder": None}],
        "steps": [{"process_id": 1, "step": "s1", "item": "", "state": "done", "signature": None, "awaited": None}],
        "deliveries": deliveries, "parked": [], "breakers": [], "audit": chain(deliveries),
    }  # fmt: skip
    return Case("order_to_delivery", history, ledger, quiet=True, storm_ended=0.0, broken=[], calm=True)


def chain(deliveries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    seal = "0" * 64
    for seq, row in enumerate(deliveries, 1):
        details = json.dumps({"effect": row["effect_key"]}, separators=(",", ":"))
        content = [seal, seq, MOMENT.isoformat(), "hub", "create", "x", 1, details]
        spelled = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        own = hashlib.sha256(spelled.encode()).hexdigest()
        rows.append({"seq": seq, "at": MOMENT, "actor": "hub", "action": "create", "subject": "x", "process_id": 1,
                     "details": details, "prev_hash": seal, "hash": own})  # fmt: skip
        seal = own
    return rows


def without(case: Case, role: str, kind: str) -> None:
    case.history[:] = [e for e in case.history if not (e["what"] == "effect" and (e["who"], e["kind"]) == (role, kind))]


def at(case: Case, role: str, kind: str) -> dict[str, Any]:
    return next(e for e in case.history if e["what"] == "effect" and (e["who"], e["kind"]) == (role, kind))


def order_changed(case: Case) -> None:
    """A second revision, which nobody carried anywhere."""
    body = {**copy.deepcopy(ORDER), "version": 2, "wanted": "2026-06-01"}
    case.history.insert(4, {"t": 4.5, "who": "crm", "what": "commits", "kind": "sales_order", "id": "crm-o-SO-1",
                            "visible": 4.5, "body": body})  # fmt: skip


def went_back(case: Case) -> None:
    order_changed(case)
    newer = {**copy.deepcopy(IN_ERP), "wanted": "2026-06-01"}
    case.history.insert(5, effect(4.6, "erp", "sales_order", "SO-1", newer, "change"))
    case.history.insert(6, effect(4.7, "erp", "sales_order", "SO-1", copy.deepcopy(IN_ERP), "change"))


def asked_to_wait(case: Case) -> None:
    about = "erp sales_order create SO-1"
    case.history.insert(1, {"t": 1.5, "who": "erp", "what": "asks to wait", "about": about, "seconds": 20.0})
    case.history.insert(2, {"t": 1.9, "who": "sweeper", "what": "calls", "about": about, "gust": "fine"})


def poisoned(case: Case) -> None:
    body = {**copy.deepcopy(ORDER), "no": "SO-POISON"}
    case.history.insert(0, {"t": 0.5, "who": "crm", "what": "commits", "kind": "sales_order", "id": "crm-o-poison",
                            "visible": 0.5, "body": body})  # fmt: skip
    case.ledger["versions"].append({**case.ledger["versions"][0], "id": 2, "their_id": "crm-o-poison"})


WRONGS: list[tuple[str, str, Callable[[Case], Any]]] = [
    ("I1", "never reached the ERP", lambda case: without(case, "erp", "sales_order")),
    ("I1", "never reached mail", lambda case: without(case, "mail", "notice")),
    ("I1", "accepted and is nowhere", lambda case: case.ledger["inbox"].clear()),
    ("I2", "took effect 2 times", lambda case: case.history.append(dict(at(case, "erp", "sales_order")))),
    ("I3", "went back from revision", went_back),
    ("I3", "after it was closed", lambda case: case.history.append(news(9.0, "change-2", "shipped"))),
    ("I4", "stands at revision 1 of 2", order_changed),
    ("I4", "and the order is finished", lambda case: case.shipments["DN-OB-SO-1-1"]["item"][0].update(QtyShipped="11")),
    ("I5", "the ERP's total", lambda case: at(case, "erp", "sales_order")["data"]["lines"][0].update(price="19.96")),
    ("I5", "crm has", lambda case: at(case, "crm", "shipment")["data"]["lines"][0].update(qty="4")),
    ("I5", "is pending at the end", lambda case: case.ledger["versions"][0].update(state="pending")),
    ("I6", "is in_doubt for ever", lambda case: case.ledger["deliveries"][0].update(state="in_doubt")),
    ("I6", "is leased by", lambda case: case.ledger["processes"][0].update(lease_holder="somebody")),
    ("I6", "still running", lambda case: case.ledger["processes"][0].update(state="running")),
    ("I6", "the hub broke", lambda case: case.broken.append("KeyError")),
    ("I7", "is in no audit", lambda case: case.ledger["audit"].pop()),
    ("I7", "breaks at line 3", lambda case: case.ledger["audit"][2].update(actor="somebody else")),
    ("I7", "breaks at line 2", lambda case: case.ledger["audit"].pop(1)),
    ("I8", "texts are not the order's", lambda case: at(case, "erp", "sales_order")["data"].update(po="PO ?")),
    ("I8", "another moment", lambda case: at(case, "crm", "shipment")["data"].update(shipped=1)),
    ("I8", "is not of", lambda case: at(case, "erp", "shipment")["data"]["lines"][0].update(line="erp-sales_order-1")),
    ("I9", "is not parked", poisoned),
    ("I9", "too early", asked_to_wait),
    ("I9", "although nothing was wrong", lambda case: at(case, "erp", "sales_order").update(t=100.0)),
    ("I10", "never came to rest", lambda case: setattr(case, "quiet", False)),
    ("I10", "after the last trouble", lambda case: at(case, "mail", "notice").update(t=9000.0)),
]  # fmt: skip


def test_a_right_history_passes() -> None:
    assert judge(right()) == []


@pytest.mark.parametrize(("invariant", "words", "wrong"), WRONGS, ids=[f"{w[0]} {w[1]}" for w in WRONGS])
def test_what_is_wrong_is_found(invariant: str, words: str, wrong: Callable[[Case], Any]) -> None:
    case = right()
    wrong(case)
    found = judge(case)
    assert any(one.invariant == invariant and words in one.sentence for one in found), found


def test_every_invariant_has_a_rule_and_a_test() -> None:
    names = {f"I{n}" for n in range(1, 11)}
    assert {invariant for invariant, _ in RULES} == names == {wrong[0] for wrong in WRONGS}


def test_the_checker_shares_no_code_with_the_hub() -> None:
    own = {"tests.faults.checker", *(f"tests.faults.{p.stem}" for p in Path(__file__).parent.glob("checking_*.py"))}
    for name in own:
        path = Path(__file__).parents[2] / f"{name.replace('.', '/')}.py"
        for node in ast.walk(ast.parse(path.read_text())):
            named = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for module in named:
                assert not module.startswith("throughline"), f"{path.name} imports {module}"
                assert not module.startswith("tests.") or module in {*own, "tests.faults"}, f"{path.name}: {module}"
