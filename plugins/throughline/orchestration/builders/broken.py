"""A DAG in the place of one whose file is wrong: it says what to mend, and the others stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, BaseOperator

from throughline.errors import Misconfigured
from throughline.orchestration.retrying import DEFAULTS

if TYPE_CHECKING:
    from airflow.sdk import Context


class BrokenFileOperator(BaseOperator):  # type: ignore[misc]  # Airflow is not typed here
    """Stands where work should be done that a wrong file describes."""

    ui_color = "#ffcdd2"

    def __init__(self, *, sentence: str, **options: Any) -> None:
        super().__init__(**options)
        self.sentence = sentence

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        """Fail with the sentence that names file and line."""
        raise Misconfigured(self.sentence)


def broken_dag(name: str, mistake: Misconfigured) -> DAG:
    """The DAG that says what is wrong, and fails with that sentence when it is run."""
    with DAG(
        name,
        description=str(mistake),
        doc_md=f"### This file must be mended 文件有误\n\n{mistake}",
        schedule=None,
        default_args=DEFAULTS,
        tags=["throughline", "broken"],
    ) as dag:
        BrokenFileOperator(task_id="mend_this_file", sentence=str(mistake))
    return dag
