"""The plant's files are read once, and again when they change; tasks start warm where they are forked from a parent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from throughline.errors import Misconfigured
from throughline.orchestration import declared
from throughline.orchestration.preloading import is_a_parent_of_tasks

FLOW = """
flow: small
title: {en: Small, zh: 小}
subject: {document: sales_order, system: crm}
start: "doc.status == 'confirmed'"
steps:
  erp_order: {deliver: {system: erp, document: sales_order, operation: create}}
"""


@pytest.fixture
def include(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("THROUGHLINE_INCLUDE", str(tmp_path))
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "small.yaml").write_text(FLOW)
    return tmp_path


def test_a_file_is_read_again_only_when_it_changed(include: Path) -> None:
    first = declared.flows()
    assert declared.flows() is first
    (include / "flows" / "small.yaml").write_text(FLOW.replace("en: Small", "en: Renamed"))
    assert declared.flows()["small"].title.en == "Renamed"
    assert first["small"].title.en == "Small"


def test_a_file_that_comes_or_goes_is_noticed(include: Path) -> None:
    assert set(declared.flows()) == {"small"}
    other = include / "flows" / "other.yaml"
    other.write_text(FLOW.replace("flow: small", "flow: other"))
    assert set(declared.flows()) == {"small", "other"}
    other.unlink()
    assert set(declared.flows()) == {"small"}


def test_one_flow_is_read_by_itself(include: Path) -> None:
    path = include / "flows" / "small.yaml"
    assert declared.flow_in(path) is declared.flow_in(path)
    path.write_text("flow: [")
    with pytest.raises(Misconfigured, match=r"small\.yaml"):
        declared.flow_in(path)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["/venv/bin/airflow", "scheduler", "--skip-serve-logs"], True),
        (["/venv/lib/airflow/__main__.py", "scheduler"], True),
        (["airflow", "celery", "worker"], True),
        (["airflow", "triggerer"], False),
        (["airflow", "api-server"], False),
        (["airflow", "dag-processor"], False),
        (["pytest"], False),
    ],
)
def test_only_parents_of_tasks_read_ahead(arguments: list[str], expected: bool) -> None:
    assert is_a_parent_of_tasks(arguments) is expected


_FORK = """
import json, os, sys, time, warnings
warnings.simplefilter("ignore")
sys.argv = ["airflow", "scheduler"]
from airflow import plugins_manager
plugins_manager._get_plugins()
out, into = os.pipe()
if os.fork() == 0:
    began = time.process_time()
    from throughline.orchestration import composition
    from throughline.orchestration.hub import build_hub
    from throughline.ledger import Ledger
    ledger = Ledger("postgresql://nobody@nowhere/never", clock=composition.now)
    words = composition.words_over(ledger)
    build_hub(ledger, composition.landscape(), words, composition.flows(), composition.open_system)
    os.write(into, json.dumps(time.process_time() - began).encode())
    os._exit(0)
print(os.read(out, 100).decode())
"""


def test_a_task_forked_from_the_scheduler_has_its_engine_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", _FORK], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout.splitlines()[-1]) < 0.1, "CPU seconds; cold it takes half a second or more"
