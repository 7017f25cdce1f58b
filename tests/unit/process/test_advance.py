from __future__ import annotations

from dataclasses import replace

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.unit.process.pure_process import (
    ITEM,
    KEY,
    NOW,
    PureProcess,
    first_state,
    order,
    quantity,
    receipt,
    report,
    shipment,
    work_order,
)
from throughline.canonical import CanonicalDocument
from throughline.process.state import StepState

UNSHRUNK = (Phase.explicit, Phase.reuse, Phase.generate)
STORY = [
    work_order(amount=10),
    report("R-1", 6),
    report("R-2", 4, final=True),
    receipt("RC-1", 6, "R-1"),
    receipt("RC-2", 4, "R-2"),
    shipment("D-1", 7),
    shipment("D-2", 3, last=True),
]


def in_order() -> PureProcess:
    process = PureProcess()
    process.go_on()
    process.carry_out_everything()
    for document in STORY:
        process.arrive(document)
        process.carry_out_everything()
    return process


def test_the_story_in_order_finishes() -> None:
    process = in_order()
    assert process.state.state == "finished"
    assert set(process.states().values()) <= {"done", "skipped", "withdrawn"}
    assert process.states()["order_closed", ""] == "done"
    assert process.states()["revisions", ""] == "withdrawn"


EXPECTED = in_order().states()


@settings(max_examples=60, deadline=None, phases=UNSHRUNK)
@given(st.data())
def test_any_order_duplicates_and_late_work_lead_to_the_same_end(data: st.DataObject) -> None:
    arrivals = data.draw(st.permutations(STORY * 2))
    process = PureProcess()
    process.go_on()
    pending = list(arrivals)
    while pending or process.ready():
        work = data.draw(st.booleans()) if pending and process.ready() else bool(process.ready())
        if work:
            process.carry_out(data.draw(st.sampled_from(process.ready())))
        else:
            process.arrive(pending.pop())
    assert process.state.state == "finished"
    assert process.states() == EXPECTED
    assert process.supplements() == []


@settings(max_examples=60, deadline=None, phases=UNSHRUNK)
@given(st.data())
def test_scrap_is_made_again_once_whatever_overtakes_what(data: st.DataObject) -> None:
    told = [report("R-1", 3), report("R-2", 2, scrap=1), report("R-3", 2, scrap=2, final=True)]
    pending = [work_order(amount=10), *data.draw(st.permutations([*told, *told]))]
    process = PureProcess()
    process.go_on()
    while pending or process.ready():
        if process.ready() and (not pending or data.draw(st.booleans())):
            process.carry_out(data.draw(st.sampled_from(process.ready())))
        else:
            process.arrive(pending.pop(0))
    assert process.supplements() == [("WO-1-S1", 3)]


@settings(max_examples=60, deadline=None, phases=UNSHRUNK)
@given(st.data())
def test_a_change_at_any_moment_breaks_nothing(data: st.DataObject) -> None:
    """Nothing twice, nothing settled moves, every change is decided once, in its turn."""
    news: list[CanonicalDocument] = [*STORY, order(12), order(8), order(status="cancelled")]
    pending = list(data.draw(st.permutations(news)))
    process = PureProcess()
    process.go_on()
    while pending or process.ready():
        if process.ready() and (not pending or data.draw(st.booleans())):
            process.carry_out(data.draw(st.sampled_from(process.ready())))
            continue
        document = pending.pop()
        if document.kind == "sales_order":
            process.revise(document)
        else:
            process.arrive(document)
    decided = [item for step, item in process.carried_out if step == "change"]
    assert decided == sorted(set(decided))
    assert not any(own.state in (StepState.READY, StepState.RUNNING) for own in process.state.instances.values())


def test_advancing_again_changes_nothing() -> None:
    process = PureProcess()
    process.go_on()
    before = process.state
    process.go_on()
    assert process.state == before


