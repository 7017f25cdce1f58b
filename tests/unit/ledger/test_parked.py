"""What stops is listed by cause and goes on, once, after somebody mended it."""

from __future__ import annotations

from throughline.connectors.contract import Captured
from throughline.ledger import Ledger
from throughline.ledger.entries import Failure, Translation, Waiting
from throughline.ledger.work_entries import Case, Changes, Start, StepChange


def park(ledger: Ledger, count: int = 3) -> list[int]:
    with ledger.transaction() as books:
        started = books.processes.start([Start("f", "1", f"sales_order:crm:SO-{n}") for n in range(count)])
        ids = [process.process_id for process in started]
        books.processes.apply(Changes(steps=[StepChange(id_, "erp_order", "", "running") for id_ in ids]))
        for _ in range(2):
            books.parked.park(
                [
                    Case(
                        f"sales_order:crm:SO-{n}",
                        "Rejected",
                        "Rejected:erp:1",
                        "No item.",
                        id_,
                        "erp_order",
                        role="erp",
                    )
                    for n, id_ in enumerate(ids)
                ]
            )
    return ids


def test_cases_are_grouped_by_cause_and_replayed_once(ledger: Ledger) -> None:
    ids = park(ledger)
    with ledger.transaction() as books:
        (group,) = books.parked.by_signature()
        assert (group.count, group.role, group.reason) == (3, "erp", "No item.")
        assert {step.state for step in books.steps.of(ids)} == {"parked"}
        assert books.steps.ready_work("f") == {}
        assert len(books.parked.replay(signature="Rejected:erp:1", by="wang")) == 3
        assert books.parked.replay(signature="Rejected:erp:1", by="wang") == []
        assert books.steps.ready_work("f") == {"erp_order": 3}
    with ledger.transaction() as books:
        lines = books.audit.lines()
    assert [(line.actor, line.action) for line in lines] == [("wang", "replay")] * 3


def test_one_case_is_replayed_by_its_key_or_its_number(ledger: Ledger) -> None:
    park(ledger)
    with ledger.transaction() as books:
        (one,) = books.parked.replay(keys=["sales_order:crm:SO-1"], by="wang")
        assert one.subject == "sales_order:crm:SO-1"
        rest = books.parked.open()
        assert len(books.parked.replay(ids=[rest[0].id], by="wang")) == 1
        assert books.parked.replay(by="wang") == []
        assert len(books.parked.open(subject="sales_order:crm:SO-2")) == 1


def test_a_failed_version_is_parked_and_pending_again_after_replay(ledger: Ledger) -> None:
    with ledger.transaction() as books:
        (row,) = books.records.store("crm", [Captured("sales_order", "a1", {"x": 1}, number="SO-9")])
        books.records.failed([Failure(row.version_id, "No currency.", "Invalid:crm")])
        assert not books.records.has_pending()
        (case,) = books.parked.open(role="crm")
        assert (case.subject, case.version_id) == ("sales_order SO-9", row.version_id)
        books.parked.replay(ids=[case.id], by="wang")
        assert [version.version_id for version in books.records.pending()] == [row.version_id]


def test_a_step_the_process_itself_moves_on_leaves_the_parking_lot(ledger: Ledger) -> None:
    first, *_ = park(ledger)
    with ledger.transaction() as books:
        books.processes.apply(Changes(steps=[StepChange(first, "erp_order", "", "waiting")]))
        assert {case.process_id for case in books.parked.open()} == {first + 1, first + 2}


def test_a_newer_version_that_fits_takes_the_failed_one_out_of_the_parking_lot(ledger: Ledger) -> None:
    with ledger.transaction() as books:
        rows = books.records.store("crm", [Captured("sales_order", "a1", {"x": n}, number="SO-9") for n in (1, 2, 3)])
        first, second, third = (row.version_id for row in rows)
        books.records.failed([Failure(first, "No currency.", "Invalid:crm")])
        books.records.waiting([Waiting(second, "crm/customer/7", "Who is 7?", "Unknown:crm")])
        books.records.translated([Translation(third, "sales_order:crm:SO-9", {"x": 3})])
        assert books.parked.open() == []
        states = [version.state for version in books.records.versions(["sales_order:crm:SO-9"])]
    assert states == ["superseded", "superseded", "translated"]
