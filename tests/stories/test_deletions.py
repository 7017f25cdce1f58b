"""A document deleted at its source: a person decides, and a confirmed order is never dropped silently."""

from __future__ import annotations

import pytest

from tests.stories.plant import Plant, quantity
from throughline.connectors.contract import Captured

ORDER = "sales_order:crm:SO-1"


@pytest.fixture
def plant(postgres_dsn: str) -> Plant:
    return Plant(postgres_dsn)


def delete(plant: Plant, role: str = "crm", document: str = "sales_order", number: str = "SO-1") -> None:
    """The system says (or a snapshot finds) that its record is gone: its last content, marked as deleted."""
    plant.clock.pass_time(seconds=1)
    their_id = f"{role}-{document}-{number}"
    with plant.ledger.transaction() as books:
        raw = books.records._session.value(
            "select p.body from source_records r join record_versions v on v.id = r.version_id"
            " join payloads p on p.version_id = v.id and p.part = 'raw' where r.role = %s and r.their_id = %s",
            role, their_id,
        )  # fmt: skip
    plant.engine.keep(role, [Captured(document, their_id, raw, number, deleted=True)])
    plant.engine.take_in()


def replay(plant: Plant) -> int:
    cases = plant.engine.replay(signature=signature(plant), by="a person")
    plant.engine.take_in()
    return len(cases)


def signature(plant: Plant) -> str:
    with plant.ledger.transaction() as books:
        (group,) = books.parked.by_signature()
    assert group.error_kind == "Deleted"
    return group.signature


async def test_a_deleted_order_under_way_is_a_persons_case_and_then_a_cancellation(plant: Plant) -> None:
    await plant.up_to_production()
    delete(plant)
    await plant.run()
    (reason,) = plant.parked()
    assert "'SO-1' is gone in crm while" in reason
    assert plant.process().process.state == "running"
    assert not plant.mes.of("work_order", "cancel")
    plant.crm.closed_for_editing.add(ORDER)
    assert replay(plant) == 1
    await plant.run()
    assert [write.reference for write in plant.mes.of("work_order", "cancel")] == ["WO-SO-1"]
    assert plant.process().process.state == "cancelled", plant.states()
    assert not plant.parked()


async def test_a_deleted_order_nobody_wrote_anywhere_yet_is_cancelled_when_a_person_says_so(plant: Plant) -> None:
    plant.master_data()
    plant.order()
    delete(plant)
    assert len(plant.parked()) == 1
    replay(plant)
    await plant.run()
    assert plant.process().process.state == "cancelled"
    assert not plant.erp.writes


async def test_an_order_confirmed_and_deleted_before_anybody_looked_is_a_persons_case(plant: Plant) -> None:
    plant.master_data()
    raw = {"number": "SO-1", "status": "confirmed", "customer": "customer:crm:C-1001", "contact_email": "a@b.example",
           "lines": [{"line": "10", "item": "item:erp:FG-100", "quantity": quantity(10)}]}  # fmt: skip
    their_id = "crm-sales_order-SO-1"
    plant.engine.keep("crm", [Captured("sales_order", their_id, raw, "SO-1")])
    plant.engine.keep("crm", [Captured("sales_order", their_id, raw, "SO-1", deleted=True)])
    plant.engine.take_in()
    assert len(plant.parked()) == 1
    replay(plant)
    await plant.run()
    assert plant.process().process.state == "cancelled"
    assert not plant.erp.writes


async def test_a_deletion_that_is_taken_back_needs_nobody_and_changes_nothing(plant: Plant) -> None:
    await plant.up_to_production()
    delete(plant)
    plant.order()
    await plant.run()
    assert not plant.parked()
    assert plant.process().process.state == "running"
    plant.mes_reports("R-1", "WO-SO-1", 10, final=True)
    await plant.run()
    plant.wms_receives("RC-1", "R-1", 10)
    plant.wms_ships("D-1", 10, last=True)
    await plant.run()
    assert plant.process().process.state == "finished", plant.states()


async def test_a_deleted_report_of_an_order_under_way_is_a_persons_case_too(plant: Plant) -> None:
    await plant.up_to_production()
    plant.mes_reports("R-1", "WO-SO-1", 4)
    await plant.run()
    delete(plant, "mes", "production_report", "R-1")
    assert "production_report 'R-1' is gone in mes" in plant.parked()[0]
    with plant.ledger.transaction() as books:
        (report,) = books.records.current(["production_report:mes:R-1"])
    assert not report.deleted
    assert report.canonical["good"] == quantity(4)


async def test_what_no_process_waits_for_is_only_marked(plant: Plant) -> None:
    plant.master_data()
    plant.item_is_told("FG-300")
    delete(plant, "erp", "item", "FG-300")
    assert not plant.parked()
    with plant.ledger.transaction() as books:
        (item,) = books.records.current(["item:erp:FG-300"])
    assert item.deleted
    assert plant.audit("deleted") == ["item:erp:FG-300"]
    plant.item_is_told("FG-300")
    with plant.ledger.transaction() as books:
        (item,) = books.records.current(["item:erp:FG-300"])
    assert not item.deleted


async def test_the_end_of_a_finished_order_is_nobodys_case(plant: Plant) -> None:
    await plant.up_to_production()
    plant.mes_reports("R-1", "WO-SO-1", 10, final=True)
    await plant.run()
    plant.wms_receives("RC-1", "R-1", 10)
    plant.wms_ships("D-1", 10, last=True)
    await plant.run()
    assert plant.process().process.state == "finished", plant.states()
    delete(plant)
    assert not plant.parked()
    assert plant.audit("deleted") == [ORDER]