def test_a_change_waits_for_writes_under_way_and_holds_the_others() -> None:
    process = PureProcess()
    process.go_on()
    process.carry_out_everything()
    process.arrive(work_order())
    (released,) = process.ready()
    process.arrive(report("R-1", 4))
    process._put(released.moved(StepState.RUNNING))
    process.revise(order(12))
    assert process.ready() == []
    assert process.state.instances["wms_receipt_notice", "production_report:mes:R-1"].state is StepState.WAITING
    process._put(released.moved(StepState.DONE, verdict={"made": ["work_order:erp:WO-1"]}))
    process.go_on()
    assert [own.step for own in process.ready()] == ["change"]
    process.carry_out_everything()
    assert process.state.in_force == f"{KEY}@2"
    assert process.states()["wms_receipt_notice", "production_report:mes:R-1"] == "done"
    assert process.state.instances["change", f"{KEY}@2"].verdict["stage"] == "in_production"


def test_changes_are_decided_one_after_the_other_against_what_is_in_force() -> None:
    process = PureProcess()
    process.go_on()
    process.carry_out_everything()
    process.arrive(work_order())
    process.carry_out_everything()
    process.arrive(report("R-1", 4))
    process.carry_out_everything()
    process.revise(order(3))
    process.revise(order(6))
    assert [own.item for own in process.ready()] == [f"{KEY}@2"]
    process.carry_out_everything()
    verdicts = {own.item: own.verdict for own in process.state.instances.values() if own.step == "change"}
    assert verdicts[f"{KEY}@2"]["outcome"] == "refuse"
    assert (verdicts[f"{KEY}@3"]["outcome"], verdicts[f"{KEY}@3"]["lines"][0]["before"]) == ("apply", "10")
    assert process.state.in_force == f"{KEY}@3"


def test_late_news_of_the_subject_is_noted_and_ignored() -> None:
    process = PureProcess()
    process.go_on()
    process.carry_out_everything()
    process.revise(order(10, status="submitted"))
    assert process.state.in_force == f"{KEY}@1"
    assert "move SO-1 back to submitted" in process.notes[0]


def test_an_unchanged_version_is_no_change() -> None:
    process = PureProcess()
    process.go_on()
    process.carry_out_everything()
    process.revise(order(10))
    assert not [own for own in process.state.instances.values() if own.step == "change"]
    assert process.state.in_force == f"{KEY}@2"


def test_a_refusal_that_may_continue_leaves_the_old_version_in_force() -> None:
    process = PureProcess()
    process.go_on()
    process.carry_out_everything()
    process.revise(order(12))
    process.carry_out(process.ready()[0])
    assert [own.step for own in process.ready()] == ["wms_change"]
    process.carry_out(process.ready()[0], refused="all shipped")
    process.carry_out_everything()
    states = {step: state for (step, item), state in process.states().items() if item == f"{KEY}@2"}
    assert states == {"change": "done", "wms_change": "skipped", "mes_change": "skipped", "erp_change": "skipped",
                      "return_notice": "skipped", "change_notice": "skipped", "change_answer": "done"}  # fmt: skip
    assert process.state.in_force == f"{KEY}@1"


def test_due_times_begin_when_a_step_can_begin() -> None:
    process = PureProcess()
    process.go_on()
    assert (process.state.instances["erp_order", ""].due_at - NOW).total_seconds() == 900  # type: ignore[operator]
    assert process.state.instances["order_accepted", ""].due_at is None
    assert process.state.instances["work_orders", ""].due_at is None


def test_an_await_that_cannot_tell_yet_still_passes_on_what_arrives() -> None:
    process = PureProcess()
    process.state = replace(process.state, referenced={})
    process.go_on()
    process.carry_out_everything()
    process.arrive(work_order())
    assert process.states()["work_orders", ""] == "open"
    assert process.states()["mes_work_order", "work_order:erp:WO-1"] == "ready"


def test_an_await_that_can_never_tell_is_parked_and_still_passes_on_what_arrives() -> None:
    process = PureProcess(first_state(order(lines=[{"line": "10", "item": ITEM, "quantity": quantity(1, "pallet")}])))
    process.go_on()
    process.carry_out_everything()
    process.arrive(work_order())
    parked = process.state.instances["work_orders", ""]
    assert parked.state is StepState.PARKED
    assert "has no unit 'pallet'" in (parked.error or "")
    assert process.states()["mes_work_order", "work_order:erp:WO-1"] == "ready"


def test_an_order_cancelled_in_the_moment_it_is_understood_never_begins() -> None:
    """A confirmation and its cancellation waited for the same customer, and were told together (seeded faults, 720)."""
    process = PureProcess(first_state(order(status="cancelled")))
    process.go_on()
    assert process.state.state == "cancelled"
    assert process.ready() == []
