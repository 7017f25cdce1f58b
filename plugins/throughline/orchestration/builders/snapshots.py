"""A DAG per system that is read whole from time to time, at the hour its file declares."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, get_parsing_context

from throughline.connectors.landscape import System
from throughline.errors import Misconfigured
from throughline.orchestration.declared import system_in
from throughline.orchestration.operators.snapshot import SnapshotOperator
from throughline.orchestration.places import include_directory
from throughline.orchestration.retrying import DEFAULTS

PREFIX = "snapshot_"


def snapshot_dags(directory: Path | None = None) -> Iterator[DAG]:
    """A DAG for each system that captures something, or only for the one a task is about to run."""
    wanted = get_parsing_context().dag_id
    for path in sorted((directory or include_directory() / "systems").glob("*.yaml")):
        if wanted not in (None, PREFIX + path.stem):
            continue
        try:
            system = system_in(path)
        except Misconfigured:
            continue  # its capture DAG says so
        if system.captures:
            yield build_snapshot(system)


def build_snapshot(system: System) -> DAG:
    """The DAG that reads everything one system has."""
    with DAG(
        PREFIX + system.role,
        dag_display_name=f"Snapshot {system.role} 全量核对 · {system.product}",
        description=f"Everything {system.role} has, against the ledger: what was missed, what was deleted",
        doc_md=_doc(system),
        schedule=CronTriggerTimetable(system.snapshot.at, timezone=system.zone),
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULTS,
        tags=["throughline", "snapshot"],
    ) as dag:
        SnapshotOperator(
            task_id="snapshot", role=system.role, task_display_name="What was missed, what is gone? 漏了什么、删了什么"
        )
    return dag


def _doc(system: System) -> str:
    stop = system.snapshot.stop_at
    return (
        f"### Everything of **{system.role}** ({system.product})\n\nReads all keys and contents of the documents whose "
        "profile says W3, takes in what capture missed, and marks as deleted what was seen to be gone.\n\n"
        f"Deletes nothing and asks a person when the answer is empty, or when {stop.documents} documents or more, and "
        f"more than {stop.share:.1%} of all known ones, are missing: `throughline parked`, then `throughline replay`."
    )
