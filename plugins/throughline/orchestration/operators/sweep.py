"""The tasks of a sweep: ask which steps have work, then move every document that is ready for a step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, DownstreamTasksSkipped

from throughline.orchestration.operators.telling import tell

if TYPE_CHECKING:
    from airflow.sdk import Context


def chosen_keys(context: Context) -> list[str] | None:
    """The documents this run was started for, or None for all."""
    keys = context["params"].get("keys") or (context["dag_run"].conf or {}).get("keys")
    return [str(key).strip() for key in keys] if keys else None


class PlanOperator(BaseOperator):  # type: ignore[misc]  # Airflow is not typed here
    """Ask the ledger which steps have work and skip the tasks of all others, which then start no process.

    What a step makes ready is done in the same run: `followers` names the steps to keep with each one that has work.
    """

    ui_color = "#e8eaf6"

    def __init__(self, *, flow: str, followers: dict[str, list[str]], **options: Any) -> None:
        super().__init__(**options)
        self.flow = flow
        self.followers = followers

    def execute(self, context: Context) -> dict[str, int]:
        """Count the work per step; skip the rest."""
        from throughline.orchestration.composition import opened_hub  # heavy: only a running task needs it

        with opened_hub() as hub:
            hub.understand()
            work = hub.work(self.flow, hub.keys_named(self.flow, chosen_keys(context)))
        self.log.info("work: %s", ", ".join(f"{step} {count}" for step, count in work.items()) or "none")
        context["ti"].xcom_push(key="return_value", value=work)
        kept = set(work).union(*(self.followers[step] for step in work), [self.task_id])
        idle = [task_id for task_id in self.dag.task_ids if task_id not in kept]
        if idle:
            raise DownstreamTasksSkipped(tasks=idle)
        return work


class StepOperator(BaseOperator):  # type: ignore[misc]  # Airflow is not typed here
    """Move every document that is ready for one step of a flow; one document's trouble does not fail the task.

    Args:
        flow: the flow's name.
        step: the step's name in it.
        plan: the task that planned the sweep; without its word nothing is done.
        options: whatever an Airflow task takes.
    """

    def __init__(self, *, flow: str, step: str, plan: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.flow = flow
        self.step = step
        self.plan = plan

    def execute(self, context: Context) -> dict[str, int]:
        """Do the step's work; the log says what happened to each document, the return value how many."""
        from throughline.orchestration.composition import opened_hub  # heavy: only a running task needs it

        if self.plan and context["ti"].xcom_pull(task_ids=self.plan) is None:
            self._do_nothing()
        started = time.monotonic()
        with opened_hub() as hub:
            report = hub.run_step(self.flow, self.step, hub.keys_named(self.flow, chosen_keys(context)))
        return tell(self.log, report, time.monotonic() - started)

    def _do_nothing(self) -> None:
        """Airflow judges a run by its last tasks: those fail, so that a run without a plan does not look well."""
        if self.downstream_task_ids:
            raise AirflowSkipException("the sweep was not planned")
        raise AirflowFailException("the sweep was not planned")


class DeliverStep(StepOperator):
    """A step that writes documents into a system."""

    ui_color = "#e3f2fd"


class AwaitStep(StepOperator):
    """A step that waits for documents of a system; capture is what makes it move."""

    ui_color = "#fff8e1"


class DecideStep(StepOperator):
    """A step that asks a named rule."""

    ui_color = "#f3e5f5"


class NotifyStep(StepOperator):
    """A step that tells somebody."""

    ui_color = "#e8f5e9"


STEP_OPERATORS: dict[str, type[StepOperator]] = {
    "deliver": DeliverStep,
    "await": AwaitStep,
    "decide": DecideStep,
    "notify": NotifyStep,
}
