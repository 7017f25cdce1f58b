"""The graph is the flow: a task per step, an arrow per need; a broken file takes nothing else away."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.sdk import TriggerRule
from airflow.serialization.serialized_objects import DagSerialization

from throughline.errors import Misconfigured
from throughline.orchestration.builders.broken import broken_dag
from throughline.orchestration.builders.flows import build_flow, flow_dags, flow_files
from throughline.orchestration.builders.followers import followers
from throughline.orchestration.operators.sweep import AwaitStep, DecideStep, DeliverStep, NotifyStep, PlanOperator
from throughline.process.definition import Flow, before
from throughline.process.flow_files import load_flow

ROOT = Path(__file__).parents[3]
FLOWS = sorted((ROOT / "include" / "flows").glob("*.yaml"))
KINDS = {"deliver": DeliverStep, "await": AwaitStep, "decide": DecideStep, "notify": NotifyStep}


@pytest.fixture(params=FLOWS, ids=lambda path: path.stem)
def flow(request: pytest.FixtureRequest) -> Flow:
    return load_flow(request.param)


def test_there_are_flows() -> None:
    assert FLOWS


def test_the_graph_is_the_flow(flow: Flow) -> None:
    dag = build_flow(flow)
    assert dag.dag_id == flow.flow
    assert set(dag.task_ids) == {"plan", *flow.steps}
    for name, step in flow.steps.items():
        task = dag.get_task(name)
        assert type(task) is KINDS[step.kind]
        assert task.upstream_task_ids == set(before(step)) or {"plan"}
        assert task.task_display_name
        assert task.trigger_rule == TriggerRule.ALL_DONE
        assert task.retries >= 1
    assert isinstance(dag.get_task("plan"), PlanOperator)
    assert dag.get_task("plan").upstream_task_ids == set()


def test_titles_speak_both_languages(flow: Flow) -> None:
    dag = build_flow(flow)
    assert flow.title.en in dag.dag_display_name
    assert flow.title.zh in dag.dag_display_name
    for name, step in flow.steps.items():
        if step.title:
            assert dag.get_task(name).task_display_name == f"{step.title.en} {step.title.zh}"


def test_a_flow_is_woken_by_its_documents_by_the_ledger_and_by_the_clock(flow: Flow) -> None:
    dag = DagSerialization.from_dict(DagSerialization.to_dict(build_flow(flow)))
    names = {key.name for key, _ in dag.timetable.asset_condition.iter_assets()}
    awaited = {f"{step.awaits.system}/{step.awaits.document}" for step in flow.steps.values() if step.awaits}
    assert names == {f"{flow.subject.system}/{flow.subject.document}", f"ready/{flow.flow}"} | awaited
    assert dag.max_active_runs == 3
    assert not dag.catchup


def test_a_flow_survives_the_trip_through_the_metadata_database(flow: Flow) -> None:
    once = DagSerialization.to_dict(build_flow(flow))
    again = DagSerialization.to_dict(build_flow(load_flow(ROOT / flow.where)))
    assert once == again, "a DAG that differs from parse to parse makes a new version every time"
    back = DagSerialization.from_dict(once)
    assert set(back.task_dict) == {"plan", *flow.steps}
    assert back.timetable.periodic


def test_chosen_documents_are_named_by_any_number() -> None:
    schema = build_flow(load_flow(FLOWS[0])).params.get_param("keys")
    schema.resolve(["SO-1", "PO/2026/7"])
    for wrong in ("SO-1", [""], [7], ["x"] * 1001):
        with pytest.raises(ValueError, match="Failed validating"):
            schema.resolve(wrong)


def test_a_broken_file_becomes_a_dag_that_says_so_beside_the_good_ones(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(FLOWS[0].read_text())
    (tmp_path / "bad.yaml").write_text("flow: bad\ntitle: {en: Bad, zh: 坏}\nsteps: {}\n")
    dags = {dag.dag_id: dag for dag in flow_dags(tmp_path)}
    assert set(dags) == {"bad", load_flow(FLOWS[0]).flow}
    assert "bad.yaml" in dags["bad"].doc_md
    assert "broken" in dags["bad"].tags
    with pytest.raises(Misconfigured, match=r"bad\.yaml"):
        dags["bad"].get_task("mend_this_file").execute({})


def test_only_the_wanted_file_is_read_when_a_task_starts(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.yaml").touch()
    assert [path.stem for path in flow_files(tmp_path, "b")] == ["b"]
    assert [path.stem for path in flow_files(tmp_path, None)] == ["a", "b", "c"]
    assert [path.stem for path in flow_files(tmp_path, "named_otherwise")] == ["a", "b", "c"]


def test_a_sweep_goes_on_to_what_its_work_makes_ready_but_not_behind_a_wait() -> None:
    after = followers(load_flow(ROOT / "include" / "flows" / "order_to_delivery.yaml"))
    assert after["erp_order"] == ["order_accepted", "outbound_order"]
    assert after["erp_shipment"] == ["crm_shipment", "customer_notice", "order_closed"]
    assert after["mes_work_order"] == []
    assert after["order_closed"] == []


def test_a_broken_file_cannot_be_mistaken_for_a_working_one() -> None:
    dag = broken_dag("x", Misconfigured("a step needs 'y', which is no step", where="include/flows/x.yaml:7"))
    assert "include/flows/x.yaml:7" in dag.description
    assert dag.task_ids == ["mend_this_file"]
