"""The nightly reading of everything: one DAG per system, one failing kind of document spares the others."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from throughline.connectors.landscape import StopAt, System, whole_kinds
from throughline.errors import Misconfigured, Transient
from throughline.orchestration import composition
from throughline.orchestration.builders.snapshots import build_snapshot
from throughline.orchestration.operators import snapshot
from throughline.process.snapshots import SnapshotReport

CRM = {"role": "crm", "product": "fxiaoke", "connection": "crm", "captures": ["sales_order", "customer", "item"]}


def test_a_system_is_read_whole_at_the_hour_it_declares() -> None:
    system = System.model_validate({**CRM, "zone": "Asia/Shanghai", "snapshot": {"at": "30 3 * * 1-5"}})
    dag = build_snapshot(system)
    assert dag.dag_id == "snapshot_crm"
    assert dag.schedule.expression == "30 3 * * 1-5"
    assert [task.task_id for task in dag.tasks] == ["snapshot"]
    assert "5 documents or more" in dag.doc_md
    assert "2.0%" in dag.doc_md


def test_what_is_read_whole_is_what_the_profile_fences_so() -> None:
    assert whole_kinds(System.model_validate(CRM)) == ["sales_order", "customer", "item"]
    flux = {"role": "wms", "product": "flux", "connection": "wms", "captures": ["receipt", "shipment", "stock_level"]}
    assert whole_kinds(System.model_validate(flux)) == ["stock_level"]


@pytest.mark.parametrize("plan", [{"at": "nightly"}, {"stop_at": {"share": 2}}, {"stop_at": {"documents": 0}}])
def test_a_plan_that_cannot_be_meant_is_refused(plan: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"at|share|documents"):
        System.model_validate({**CRM, "snapshot": plan})


def test_one_kind_that_fails_spares_the_others_and_fails_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Hub:
        landscape = SimpleNamespace(system=lambda role: System.model_validate(CRM))

        def understand(self) -> None:
            asked.append("understood")

    @contextmanager
    def opened_hub() -> Any:
        yield Hub()

    def take(hub: Any, role: str, document: str, run_id: str) -> SnapshotReport:
        asked.append(document)
        if document == "customer":
            raise Transient("the page did not come")
        return SnapshotReport(role, document, "stopped", read=3, missing=9, reason="9 of 12 are missing")

    monkeypatch.setattr(composition, "opened_hub", opened_hub)
    monkeypatch.setattr(snapshot, "take_snapshot", take)
    task = snapshot.SnapshotOperator(task_id="snapshot", role="crm")
    with pytest.raises(Transient):
        task.execute({"run_id": "run-1"})  # type: ignore[arg-type]
    assert asked == ["sales_order", "customer", "item", "understood"]


def test_a_task_passes_the_systems_own_brake_and_a_wrong_connection_shows_at_once() -> None:
    system = System.model_validate({**CRM, "snapshot": {"stop_at": {"share": 0.5, "documents": 7}}})
    assert system.snapshot.stop_at == StopAt(share=0.5, documents=7)

    def refuse(role: str) -> Any:
        raise Misconfigured("no such connection", where=role)

    hub = SimpleNamespace(landscape=SimpleNamespace(system=lambda role: system), connect=refuse)
    with pytest.raises(Misconfigured):
        snapshot.take_snapshot(hub, "crm", "customer", "run-1")  # type: ignore[arg-type]
