"""What the DAG processor does with `dags/`: no errors, no deprecated words, and quickly enough for every task."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BUDGET = 0.5
"""CPU seconds a task may spend on reading its DAG file, Airflow itself being imported already."""

_PARSE = """
import json, sys, time, warnings
from airflow.exceptions import RemovedInAirflow4Warning
warnings.simplefilter("error", RemovedInAirflow4Warning)
import airflow.sdk, airflow.triggers.base
from airflow.dag_processing.dagbag import DagBag
before = time.process_time()
bag = DagBag(sys.argv[1], bundle_name="throughline")
print(json.dumps({
    "seconds": time.process_time() - before, "errors": bag.import_errors, "dags": sorted(bag.dags),
    "heavy": sorted({"pandas", "great_expectations", "psycopg", "alembic", "throughline.process.engine",
                     "throughline.orchestration.composition"} & set(sys.modules)),
}))
"""


def parsed(path: Path, **environment: str) -> dict[str, object]:
    import os

    done = subprocess.run(
        [sys.executable, "-c", _PARSE, str(path)],
        check=True, capture_output=True, text=True, env={**os.environ, **environment},
    )  # fmt: skip
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", ["capture", "flows", "housekeeping"])
def test_a_dag_file_is_read_without_errors_and_quickly(name: str) -> None:
    found = parsed(ROOT / "dags" / f"{name}.py")
    assert found["errors"] == {}
    assert found["dags"]
    assert found["heavy"] == []
    assert found["seconds"] < BUDGET


def test_every_flow_and_every_capturing_system_has_its_dag() -> None:
    flows = {path.stem for path in (ROOT / "include" / "flows").glob("*.yaml")}
    found = parsed(ROOT / "dags")
    assert flows | {"capture_crm", "capture_erp", "housekeeping"} <= set(found["dags"])  # type: ignore[arg-type]


def test_a_task_reads_only_its_own_dag() -> None:
    found = parsed(ROOT / "dags" / "capture.py", _AIRFLOW_PARSING_CONTEXT_DAG_ID="capture_crm")
    assert found["dags"] == ["capture_crm"]
