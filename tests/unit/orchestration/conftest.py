"""Airflow for these tests: a home of its own in a temporary folder with SQLite, set before anything imports airflow."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
HOME = Path(tempfile.mkdtemp(prefix="throughline-airflow-"))
atexit.register(shutil.rmtree, HOME, ignore_errors=True)

os.environ.update(
    {
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME / 'airflow.db'}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(HOME / "logs"),
    }
)

import pytest  # noqa: E402

from throughline.ledger import Ledger, migrate  # noqa: E402


@pytest.fixture
def ledger(postgres_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A ledger of the test's own, and the Airflow connection `ledger` that leads to it."""
    from throughline.orchestration import composition

    migrate(postgres_dsn)
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", postgres_dsn.replace("postgresql://", "throughline-ledger://"))
    yield composition.ledger_at(postgres_dsn)
    composition.ledger_at(postgres_dsn).close()
