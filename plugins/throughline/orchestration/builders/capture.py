"""A DAG per system that tells us something: woken when it has news, and by a clock that can also be turned back.

The clock cuts time into real data intervals, so that a backfill reads those windows again; the ledger knows every
content, so nothing is doubled.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pendulum
from airflow.sdk import DAG, AssetAny, AssetOrTimeSchedule, CronDataIntervalTimetable, Param, get_parsing_context

from throughline.connectors.landscape import System
from throughline.errors import Misconfigured
from throughline.orchestration.assets import document_asset, wake_up
from throughline.orchestration.builders.broken import broken_dag
from throughline.orchestration.declared import system_in
from throughline.orchestration.operators.capture import CaptureOperator
from throughline.orchestration.places import include_directory
from throughline.orchestration.retrying import DEFAULTS
from throughline.orchestration.triggers.source_changes import SourceChangesTrigger

EPOCH = pendulum.datetime(2026, 1, 1, tz="UTC")
WINDOWS = "*/15 * * * *"
PREFIX = "capture_"
MOMENT = {"type": ["string", "null"], "format": "date-time"}


def capture_dags(directory: Path | None = None) -> Iterator[DAG]:
    """A DAG for each system that captures something, or only for the one a task is about to run."""
    for path in system_files(directory or include_directory() / "systems", get_parsing_context().dag_id):
        try:
            system = system_in(path)  # only this file: what all of them say together is checked by the task
        except Misconfigured as mistake:  # one broken file must not take the other systems away
            yield broken_dag(PREFIX + path.stem, mistake)
        else:
            if system.captures:
                yield build_capture(system)


def system_files(directory: Path, wanted: str | None) -> list[Path]:
    """All system files, or the one whose DAG is wanted when there is one."""
    files = sorted(directory.glob("*.yaml"))
    return [path for path in files if PREFIX + path.stem == wanted] or files


def build_capture(system: System) -> DAG:
    """The DAG that keeps one system's documents up to date in the ledger."""
    news = wake_up(f"{system.role}/changes", SourceChangesTrigger(role=system.role, every=float(system.poll_seconds)))
    outlets = [document_asset(system.role, document) for document in system.captures]
    with DAG(
        PREFIX + system.role,
        dag_display_name=f"Capture {system.role} 采集 · {system.product}",
        description=f"What changed in {system.role}, into the ledger",
        doc_md=_doc(system),
        schedule=AssetOrTimeSchedule(
            timetable=CronDataIntervalTimetable(WINDOWS, timezone="UTC"), assets=AssetAny(news)
        ),
        start_date=EPOCH,
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULTS,
        params={
            "since": Param(None, title="Read again from 重新读取自", **MOMENT),
            "until": Param(None, title="Read again until 至", **MOMENT),
        },
        tags=["throughline", "capture"],
    ) as dag:
        CaptureOperator(
            task_id="capture",
            role=system.role,
            task_display_name=f"What changed in {system.role}? 有何变化",
            outlets=outlets,
        )
    return dag


def _doc(system: System) -> str:
    kinds = ", ".join(f"`{document}`" for document in system.captures)
    return (
        f"### Capture from **{system.role}** ({system.product})\n\nKeeps {kinds} up to date in the ledger: watermark, "
        "document and content hash in one transaction. Wakes when the system has news and every quarter of an hour.\n\n"
        'To read a window again, run a backfill, or start a run with `{"since": "…", "until": "…"}`.'
    )
