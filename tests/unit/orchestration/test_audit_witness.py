"""The nightly witness reads the whole audit, keeps a signed head elsewhere, and turns red when it was touched."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from throughline.errors import Misconfigured
from throughline.ledger import Ledger
from throughline.ledger.audit_heads import daily_files, read_head
from throughline.ledger.entries import AuditEntry
from throughline.orchestration.operators.chores import WitnessAuditOperator

SECRET = "kept by the platform"


@pytest.fixture
def witness(ledger: Ledger, postgres_dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> WitnessAuditOperator:
    address = urlsplit(postgres_dsn)
    connection = {
        "conn_type": "throughline_ledger", "host": address.hostname, "port": address.port, "login": address.username,
        "schema": address.path[1:], "extra": {"audit_secret": SECRET},
    }  # fmt: skip
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", json.dumps(connection))
    monkeypatch.setenv("THROUGHLINE_AUDIT_HEADS", str(tmp_path / "heads"))
    with ledger.transaction() as books:
        books.audit.append([AuditEntry("wang", "replay", "SO-1")])
    return WitnessAuditOperator(task_id="witness_audit")


def test_it_keeps_a_signed_head_of_the_day(witness: WitnessAuditOperator, tmp_path: Path) -> None:
    for _ in range(2):
        done = witness.execute({"params": {}})
    (kept,) = daily_files(tmp_path / "heads")
    assert done == {"line": 1, "seal": read_head(kept, SECRET).seal, "kept": str(kept)}


def test_a_touched_audit_is_a_red_task_that_is_not_tried_again(
    witness: WitnessAuditOperator, postgres_dsn: str, tmp_path: Path
) -> None:
    witness.execute({"params": {}})
    with psycopg.connect(postgres_dsn, autocommit=True) as database:
        database.execute("alter table audit disable trigger all")
        database.execute("update audit set actor = 'li'")
    with pytest.raises(AirflowFailException, match="line 1 was changed"):
        witness.execute({"params": {}})
    assert len(daily_files(tmp_path / "heads")) == 1


def test_without_a_secret_a_person_is_asked_for_one(
    witness: WitnessAuditOperator, postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LEDGER", postgres_dsn.replace("postgresql://", "throughline-ledger://"))
    with pytest.raises(Misconfigured, match="no secret to sign"):
        witness.execute({"params": {}})
