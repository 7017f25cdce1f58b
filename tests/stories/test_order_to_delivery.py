"""Order to delivery, case by case, over the real ledger: mission 5.1's table in executable form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.stories.plant import FLOW, Plant, quantity
from tests.stories.scripted_systems import Killed, answer_lost, busy, killed, refused, request_lost, slow_down
from throughline.process.surroundings import Writing


@pytest.fixture
def plant(postgres_dsn: str) -> Plant:
    return Plant(postgres_dsn)


async def to_the_end(plant: Plant, amount: int = 10) -> None:
    plant.mes_reports("R-1", "WO-SO-1", amount, final=True)
    await plant.run()
    plant.wms_receives("RC-1", "R-1", amount)
    await plant.run()
    plant.wms_ships("D-1", amount, last=True)
    await plant.run()


async def test_the_whole_way_of_one_order(plant: Plant) -> None:
    await plant.up_to_production()
    await to_the_end(plant)
    assert plant.process().process.state == "finished", plant.states()
    assert [write.reference for write in plant.erp.of("sales_order")] == ["SO-1"]
    assert [write.reference for write in plant.mes.of("work_order")] == ["WO-SO-1"]
    assert [write.reference for write in plant.wms.of("receipt_notice")] == ["RN-R-1"]
    assert len(plant.erp.of("receipt")) == len(plant.erp.of("shipment")) == len(plant.crm.of("shipment")) == 1
    assert [write.payload["status"] for write in plant.crm.of("order_update")] == ["accepted", "closed"]
    assert plant.crm.of("order_update")[0].payload["erp_number"] == "ERP-SO-1"
    (letter,) = plant.mail.of("notice")
    assert "FG-100" in letter.payload["body"]
    assert "This completes your order." in letter.payload["body"]


async def test_o2d_01_same_confirmation_twice(plant: Plant) -> None:
    plant.master_data()
    plant.order()
    plant.order()
    plant.order(remark=None)
    await plant.run()
    plant.order()
    await plant.run()
    assert len(plant.erp.of("sales_order")) == 1
    assert len(plant.states()["erp_order"]) == 1
    assert len(plant.crm.of("order_update")) == 1


async def test_o2d_02_timeout_after_commit(plant: Plant) -> None:
    plant.master_data()
    plant.erp.next_time("sales_order", answer_lost)
    plant.order()
    await plant.run()
    assert plant.step("erp_order").state == "retrying"
    await plant.run(minutes=2)
    assert plant.step("erp_order").state == "done"
    assert len(plant.erp.of("sales_order")) == plant.erp.calls["sales_order", "create"] == 1
    assert plant.crm.of("order_update")[0].payload["erp_number"] == "ERP-SO-1"


async def test_o2d_02_timeout_before_commit(plant: Plant) -> None:
    plant.master_data()
    plant.erp.next_time("sales_order", request_lost)
    plant.order()
    await plant.run(minutes=2)
    assert len(plant.erp.of("sales_order")) == 1
    assert plant.erp.calls["sales_order", "create"] == 2
    assert plant.erp.finds == 1


async def test_o2d_02_a_target_that_only_searches_is_given_time_for_late_execution(plant: Plant) -> None:
    await plant.up_to_production()
    plant.erp.next_time("shipment", answer_lost)
    plant.wms_ships("D-1", 4)
    await plant.run()
    plant.clock.pass_time(seconds=30)
    await plant.run()
    assert plant.erp.finds == 0
    plant.clock.pass_time(seconds=35)
    await plant.run()
    assert plant.step("erp_shipment").state == "done"
    assert len(plant.erp.of("shipment")) == 1


async def test_o2d_03_customer_unknown_resumes_by_itself(plant: Plant) -> None:
    plant.master_data(customers=False)
    plant.order(needs="crm-customer-C-1001")
    await plant.run()
    with plant.ledger.transaction() as books:
        assert books.processes.list(flow=FLOW) == []
        assert not books.parked.open()
    plant.customer_is_told()
    plant.engine.take_in()
    await plant.run()
    assert [write.reference for write in plant.erp.of("sales_order")] == ["SO-1"]


async def test_o2d_04_item_unknown_in_the_erp_waits_and_resumes(plant: Plant) -> None:
    plant.master_data(items=False)
    plant.item_is_told("FG-200")
    plant.order("SO-1")
    plant.order("SO-2", lines=[("10", "FG-200", quantity(1))])
    await plant.run()
    step = plant.step("erp_order")
    assert (step.state, step.awaited) == ("waiting_for", "item:erp:FG-100@erp")
    assert plant.step("erp_order", number="SO-2").state == "done"
    assert not plant.mes.writes
    plant.item_is_told("FG-100")
    await plant.run()
    assert sorted(write.reference for write in plant.erp.of("sales_order")) == ["SO-1", "SO-2"]


async def test_o2d_04_a_corrected_order_is_a_second_chance(plant: Plant) -> None:
    plant.master_data()
    plant.erp.next_time("sales_order", refused)
    plant.order(lines=[("10", "FG-100", quantity(7))])
    await plant.run()
    assert plant.step("erp_order").state == "parked"
    with plant.ledger.transaction() as books:
        (group,) = books.parked.by_signature()
    assert (group.count, group.error_kind) == (1, "Rejected")
    plant.order(lines=[("10", "FG-100", quantity(8))])
    await plant.run()
    (write,) = plant.erp.of("sales_order")
    assert write.payload["lines"][0]["quantity"]["value"] == "8"
    assert plant.states().get("change") is None


async def test_a_rule_that_breaks_on_one_document_parks_it_alone(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    from throughline.process import delivery_jobs

    asked = delivery_jobs.Preparation._documents

    def breaks(self: delivery_jobs.Preparation, job: delivery_jobs.Job) -> object:
        if job.state.key.endswith("SO-1"):
            raise KeyError("no such unit")
        return asked(self, job)

    monkeypatch.setattr(delivery_jobs.Preparation, "_documents", breaks)
    plant.master_data()
    plant.order("SO-1")
    plant.order("SO-2")
    await plant.run()
    assert [plant.step("erp_order", number=n).state for n in ("SO-1", "SO-2")] == ["parked", "done"]


async def test_o2d_04_replay_after_a_refusal_sends_once(plant: Plant) -> None:
    plant.master_data()
    plant.erp.next_time("sales_order", refused)
    plant.order("SO-1")
    plant.order("SO-2")
    await plant.run()
    assert sorted(plant.step("erp_order", number=n).state for n in ("SO-1", "SO-2")) == ["done", "parked"]
    with plant.ledger.transaction() as books:
        (group,) = books.parked.by_signature()
    assert len(plant.engine.replay(signature=group.signature, by="hannah")) == 1
    assert plant.engine.replay(signature=group.signature, by="hannah") == []
    await plant.run()
    assert sorted(write.reference for write in plant.erp.of("sales_order")) == ["SO-1", "SO-2"]


async def test_o2d_08_quantity_up_in_production_becomes_a_supplement(plant: Plant) -> None:
    await plant.up_to_production()
    plant.order(lines=[("10", "FG-100", quantity(12))])
    await plant.run()
    verdict = plant.step("change").verdict
    assert (verdict["kind"], verdict["stage"], verdict["outcome"]) == ("increase", "in_production", "apply")
    assert [(w.reference, w.payload["quantity"]["value"]) for w in plant.mes.of("work_order")] == [
        ("WO-SO-1", "10"), ("WO-SO-1-S1", "2")]  # fmt: skip
    assert plant.mes.of("work_order")[1].payload["supplements"] == "work_order:erp:WO-SO-1"
    assert not plant.mes.of("work_order", "change")
    assert plant.erp.of("sales_order", "change")[0].payload["lines"][0]["quantity"]["value"] == "12"
    assert plant.wms.of("outbound_order", "change")[0].payload["lines"][0]["quantity"]["value"] == "12"
    assert "accepted" in plant.crm.of("order_update")[-1].payload["message"]
    assert len(plant.mail.of("notice")) == 1
    plant.mes_reports("R-1", "WO-SO-1", 10, final=True)
    plant.mes_reports("R-2", "WO-SO-1-S1", 2, final=True)
    await plant.run()
    plant.wms_receives("RC-1", "R-1", 10)
    plant.wms_receives("RC-2", "R-2", 2)
    plant.wms_ships("D-1", 10)
    await plant.run()
    assert plant.process().process.state == "running"
    plant.wms_ships("D-2", 2)
    await plant.run()
    assert plant.process().process.state == "finished", plant.states()


async def test_o2d_08_quantity_up_before_the_erp_told_its_plan(plant: Plant) -> None:
    plant.master_data()
    plant.order(lines=[("10", "FG-100", quantity(10))])
    await plant.run()
    plant.order(lines=[("10", "FG-100", quantity(12))])
    await plant.run()
    assert plant.step("change").verdict["stage"] == "before_release"
    waits = plant.step("mes_change")
    assert (waits.state, waits.awaited) == ("retrying", "sales_order:crm:SO-1@erp")
    assert "has not told its work order" in (waits.error or "")
    plant.erp_plans("WO-SO-1", 10)
    await plant.run(minutes=2)
    await made_and_shipped_once(plant)


async def test_o2d_08_quantity_up_when_the_plan_has_not_reached_the_shop_floor(plant: Plant) -> None:
    plant.master_data()
    plant.order(lines=[("10", "FG-100", quantity(10))])
    await plant.run()
    plant.erp_plans("WO-SO-1", 10)
    plant.order(lines=[("10", "FG-100", quantity(12))])
    await plant.run()
    assert plant.step("change").verdict["stage"] == "before_release"
    await made_and_shipped_once(plant)


async def made_and_shipped_once(plant: Plant) -> None:
    """Twelve pieces, ten as the ERP planned them and two as a supplement, are made and shipped, and no more."""
    floor = {write.reference: write.payload["quantity"]["value"] for write in plant.mes.of("work_order")}
    assert floor == {"WO-SO-1": "10", "WO-SO-1-S1": "2"}
    assert len(plant.mes.of("work_order")) == 2
    assert not plant.mes.of("work_order", "change")
    assert plant.erp.of("sales_order", "change")[0].payload["lines"][0]["quantity"]["value"] == "12"
    assert plant.wms.of("outbound_order", "change")[0].payload["lines"][0]["quantity"]["value"] == "12"
    plant.mes_reports("R-1", "WO-SO-1", 10, final=True)
    plant.mes_reports("R-2", "WO-SO-1-S1", 2, final=True)
    await plant.run()
    plant.wms_receives("RC-1", "R-1", 10)
    plant.wms_receives("RC-2", "R-2", 2)
    plant.wms_ships("D-1", 12)
    await plant.run()
    assert plant.process().process.state == "finished", plant.states()
    assert len(plant.mes.of("work_order")) == 2
    assert sum(int(w.payload["lines"][0]["quantity"]["value"]) for w in plant.erp.of("receipt")) == 12
    assert not plant.parked()


async def test_o2d_08_more_of_what_lies_in_stock_waits_for_no_production(plant: Plant) -> None:
    plant.master_data()
    plant.order(lines=[("10", "RM-001", quantity(3))])
    await plant.run()
    plant.order(lines=[("10", "RM-001", quantity(5))])
    await plant.run()
    assert not plant.mes.writes
    plant.wms_ships("D-1", 5, item="RM-001")
    await plant.run()
    assert plant.process().process.state == "finished", plant.states()


async def test_o2d_08_before_anything_was_written_the_newest_version_is_the_order(plant: Plant) -> None:
    plant.master_data()
    plant.order(lines=[("10", "FG-100", quantity(10))])
    plant.order(lines=[("10", "FG-100", quantity(11))])
    await plant.run()
    (write,) = plant.erp.of("sales_order")
    assert write.payload["lines"][0]["quantity"]["value"] == "11"
    assert not plant.erp.of("sales_order", "change")


async def test_o2d_09_quantity_down_in_production(plant: Plant) -> None:
    await plant.up_to_production()
    plant.mes_reports("R-1", "WO-SO-1", 4)
    await plant.run()
    plant.order(lines=[("10", "FG-100", quantity(6))])
    await plant.run()
    assert plant.step("change").verdict["outcome"] == "apply"
    assert plant.mes.of("work_order", "change")[0].payload["quantity"]["value"] == "6"
    assert plant.erp.of("sales_order", "change")[0].payload["lines"][0]["quantity"]["value"] == "6"


async def test_o2d_09_quantity_down_to_what_is_made_closes_the_work_order(plant: Plant) -> None:
    await plant.up_to_production()
    plant.mes_reports("R-1", "WO-SO-1", 4)
    await plant.run()
    plant.order(lines=[("10", "FG-100", quantity(4))])
    await plant.run()
    assert [write.reference for write in plant.mes.of("work_order", "close")] == ["WO-SO-1"]


async def test_o2d_09_a_supplement_taken_back_does_not_count_for_later_scrap(plant: Plant) -> None:
    await plant.up_to_production()
    plant.order(lines=[("10", "FG-100", quantity(12))])
    await plant.run()
    plant.order(lines=[("10", "FG-100", quantity(6))])
    await plant.run()
    assert [write.reference for write in plant.mes.of("work_order", "cancel")] == ["WO-SO-1-S1"]
    plant.mes_reports("R-1", "WO-SO-1", 5, scrap=1, final=True)
    await plant.run()
    added = plant.mes.of("work_order")[-1]
    assert (added.reference, added.payload["quantity"]["value"]) == ("WO-SO-1-S2", "1")


async def test_o2d_09_quantity_down_below_what_is_made_is_refused(plant: Plant) -> None:
    await plant.up_to_production()
    plant.mes_reports("R-1", "WO-SO-1", 4)
    await plant.run()
    plant.order(lines=[("10", "FG-100", quantity(3))])
    await plant.run()
    answer = plant.crm.of("order_update")[-1].payload["message"]
    assert "refused" in answer
    assert "10: 4 pcs" in answer
    assert not plant.erp.of("sales_order", "change")
    assert not [w for w in plant.mes.writes + plant.wms.writes if w.operation != "create"]
    assert plant.process().process.state == "running"


async def test_o2d_12_cancel_before_anything_was_written(plant: Plant) -> None:
    plant.master_data()
    plant.order()
    plant.order(status="cancelled")
    await plant.run()
    assert plant.process().process.state == "cancelled"
    assert not plant.erp.writes


async def test_o2d_12_cancel_before_release(plant: Plant) -> None:
    plant.master_data()
    plant.order()
    await plant.run()
    plant.order(status="cancelled")
    await plant.run()
    assert plant.process().process.state == "cancelled", plant.states()
    assert len(plant.erp.of("sales_order", "cancel")) == len(plant.wms.of("outbound_order", "cancel")) == 1
    assert not plant.mes.writes
    assert [write.payload["status"] for write in plant.crm.of("order_update")] == ["accepted"]
    assert "cancellation accepted" in plant.mail.of("notice")[-1].payload["body"]
    assert not plant.parked()


async def test_o2d_12_cancel_in_production_nothing_made(plant: Plant) -> None:
    await plant.up_to_production()
    plant.order(status="cancelled")
    await plant.run()
    assert [write.reference for write in plant.mes.of("work_order", "cancel")] == ["WO-SO-1"]
    assert plant.process().process.state == "cancelled", plant.states()
    assert not plant.parked()


async def test_o2d_12_cancel_in_production_with_goods_made(plant: Plant) -> None:
    await plant.up_to_production()
    plant.mes_reports("R-1", "WO-SO-1", 4)
    await plant.run()
    plant.order(status="cancelled")
    await plant.run()
    assert [write.reference for write in plant.mes.of("work_order", "close")] == ["WO-SO-1"]
    assert not plant.mes.of("work_order", "cancel")
    assert plant.process().process.state == "running"
    plant.wms_receives("RC-1", "R-1", 4)
    await plant.run()
    assert len(plant.erp.of("receipt")) == 1
    assert plant.process().process.state == "cancelled", plant.states()
    assert not plant.parked()


async def test_o2d_12_cancel_after_goods_issue_is_refused(plant: Plant) -> None:
    await plant.up_to_production()
    plant.mes_reports("R-1", "WO-SO-1", 10, final=True)
    plant.wms_ships("D-1", 4)
    await plant.run()
    plant.order(status="cancelled")
    await plant.run()
    letter = plant.mail.of("notice")[-1].payload["body"]
    assert "cancellation refused" in letter
    assert letter.count("A return is offered") == 1
    assert not plant.parked()
    assert not [w for s in plant.systems.values() for w in s.writes if w.operation in ("cancel", "close")]
    assert plant.process().process.state == "running"
    (told,) = [write.payload for write in plant.mail.of("notice") if write.payload["recipient"] == "desk:sales"]
    assert told["number"].startswith("SO-1-return-")
    assert "10: 4 / 10 pcs" in told["body"]
    plant.wms_receives("RC-1", "R-1", 10)
    plant.wms_ships("D-2", 6, last=True)
    await plant.run()
    assert plant.process().process.state == "finished", plant.states()
    assert not plant.parked()
    assert len(plant.erp.of("shipment")) == 2
    assert [write.reference for write in plant.crm.of("shipment")] == ["D-1"], "a cancelled order takes no more"
    about = [write.payload["number"] for write in plant.mail.of("notice")]
    assert about[0] == "D-1-notice"
    assert about[-1] == "D-2-notice"
    assert len(about) == 4


async def test_o2d_12_a_delivery_note_the_crm_refused_is_let_go_when_the_cancellation_is_heard(plant: Plant) -> None:
    await plant.up_to_production()
    plant.mes_reports("R-1", "WO-SO-1", 10, final=True)
    await plant.run()
    plant.wms_receives("RC-1", "R-1", 10)
    plant.crm.next_time("shipment", refused)
    plant.wms_ships("D-1", 4)
    await plant.run()
    assert plant.step("crm_shipment").state == "parked", "the CRM knows of a cancellation that we do not"
    plant.order(status="cancelled")
    await plant.run()
    assert plant.step("crm_shipment").state == "skipped"
    assert not plant.parked()
    plant.wms_ships("D-2", 6)
    await plant.run()
    assert plant.process().process.state == "finished", plant.states()


async def test_a_delivery_note_in_doubt_is_not_let_go(plant: Plant) -> None:
    await plant.up_to_production()
    for _ in range(8):
        plant.crm.next_time("shipment", request_lost)
    plant.wms_ships("D-1", 4)
    await plant.run(minutes=30)
    assert (plant.step("crm_shipment").state, len(plant.parked())) == ("parked", 1)
    plant.order(status="cancelled")
    await plant.run()
    assert (plant.step("crm_shipment").state, len(plant.parked())) == ("parked", 1)


async def test_o2d_12_a_refusal_at_the_warehouse_leaves_the_rest_untouched(plant: Plant) -> None:
    await plant.up_to_production()
    plant.wms.next_time("outbound_order", refused, "cancel")
    plant.order(status="cancelled")
    await plant.run()
    letter = plant.mail.of("notice")[-1].payload["body"]
    assert "could not be cancelled: refused by the system concerned" in letter
    assert "A return is offered" in letter
    assert [w.payload["recipient"] for w in plant.mail.of("notice")] == ["desk:sales", "a@b.example"]
    assert not plant.mes.of("work_order", "cancel")
    assert not plant.erp.of("sales_order", "cancel")
    assert plant.process().process.state == "running"
    await to_the_end(plant)
    assert plant.process().process.state == "finished", plant.states()
    assert not plant.parked()


async def test_o2d_12_a_cancel_that_overtakes_the_news_of_acceptance_leaves_nothing_parked(plant: Plant) -> None:
    plant.master_data()
    plant.order()
    await plant.engine.run_step(FLOW, "erp_order")
    plant.crm.closed_for_editing.add("sales_order:crm:SO-1")
    await plant.engine.run_step(FLOW, "order_accepted")
    assert plant.step("order_accepted").state == "skipped"
    plant.order(status="cancelled")
    await plant.run()
    assert plant.process().process.state == "cancelled", plant.states()
    assert not plant.crm.of("order_update")
    assert "cancellation accepted" in plant.mail.of("notice")[-1].payload["body"]
    assert not plant.parked()


async def test_a_change_whose_answer_sales_cannot_be_given_is_carried_out_all_the_same(plant: Plant) -> None:
    await plant.up_to_production()
    plant.crm.next_time("order_update", refused)
    plant.order(lines=[("10", "FG-100", quantity(12))])
    await plant.run()
    assert plant.step("change_answer").state == "skipped"
    assert plant.audit("revision in force") == ["sales_order:crm:SO-1"]
    assert not plant.parked()


async def test_o2d_14_partial_completion_and_scrap(plant: Plant) -> None:
    await plant.up_to_production()
    plant.mes_reports("R-1", "WO-SO-1", 5)
    await plant.run()
    plant.mes_reports("R-2", "WO-SO-1", 3, scrap=2, final=True)
    await plant.run()
    assert [(w.reference, w.payload["quantity"]["value"]) for w in plant.mes.of("work_order")] == [
        ("WO-SO-1", "10"), ("WO-SO-1-S1", "2")]  # fmt: skip
    plant.mes_reports("R-3", "WO-SO-1-S1", 1, scrap=1, final=True)
    await plant.run()
    assert plant.mes.of("work_order")[-1].reference == "WO-SO-1-S2"
    plant.mes_reports("R-4", "WO-SO-1-S2", 1, final=True)
    await plant.run()
    assert plant.step("production").state == "done"
    for number, amount in (("1", 5), ("2", 3), ("3", 1), ("4", 1)):
        plant.wms_receives(f"RC-{number}", f"R-{number}", amount)
    plant.wms_ships("D-1", 10)
    await plant.run()
    assert plant.process().process.state == "finished", plant.states()
    assert len(plant.erp.of("receipt")) == 4


async def test_o2d_14_a_final_report_that_overtakes_another_orders_nothing_too_early(plant: Plant) -> None:
    await plant.up_to_production()
    plant.mes_reports("R-2", "WO-SO-1", 3, scrap=1, final=True)
    await plant.run(minutes=2)
    step = plant.step("top_up")
    assert (step.state, step.awaited) == ("retrying", "work_order:erp:WO-SO-1@mes")
    assert "only 4 of 10 pieces" in (step.error or "")
    plant.mes_reports("R-1", "WO-SO-1", 6)
    await plant.run(minutes=2)
    assert [(w.reference, w.payload["quantity"]["value"]) for w in plant.mes.of("work_order")] == [
        ("WO-SO-1", "10"), ("WO-SO-1-S1", "1")]  # fmt: skip


@pytest.mark.parametrize(("counted", "again"), [(9, "1"), (8, "2")])
async def test_o2d_14_the_totals_of_the_shop_floor_tell_how_much_is_missing(
    plant: Plant, counted: int, again: str
) -> None:
    await plant.up_to_production()
    plant.mes_reports("R-2", "WO-SO-1", 3, final=True)
    await plant.run()
    plant.tell("mes", "work_order", {
        "number": "WO-SO-1", "status": "completed", "order_line": "sales_order:crm:SO-1#10", "item": "item:erp:FG-100",
        "quantity": quantity(10), "good": quantity(counted), "scrap": quantity(0),
    })  # fmt: skip
    await plant.run(minutes=2)
    plant.mes_reports("R-1", "WO-SO-1", counted - 3)
    await plant.run(minutes=2)
    assert [(w.reference, w.payload["quantity"]["value"]) for w in plant.mes.of("work_order")] == [
        ("WO-SO-1", "10"), ("WO-SO-1-S1", again)]  # fmt: skip


async def test_o2d_16_duplicate_and_late_reports(plant: Plant) -> None:
    await plant.up_to_production()
    for _ in range(3):
        plant.mes_reports("R-1", "WO-SO-1", 10, final=True)
    await plant.run()
    assert len(plant.wms.of("receipt_notice")) == 1
    assert not [w for w in plant.mes.of("work_order") if "-S" in w.reference.removeprefix("WO-SO-1")]
    plant.wms_receives("RC-1", "R-1", 10)
    plant.wms_ships("D-1", 10)
    await plant.run()
    assert plant.process().process.state == "finished"
    plant.mes_reports("R-9", "WO-SO-1", 1)
    await plant.run()
    assert plant.process().process.state == "finished"
    assert len(plant.wms.of("receipt_notice")) == 1
    with plant.ledger.transaction() as books:
        (case,) = books.parked.open()
    assert (case.error_kind, case.subject) == ("Late", "production_report:mes:R-9")


async def test_o2d_16_a_reversed_report_does_not_count(plant: Plant) -> None:
    await plant.up_to_production()
    plant.mes_reports("R-1", "WO-SO-1", 6)
    plant.mes_reports("R-2", "WO-SO-1", 6, reverses="production_report:mes:R-1")
    plant.mes_reports("R-3", "WO-SO-1", 4)
    await plant.run()
    assert plant.step("production").state == "waiting"
    plant.mes_reports("R-4", "WO-SO-1", 6, final=True)
    await plant.run()
    assert plant.step("production").state == "done"
    assert len(plant.mes.of("work_order")) == 1


async def test_o2d_17_units(plant: Plant) -> None:
    plant.master_data()
    plant.order(lines=[("10", "FG-100", quantity("2.5", "carton"))])
    await plant.run()
    plant.erp_plans("WO-SO-1", 10)
    await plant.run()
    assert plant.step("work_orders").state == "done"
    plant.mes_reports("R-1", "WO-SO-1", 10, final=True)
    await plant.run()
    plant.wms_receives("RC-1", "R-1", "2.5", "carton")
    plant.wms_ships("D-1", 2, unit="carton")
    await plant.run()
    assert plant.process().process.state == "running"
    plant.wms_ships("D-2", 2)
    await plant.run()
    assert plant.process().process.state == "finished", plant.states()
    notes = {write.reference: write.payload for write in plant.crm.of("shipment")}
    assert [notes[name]["lines"][0]["quantity"] for name in ("D-1", "D-2")] == [
        {"value": "2", "unit": "carton"}, {"value": "2", "unit": "pcs"}]  # fmt: skip
    assert notes["D-1"]["remark"] is None
    assert "Line 10: 2 pcs, not whole carton." in notes["D-2"]["remark"]


async def test_o2d_17_pieces_that_fill_cartons_are_delivered_cartons(plant: Plant) -> None:
    plant.master_data()
    plant.order(lines=[("10", "FG-100", quantity(10, "carton"))])
    await plant.run()
    plant.wms_ships("D-1", 40)
    await plant.run()
    assert plant.crm.of("shipment")[0].payload["lines"][0]["quantity"] == {"value": "10", "unit": "carton"}
    assert plant.erp.of("shipment")[0].payload["lines"][0]["quantity"] == {"value": "40", "unit": "pcs"}


async def test_o2d_20_partial_and_multiple_shipments_with_the_last_closing(plant: Plant) -> None:
    plant.master_data()
    plant.order(lines=[("10", "FG-100", quantity(10)), ("20", "RM-001", quantity(3))])
    await plant.run()
    plant.erp_plans("WO-SO-1", 10)
    await plant.run()
    plant.wms_ships("D-1", 3, line="20", item="RM-001")
    await plant.run()
    plant.mes_reports("R-1", "WO-SO-1", 10, final=True)
    await plant.run()
    plant.wms_receives("RC-1", "R-1", 10)
    plant.wms_ships("D-2", 6)
    await plant.run()
    assert plant.process().process.state == "running"
    assert len(plant.mail.of("notice")) == 2
    plant.wms_ships("D-3", 4, last=True)
    await plant.run()
    assert plant.process().process.state == "finished", plant.states()
    bodies = [write.payload["body"] for write in plant.mail.of("notice")]
    assert ["The rest will follow." in body for body in bodies] == [True, True, False]
    assert len(plant.erp.of("shipment")) == len(plant.crm.of("shipment")) == 3


async def test_o2d_20_stock_items_need_no_production(plant: Plant) -> None:
    plant.master_data()
    plant.order(lines=[("10", "RM-001", quantity(3))])
    await plant.run()
    plant.wms_ships("D-1", 3, item="RM-001")
    await plant.run()
    assert plant.process().process.state == "finished", plant.states()
    assert not plant.mes.writes


async def test_o2d_24_notice_never_twice(plant: Plant) -> None:
    await plant.up_to_production()
    plant.mail.next_time("notice", answer_lost)
    plant.wms_ships("D-1", 4)
    await plant.run(minutes=5)
    assert plant.step("customer_notice").state == "parked"
    assert len(plant.mail.of("notice")) == 1
    plant.wms_ships("D-1", 4)
    await plant.run()
    assert plant.mail.calls["notice", "create"] == 1
    assert plant.engine.replay(keys=["sales_order:crm:SO-1"], by="hannah")
    await plant.run(minutes=5)
    assert (plant.step("customer_notice").state, len(plant.parked())) == ("parked", 1)
    assert plant.mail.calls["notice", "create"] == 1


@pytest.mark.parametrize(("arrived", "calls"), [(True, 1), (False, 2)])
async def test_o2d_24_a_person_says_whether_a_notice_arrived(plant: Plant, *, arrived: bool, calls: int) -> None:
    await plant.up_to_production()
    plant.mail.next_time("notice", answer_lost if arrived else request_lost)
    plant.wms_ships("D-1", 4)
    await plant.run()
    plant.engine.replay(keys=["sales_order:crm:SO-1"], by="hannah", arrived=arrived)
    await plant.run()
    assert plant.step("customer_notice").state == "done"
    assert (plant.mail.calls["notice", "create"], len(plant.mail.of("notice"))) == (calls, 1)
    assert not plant.parked()


async def test_a_deadline_that_passes_is_told_once_and_wakes_nobody_again(plant: Plant) -> None:
    plant.master_data()
    plant.order()
    await plant.run()
    plant.clock.pass_time(hours=5)
    with plant.ledger.transaction() as books:
        assert books.steps.work_waits([FLOW]) == [FLOW]
    for _ in range(2):
        assert plant.engine.plan(FLOW) == {}
        with plant.ledger.transaction() as books:
            assert books.steps.work_waits([FLOW]) == []
    assert plant.audit("overdue") == ["sales_order:crm:SO-1"]
    step = plant.step("work_orders")
    assert (step.state, step.overdue_at is not None) == ("waiting", True)
    plant.erp_plans("WO-SO-1", 10)
    await plant.run()
    assert plant.step("work_orders").state == "done"


async def test_late_and_repeated_status_events_move_nothing_back(plant: Plant) -> None:
    await plant.up_to_production()
    plant.order(status="submitted")
    plant.order(status="draft")
    plant.wms_ships("D-1", 4)
    plant.wms_ships("D-1", 4, status="picked")
    await plant.run()
    assert plant.states().get("change") is None
    assert len(plant.erp.of("shipment")) == 1
    assert set(plant.audit("ignored late status")) == {"sales_order:crm:SO-1", "shipment:wms:D-1"}


async def test_a_crash_between_intent_and_answer_is_recovered_by_the_next_worker(plant: Plant) -> None:
    plant.master_data()
    plant.erp.next_time("sales_order", killed)
    plant.order()
    with pytest.raises(Killed):
        await plant.run()
    assert plant.step("erp_order").state == "running"
    plant.clock.pass_time(seconds=121)
    await plant.run(plant.worker("worker-2"))
    assert plant.step("erp_order").state == "done"
    assert len(plant.erp.of("sales_order")) == plant.erp.calls["sales_order", "create"] == 1


async def test_two_workers_overlapping_write_once(plant: Plant) -> None:
    plant.master_data()
    plant.order()
    first, second = plant.worker("worker-1"), plant.worker("worker-2")

    original = plant.erp.send

    async def stalled(*args: object, **named: object) -> object:
        plant.clock.pass_time(seconds=121)
        plant.erp.send = original  # type: ignore[method-assign]
        await second.run_step(FLOW, "erp_order")
        return await original(*args, **named)  # type: ignore[arg-type]

    plant.erp.send = stalled  # type: ignore[method-assign,assignment]
    report = await first.run_step(FLOW, "erp_order")
    assert [outcome.state for outcome in report.outcomes] == ["lost"]
    await plant.run(second)
    assert len(plant.erp.of("sales_order")) == 1
    assert plant.step("erp_order").state == "done"


async def test_a_system_that_is_down_opens_one_breaker_and_nothing_is_lost(plant: Plant) -> None:
    plant.master_data()
    plant.erp.down = True
    for number in range(20):
        plant.order(f"SO-{number}")
    await plant.run()
    with plant.ledger.transaction() as books:
        assert books.breakers.states()["erp"] == "open"
    calls = plant.erp.calls["sales_order", "create"]
    assert calls <= 20
    await plant.run()
    assert plant.erp.calls["sales_order", "create"] == calls
    plant.erp.down = False
    await plant.run(minutes=12)
    assert len(plant.erp.of("sales_order")) == 20


async def test_busy_and_rate_limited_targets_are_tried_again_in_time(plant: Plant) -> None:
    plant.master_data()
    plant.erp.next_time("sales_order", busy)
    plant.erp.next_time("sales_order", slow_down)
    plant.order()
    await plant.run()
    plant.clock.pass_time(seconds=5)
    await plant.run()
    step = plant.step("erp_order")
    assert step.state == "retrying"
    assert step.ready_at is not None
    assert (step.ready_at - plant.clock()).total_seconds() >= 30
    await plant.run(minutes=2)
    assert plant.step("erp_order").state == "done"


async def test_a_poisonous_record_is_parked_and_its_neighbours_go_on(plant: Plant) -> None:
    plant.master_data()
    plant.tell("crm", "sales_order", {"number": "SO-0", "poison": True})
    plant.tell("crm", "sales_order", {"number": "SO-00", "lines": "none"})
    plant.order()
    await plant.run()
    assert len(plant.erp.of("sales_order")) == 1
    with plant.ledger.transaction() as books:
        assert len(books.parked.open()) == 2


async def test_every_effect_has_one_entry_in_an_unbroken_audit(plant: Plant) -> None:
    await plant.up_to_production()
    await to_the_end(plant)
    written = [write for system in plant.systems.values() for write in system.writes]
    with plant.ledger.transaction() as books:
        lines = [line for line in books.audit.lines(limit=5000) if " in " in line.action and "effect" in line.details]
        assert books.audit.broken_at() is None
    assert sorted(line.details["effect"] for line in lines) == sorted(write.key for write in written)


async def test_a_change_says_how_the_document_stands_in_the_target(plant: Plant) -> None:
    await plant.up_to_production()
    plant.order(remark="with care", ship_to={"street": "Road 1"}, lines=[("10", "FG-100", quantity(10))])
    await plant.run()
    asked: list[Writing] = []
    words = plant.engine._shop.words

    class Listening:
        def __getattr__(self, name: str) -> Any:
            return getattr(words, name)

        def write(self, role: str, writings: Sequence[Writing]) -> Any:
            asked.extend(writings)
            return words.write(role, writings)

    object.__setattr__(plant.engine._shop, "words", Listening())
    plant.wms.next_time("outbound_order", busy, "change")
    plant.order(lines=[("10", "FG-100", quantity(12))])
    await plant.run(minutes=2)
    changes = [writing for writing in asked if writing.operation == "change"]
    assert {writing.kind for writing in changes} == {"sales_order", "outbound_order"}
    for writing in changes:
        assert writing.before is not None
        assert writing.before.lines[0].quantity.value == 10, "also when it is tried again"  # type: ignore[attr-defined]
        assert writing.before.ship_to.street == "Road 1"  # type: ignore[attr-defined]
        assert writing.document.ship_to is None  # type: ignore[attr-defined]
    assert all(writing.before is None for writing in asked if writing.operation == "create")
