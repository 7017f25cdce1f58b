"""A DAG per flow file whose graph reads as the flow: a task per step, an arrow where one step needs another.

A run is a sweep over all documents. Its first task asks the ledger which steps have work; the others are skipped and
start no process. Runs are woken by what the flow waits for, by the ledger when work has been lying there, and by a
slow clock if everything else failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import or_
from pathlib import Path

import pendulum
from airflow.sdk import DAG, Asset, AssetOrTimeSchedule, CronTriggerTimetable, Param, TriggerRule, get_parsing_context

from throughline.errors import Misconfigured
from throughline.orchestration.assets import document_asset, wake_up
from throughline.orchestration.builders.broken import broken_dag
from throughline.orchestration.builders.followers import followers
from throughline.orchestration.builders.wording import both, flow_doc, step_doc, step_title
from throughline.orchestration.declared import flow_in
from throughline.orchestration.operators.sweep import STEP_OPERATORS, PlanOperator
from throughline.orchestration.places import include_directory
from throughline.orchestration.retrying import DEFAULTS
from throughline.orchestration.triggers.ready_work import ReadyWorkTrigger
from throughline.process.definition import Flow, before

EPOCH = pendulum.datetime(2026, 1, 1, tz="UTC")
SAFETY_NET = "*/10 * * * *"
SWEEPS = 3
"""So many sweeps of a flow at once: a slow system holds up the one that waits for it, not the documents behind it. The
ledger's leases keep them apart, and Airflow 3.3.2 makes no further run while so many are active."""
PLAN = "plan"
KEYS = Param(
    [],
    type="array",
    items={"type": "string", "minLength": 1, "maxLength": 400},
    maxItems=1000,
    title="Documents 单据",
    description="Numbers of chosen documents, of any system; empty means all that are ready.",
)


def flow_dags(directory: Path | None = None) -> Iterator[DAG]:
    """A DAG for each flow file, or only for the one a task is about to run."""
    for path in flow_files(directory or include_directory() / "flows", get_parsing_context().dag_id):
        try:
            yield build_flow(flow_in(path))
        except Misconfigured as mistake:  # one broken file must not take the other flows away
            yield broken_dag(path.stem, mistake)


def flow_files(directory: Path, wanted: str | None) -> list[Path]:
    """All flow files, or the one that carries the wanted flow's name when there is one."""
    files = sorted(directory.glob("*.yaml"))
    return [path for path in files if path.stem == wanted] or files


def build_flow(flow: Flow) -> DAG:
    """The flow as a DAG."""
    dag = DAG(
        flow.flow,
        dag_display_name=both(flow.title),
        description=f"{flow.title.en} · {flow.title.zh}",
        doc_md=flow_doc(flow),
        schedule=AssetOrTimeSchedule(timetable=CronTriggerTimetable(SAFETY_NET, timezone="UTC"), assets=wakers(flow)),
        start_date=EPOCH,
        catchup=False,
        max_active_runs=SWEEPS,
        default_args=DEFAULTS,
        params={"keys": KEYS},
        tags=["throughline", "flow"],
    )
    _draw(flow, dag)
    return dag


def wakers(flow: Flow) -> Asset:
    """What wakes the flow: documents it starts from or waits for, and the ledger when work has been lying there."""
    awaited = [(step.awaits.system, step.awaits.document) for step in flow.steps.values() if step.awaits]
    documents = dict.fromkeys([(flow.subject.system, flow.subject.document), *awaited])
    ready = wake_up(f"ready/{flow.flow}", ReadyWorkTrigger(flow=flow.flow))
    return reduce(or_, [*(document_asset(role, document) for role, document in documents), ready])


def _draw(flow: Flow, dag: DAG) -> None:
    plan = PlanOperator(
        task_id=PLAN,
        flow=flow.flow,
        followers=followers(flow),
        task_display_name="Which steps have work? 哪些步骤有活",
        doc_md="Asks the ledger which steps have work; the other steps are skipped without starting a process.",
        dag=dag,
    )
    tasks = {
        name: STEP_OPERATORS[step.kind](
            task_id=name,
            flow=flow.flow,
            step=name,
            plan=PLAN,
            task_display_name=step_title(name, step),
            doc_md=step_doc(name, step),
            trigger_rule=TriggerRule.ALL_DONE,  # a skipped or failed step says nothing about the documents beyond it
            dag=dag,
        )
        for name, step in flow.steps.items()
    }
    for name, step in flow.steps.items():
        tasks[name].set_upstream([tasks[earlier] for earlier in before(step)] or plan)
