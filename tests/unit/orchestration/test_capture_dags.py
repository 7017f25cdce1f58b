"""A DAG per system that tells us something; its clock can be turned back."""

from __future__ import annotations

from pathlib import Path

import pytest
from airflow.sdk import CronDataIntervalTimetable
from airflow.serialization.serialized_objects import DagSerialization

from throughline.connectors.landscape import System
from throughline.orchestration.builders.capture import build_capture, capture_dags, system_files
from throughline.orchestration.operators.capture import CaptureOperator

SYSTEM = System(role="crm", product="fxiaoke", connection="crm", captures=["sales_order", "customer"], poll_seconds=0.5)


def test_one_task_that_says_which_documents_it_brings() -> None:
    (task,) = build_capture(SYSTEM).tasks
    assert isinstance(task, CaptureOperator)
    assert task.role == "crm"
    assert [outlet.name for outlet in task.outlets] == ["crm/sales_order", "crm/customer"]


def test_it_is_woken_by_news_and_its_clock_has_real_intervals_and_can_be_backfilled() -> None:
    dag = build_capture(SYSTEM)
    assert isinstance(dag.timetable.timetable, CronDataIntervalTimetable)
    back = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    assert back.timetable.periodic
    assert [key.name for key, _ in back.timetable.asset_condition.iter_assets()] == ["crm/changes"]
    assert dag.max_active_runs == 1
    assert not dag.catchup


def test_it_looks_as_often_as_the_plant_says() -> None:
    (condition,) = build_capture(SYSTEM).timetable.asset_condition.objects
    assert condition.watchers[0].trigger.serialize()[1]["every"] == 0.5


@pytest.mark.parametrize("window", [{"since": "2026-11-01T00:00:00+08:00"}, {"since": None, "until": None}])
def test_a_window_may_be_named(window: dict[str, str | None]) -> None:
    params = build_capture(SYSTEM).params
    for name, moment in window.items():
        params.get_param(name).resolve(moment)
    with pytest.raises(ValueError, match="Failed validating"):
        params.get_param("since").resolve(7)


def test_a_broken_system_file_takes_nothing_else_away(tmp_path: Path) -> None:
    (tmp_path / "crm.yaml").write_text("role: crm\nproduct: fxiaoke\nconnection: crm\ncaptures: [sales_order]\n")
    (tmp_path / "erp.yaml").write_text("role: erp\nproduct: nobody_makes_this\nconnection: erp\n")
    (tmp_path / "mail.yaml").write_text("role: mail\nproduct: smtp\nconnection: mail\n")
    dags = {dag.dag_id: dag for dag in capture_dags(tmp_path)}
    assert set(dags) == {"capture_crm", "capture_erp"}
    assert "broken" in dags["capture_erp"].tags
    assert "erp.yaml:2" in dags["capture_erp"].description


def test_a_task_reads_only_its_own_system(tmp_path: Path) -> None:
    for name in ("crm", "erp"):
        (tmp_path / f"{name}.yaml").touch()
    assert [path.stem for path in system_files(tmp_path, "capture_erp")] == ["erp"]
    assert [path.stem for path in system_files(tmp_path, None)] == ["crm", "erp"]
