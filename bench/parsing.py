"""What a task pays before it works: reading a DAG file, beside the bare import of airflow.sdk, in fresh processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
PROGRAM = """
import time, sys, resource
import airflow.sdk
start, cpu = time.perf_counter(), time.process_time()
if sys.argv[1] != '-':
    import runpy
    runpy.run_path(sys.argv[1])
print(time.perf_counter() - start, time.process_time() - cpu)
"""


def seconds(path: str) -> tuple[float, float]:
    """Median wall and CPU seconds of reading a DAG file after airflow.sdk is imported."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        environment["PYTHONPATH"] = f"{ROOT / 'plugins'}:{ROOT}"
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        runs = []
        for _ in range(4):
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM, path], env=environment, capture_output=True, text=True, check=True
            )
            runs.append(tuple(map(float, done.stdout.split()[-2:])))
    return median(wall for wall, _ in runs[1:]), median(cpu for _, cpu in runs[1:])


def main() -> None:
    """Print a line for each DAG file (goal: below 0.5 s)."""
    for path in sorted((ROOT / "dags").glob("*.py")):
        wall, cpu = seconds(str(path))
        print(f"  dags/{path.name:<20} {wall:5.2f} s  {cpu:5.2f} CPU s beyond airflow.sdk")


if __name__ == "__main__":
    main()
