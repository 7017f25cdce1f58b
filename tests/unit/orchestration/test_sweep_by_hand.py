"""Where no Airflow runs, a process made for it carries the work, with the connections of its environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from throughline.connectors.contract import Captured
from throughline.errors import Transient
from throughline.ledger import Ledger
from throughline.local_platform import carrying
from throughline.local_platform.settings import make_settings


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No instance of its own on this machine, and no pause between two looks."""
    monkeypatch.setenv("THROUGHLINE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.setattr(carrying, "LOOK_EVERY", 0)


def test_a_process_of_its_own_carries_the_work(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "AIRFLOW_CONN_LEDGER", os.environ["AIRFLOW_CONN_LEDGER"].replace("throughline-ledger", "postgres")
    )
    with ledger.transaction() as books:
        books.records.store("crm", [Captured("sales_order", "1", {"name": 7}, number="SO-1")])
    carrying.carrier(here=True)()
    with ledger.transaction() as books:
        assert not books.records.has_pending()
        (case,) = books.parked.open()
    assert (case.subject, case.error_kind) == ("sales_order SO-1", "Invalid")


def test_what_keeps_it_from_working_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", "postgres://x@127.0.0.1:1/none")
    with pytest.raises(Transient, match="the work could not be carried here: The hub's database") as told:
        carrying.carrier(here=True)()
    assert "Traceback" not in str(told.value)


def test_an_airflow_that_runs_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make_settings()
    swept = []
    monkeypatch.setattr(carrying, "_sweep", swept.append)
    monkeypatch.setattr(carrying, "airflow_health", lambda _: {"scheduler": "healthy", "triggerer": "healthy"})
    carrying.carrier(settings=settings)()
    assert swept == []
    carrying.carrier(settings=settings, here=True)()
    monkeypatch.setattr(carrying, "airflow_health", lambda _: {"scheduler": "unhealthy", "triggerer": "healthy"})
    carrying.carrier(settings=settings)()
    assert swept == [settings, settings]


def test_its_environment_is_that_of_airflows_tasks() -> None:
    settings = make_settings()
    environment = carrying._environment(settings)
    assert environment["AIRFLOW_HOME"] == str(settings.state / "airflow")
    assert {"AIRFLOW_CONN_CRM", "AIRFLOW_CONN_ERP", "AIRFLOW_CONN_WMS"} <= set(environment)
    assert environment["AIRFLOW_CONN_LEDGER"] == environment["THROUGHLINE_LEDGER_DSN"]
