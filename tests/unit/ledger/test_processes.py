"""A process is started once, loads with its documents, and changes in whole sets."""

from __future__ import annotations

from typing import Any

from throughline.connectors.contract import Captured
from throughline.ledger import Ledger
from throughline.ledger.entries import Translation
from throughline.ledger.work_entries import Changes, Link, ProcessChange, Start, StepChange

KEY = "sales_order:crm:SO-1"


def start(ledger: Ledger, *keys: str) -> list[tuple[int, bool]]:
    with ledger.transaction() as books:
        wishes = [Start("order_to_delivery", "v1", key, "crm") for key in keys]
        return [(s.process_id, s.new) for s in books.processes.start(wishes)]


def tell(ledger: Ledger, role: str, canonical_id: str, **canonical: Any) -> None:
    with ledger.transaction() as books:
        document = canonical_id.partition(":")[0]
        (row,) = books.records.store(role, [Captured(document, canonical_id, canonical)])
        books.records.translated([Translation(row.version_id, canonical_id, canonical)])


def test_a_second_start_answers_with_the_first(ledger: Ledger) -> None:
    ((first, new), (same, again)) = start(ledger, KEY, KEY)
    assert (same, new, again) == (first, True, False)
    ((other, fresh), (old, stale)) = start(ledger, "sales_order:crm:SO-2", KEY)
    assert (fresh, stale, old) == (True, False, first)
    with ledger.transaction() as books:
        assert books.processes.of([KEY]) == {KEY: [first]}
        assert [state.process.id for state in books.processes.list(keys=[KEY])] == [first]
        assert [state.process.id for state in books.processes.list()] == [other, first]


def test_a_process_loads_with_steps_and_documents_of_every_system(ledger: Ledger) -> None:
    ((process_id, _),) = start(ledger, KEY)
    tell(ledger, "crm", KEY, status="confirmed")
    tell(ledger, "erp", KEY, status="planned")
    tell(ledger, "erp", "work_order:erp:7", status="released")
    with ledger.transaction() as books:
        books.processes.apply(
            Changes(
                steps=[
                    StepChange(process_id, "erp_order", "", "ready"),
                    StepChange(process_id, "mes_work_order", "work_order:erp:7", "waiting", verdict={"kind": "x"}),
                ],
                links=[Link(process_id, "work_order:erp:7", "work_order", "erp")] * 2,
            )
        )
        (state,) = books.processes.load([process_id])
    assert [(s.step, s.item, s.state) for s in state.steps] == [
        ("erp_order", "", "ready"),
        ("mes_work_order", "work_order:erp:7", "waiting"),
    ]
    assert state.steps[1].verdict == {"kind": "x"}
    assert {(d.canonical_id, d.role): d.canonical["status"] for d in state.documents} == {
        (KEY, "crm"): "confirmed",
        (KEY, "erp"): "planned",
        ("work_order:erp:7", "erp"): "released",
    }


def test_a_step_keeps_its_times_through_its_changes(ledger: Ledger, clock: Any) -> None:
    ((process_id, _),) = start(ledger, KEY)
    due = clock.now.replace(hour=9)
    with ledger.transaction() as books:
        books.processes.apply(Changes(steps=[StepChange(process_id, "erp_order", "", "ready", due_at=due)]))
    clock.pass_(seconds=2)
    with ledger.transaction() as books:
        books.processes.claim("order_to_delivery", "erp_order", limit=1, holder="a", seconds=30)
    clock.pass_(seconds=3)
    with ledger.transaction() as books:
        change = StepChange(process_id, "erp_order", "", "done", document="sales_order:crm:SO-1")
        books.processes.apply(Changes(steps=[change], processes=[ProcessChange(process_id, "finished")]))
    with ledger.transaction() as books:
        (state,) = books.processes.list(state="finished")
    (step,) = state.steps
    assert (step.seconds, step.due_at, step.document, step.attempts) == (3.0, due, "sales_order:crm:SO-1", 1)
    assert state.process.finished_at == clock.now


def test_a_passed_deadline_is_reported_until_somebody_was_told(ledger: Ledger, clock: Any) -> None:
    ((process_id, _),) = start(ledger, KEY)
    with ledger.transaction() as books:
        due = clock.now.replace(minute=15)
        books.processes.apply(Changes(steps=[StepChange(process_id, "supply", "", "waiting", due_at=due)]))
        assert books.steps.work_waits(["order_to_delivery"]) == []
    clock.pass_(minutes=16)
    with ledger.transaction() as books:
        assert books.steps.work_waits(["order_to_delivery"]) == ["order_to_delivery"]
        (late,) = books.steps.due("order_to_delivery")
        books.steps.overdue([late.id])
        assert books.steps.due("order_to_delivery") == []
        assert books.steps.work_waits(["order_to_delivery"]) == []


def test_deadlines_of_an_ended_process_are_nobodys(ledger: Ledger, clock: Any) -> None:
    ((process_id, _),) = start(ledger, KEY)
    with ledger.transaction() as books:
        step = StepChange(process_id, "supply", "", "waiting", due_at=clock.now)
        books.processes.apply(Changes(steps=[step], processes=[ProcessChange(process_id, "cancelled")]))
        assert books.steps.due("order_to_delivery") == []
        assert books.steps.work_waits(["order_to_delivery"]) == []
