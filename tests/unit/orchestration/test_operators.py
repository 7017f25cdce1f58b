"""The tasks of capture and of sweeps, with an engine that only remembers what it was asked."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pendulum
import pytest
from airflow.sdk import DAG, Asset, BaseOperator, RetryAction
from airflow.sdk.api.datamodels._generated import DagRunType
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, DownstreamTasksSkipped

from throughline.errors import Fenced, InDoubt, Invalid, Misconfigured, Rejected, Transient
from throughline.orchestration import composition
from throughline.orchestration.operators.capture import CaptureOperator
from throughline.orchestration.operators.sweep import PlanOperator, StepOperator
from throughline.orchestration.operators.telling import tell
from throughline.orchestration.retrying import POLICY
from throughline.process.reports import IntakeReport, Outcome, StepReport

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class FakeHub:
    """Answers as it was told to, and remembers the questions."""

    captured: dict[str, IntakeReport] = field(default_factory=dict)
    ready: dict[str, int] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)

    def capture(self, *given: Any, **more: Any) -> dict[str, IntakeReport]:
        self.asked.append(("capture", given, more))
        return self.captured

    def understand(self) -> IntakeReport:
        self.asked.append("understand")
        return IntakeReport(translated=2, started=1, parked=1)

    def keys_named(self, flow: str, numbers: list[str] | None) -> list[str] | None:
        return None if numbers is None else [f"{flow}:{number}" for number in numbers]

    def work(self, flow: str, keys: list[str] | None) -> dict[str, int]:
        self.asked.append(("work", flow, keys))
        return self.ready

    def run_step(self, flow: str, step: str, keys: list[str] | None) -> StepReport:
        self.asked.append(("run_step", flow, step, keys))
        return StepReport(flow, step, self.outcomes)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    fake = FakeHub()

    @contextmanager
    def opened_hub():
        yield fake

    monkeypatch.setattr(composition, "opened_hub", opened_hub)
    return fake


def context(run_type: str = "asset_triggered", params: dict[str, Any] | None = None, **more: Any) -> Any:
    pushed: dict[str, Any] = {}
    ti = SimpleNamespace(
        pushed=pushed,
        xcom_push=lambda key, value: pushed.update({key: value}),
        xcom_pull=lambda task_ids: more.get("planned"),
    )
    run = SimpleNamespace(run_type=run_type, conf={})
    return {"params": params or {}, "dag_run": run, "run_id": "run-1", "ti": ti, **more}


# --- capture -------------------------------------------------------------------------------------------------------


def capture_task(*documents: str) -> CaptureOperator:
    outlets = [Asset(f"crm/{document}") for document in documents]
    return CaptureOperator(task_id="capture", role="crm", outlets=outlets)


def test_capture_reads_on_from_the_watermark_and_then_follows_up(hub: FakeHub) -> None:
    hub.captured = {"sales_order": IntakeReport(told=5, new=2)}
    counts = capture_task("sales_order").execute(context())
    assert hub.asked == [("capture", ("crm", None), {"run_id": "run-1"}), "understand"]
    assert counts == {"new": 2, "translated": 2, "waiting": 0, "held": 0, "parked": 1, "started": 1, "advanced": 0}


def test_only_assets_that_brought_something_new_are_updated(hub: FakeHub) -> None:
    hub.captured = {"sales_order": IntakeReport(told=5, new=2), "customer": IntakeReport(told=9)}
    task = capture_task("sales_order", "customer")
    task.execute(context())
    assert [outlet.name for outlet in task.outlets] == ["crm/sales_order"]


def test_messages_a_system_sent_wake_whoever_waits_for_its_documents(hub: FakeHub) -> None:
    hub.captured = {"messages": IntakeReport(told=1, new=1)}
    task = capture_task("receipt", "shipment")
    task.execute(context())
    assert [outlet.name for outlet in task.outlets] == ["crm/receipt", "crm/shipment"]


@pytest.mark.parametrize("run_type", ["backfill", DagRunType.BACKFILL])
def test_a_backfill_reads_its_window_again_and_then_what_is_new(hub: FakeHub, run_type: Any) -> None:
    start, end = pendulum.instance(NOON), pendulum.instance(NOON).add(minutes=15)
    capture_task().execute(context(run_type, data_interval_start=start, data_interval_end=end))
    window, live, _ = hub.asked
    assert window[2] == {"since": NOON, "until": NOON + timedelta(minutes=15), "run_id": "run-1"}
    assert type(window[2]["since"]) is datetime
    assert live[2] == {"run_id": "run-1"}


def test_a_run_by_the_clock_reads_on_from_the_watermark_although_it_has_an_interval(hub: FakeHub) -> None:
    capture_task().execute(context(DagRunType.SCHEDULED, data_interval_start=NOON, data_interval_end=NOON))
    assert len(hub.asked) == 2
    assert "since" not in hub.asked[0][2]


def test_a_window_can_be_named_when_a_run_is_started(hub: FakeHub) -> None:
    capture_task().execute(context("manual", {"since": "2026-11-01T00:00:00+08:00", "until": None}))
    assert hub.asked[0][2]["since"] == datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert hub.asked[0][2]["until"] is None


@pytest.mark.parametrize("text", ["yesterday", "2026-11-01T00:00:00"])
def test_a_moment_that_is_none_or_has_no_zone_is_refused(hub: FakeHub, text: str) -> None:
    with pytest.raises(Misconfigured, match="the run's `since`"):
        capture_task().execute(context("manual", {"since": text}))
    assert hub.asked == []


# --- sweep ---------------------------------------------------------------------------------------------------------


def flow_of_tasks() -> PlanOperator:
    with DAG("f", schedule=None):
        plan = PlanOperator(task_id="plan", flow="f", followers={"a": ["b"], "b": [], "c": []})
        plan >> BaseOperator(task_id="a") >> BaseOperator(task_id="b") >> BaseOperator(task_id="c")
    return plan


def test_steps_without_work_are_skipped_even_if_they_stand_before_one_with_work(hub: FakeHub) -> None:
    hub.ready = {"b": 3}
    given = context()
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        flow_of_tasks().execute(given)
    assert skipped.value.tasks == ["a", "c"]
    assert given["ti"].pushed == {"return_value": {"b": 3}}


def test_what_a_step_makes_ready_is_done_in_the_same_sweep(hub: FakeHub) -> None:
    hub.ready = {"a": 1}
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        flow_of_tasks().execute(context())
    assert skipped.value.tasks == ["c"]


def test_a_sweep_with_nothing_to_do_starts_nothing(hub: FakeHub) -> None:
    with pytest.raises(DownstreamTasksSkipped) as skipped:
        flow_of_tasks().execute(context())
    assert skipped.value.tasks == ["a", "b", "c"]


def test_a_sweep_with_work_everywhere_skips_nothing(hub: FakeHub) -> None:
    hub.ready = {"a": 1, "c": 1}
    assert flow_of_tasks().execute(context()) == {"a": 1, "c": 1}


def test_a_run_for_chosen_documents_concerns_only_them(hub: FakeHub) -> None:
    hub.ready = {"a": 1, "c": 1}
    flow_of_tasks().execute(context(params={"keys": [" SO-1 ", "V7"]}))
    assert hub.asked[-1] == ("work", "f", ["f:SO-1", "f:V7"])
    step = StepOperator(task_id="a", flow="f", step="a", plan="plan")
    step.execute(context(params={"keys": ["SO-1"]}, planned={"a": 1}))
    assert hub.asked[-1] == ("run_step", "f", "a", ["f:SO-1"])


def test_one_document_in_trouble_does_not_fail_the_step(hub: FakeHub) -> None:
    hub.outcomes = [Outcome("sales_order:crm:SO-1", "", "done"), Outcome("sales_order:crm:SO-2", "", "parked", "no")]
    assert StepOperator(task_id="s", flow="f", step="s").execute(context()) == {"done": 1, "parked": 1}


def test_the_log_tells_of_every_document(caplog: pytest.LogCaptureFixture) -> None:
    outcomes = [
        Outcome("sales_order:crm:SO-1", "", "done", number="V2026-1"),
        Outcome("sales_order:crm:SO-2", "", "parked", "the item is blocked in erp"),
    ]
    with caplog.at_level(logging.INFO):
        counts = tell(logging.getLogger("task"), StepReport("f", "s", outcomes, waits_until=NOON), 1.234)
    assert counts == {"done": 1, "parked": 1}
    lines = {record.getMessage(): record.levelname for record in caplog.records}
    assert lines["done        sales_order:crm:SO-1 → V2026-1"] == "INFO"
    assert lines["parked      sales_order:crm:SO-2: the item is blocked in erp"] == "WARNING"
    assert "s: done 1, parked 1 in 1.23 s" in lines
    assert "the system is left alone until 12:00:00 UTC; the rest goes on then" in lines


def test_without_a_plan_nothing_is_done_and_the_run_fails_by_its_last_steps(hub: FakeHub) -> None:
    with DAG("f", schedule=None):
        first = StepOperator(task_id="a", flow="f", step="a", plan="plan")
        last = StepOperator(task_id="b", flow="f", step="b", plan="plan")
        first >> last
    with pytest.raises(AirflowSkipException, match="not planned"):
        first.execute(context(planned=None))
    with pytest.raises(AirflowFailException, match="not planned"):
        last.execute(context(planned=None))
    assert hub.asked == []


# --- retrying ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "action", "seconds"),
    [
        (Transient("away"), RetryAction.RETRY, 15),
        (Transient("busy", retry_after=42), RetryAction.RETRY, 42),
        (InDoubt("no answer"), RetryAction.RETRY, 15),
        (Fenced("another"), RetryAction.RETRY, 1),
        (Misconfigured("wrong"), RetryAction.FAIL, None),
        (Rejected("no"), RetryAction.FAIL, None),
        (Invalid("does not fit"), RetryAction.FAIL, None),
        (ValueError("a bug"), RetryAction.DEFAULT, None),
    ],
)
def test_our_errors_say_whether_trying_again_makes_sense(error: Exception, action: Any, seconds: int | None) -> None:
    decision = POLICY.evaluate(error, 1, 3)
    assert decision.action is action
    assert (decision.retry_delay.total_seconds() if decision.retry_delay else None) == seconds
