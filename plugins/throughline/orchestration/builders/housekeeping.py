"""The nightly DAG that keeps the ledger tidy; each chore is a task of its own and harmless to repeat."""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, CronTriggerTimetable, Param

from throughline.orchestration.operators.chores import (
    AgeParkedOperator,
    EnsureMonthsOperator,
    RetentionOperator,
    WakeWaitingOperator,
    WitnessAuditOperator,
)
from throughline.orchestration.retrying import DEFAULTS

NIGHTLY = "30 1 * * *"


def housekeeping_dag() -> DAG:
    """Chores, none of which waits for another."""
    with DAG(
        "housekeeping",
        dag_display_name="Housekeeping 日常维护",
        description="Keeps the ledger tidy",
        schedule=CronTriggerTimetable(NIGHTLY, timezone="Asia/Shanghai"),
        start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
        catchup=False,
        max_active_runs=1,
        default_args=DEFAULTS,
        params={
            "parked_days": Param(3, type="integer", minimum=1, title="Mention what is parked longer than 天"),
        },
        tags=["throughline", "housekeeping"],
    ) as dag:
        EnsureMonthsOperator(task_id="ensure_months", task_display_name="Room for next month 下月分区")
        WakeWaitingOperator(task_id="wake_waiting", task_display_name="Wake what waits for known names 唤醒等待")
        AgeParkedOperator(task_id="age_parked", task_display_name="What is parked for long 长期搁置")
        RetentionOperator(task_id="let_old_contents_go", task_display_name="Let old contents go 清理过期内容")
        WitnessAuditOperator(task_id="witness_audit", task_display_name="Witness the audit's end 审计链尾存证")
    return dag
