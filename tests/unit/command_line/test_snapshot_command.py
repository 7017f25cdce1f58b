"""`throughline snapshot` over a real database as its source: progress, JSON, the brake, and a person's yes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.unit.command_line.test_command_line import run
from throughline.ledger import Ledger, migrate
from throughline.local_platform.embedded_postgres import EmbeddedPostgres

INCLUDE = Path(__file__).parents[3] / "include"
SYSTEM = """
role: legacy
product: postgres_tables
connection: legacy
owns: [sales_order, customer]
captures: [sales_order, customer]
snapshot: {stop_at: {share: 0.10, documents: 3}}
"""


@pytest.fixture
def source(
    postgres: EmbeddedPostgres, postgres_dsn: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[psycopg.Connection[Any]]:
    """The self-made system of include/products, declared as a plant would, with 40 customers."""
    postgres.create_database("snapshot_command")
    migrate(postgres.dsn("snapshot_command"))
    place = urlsplit(postgres_dsn)
    plant = tmp_path / "include"
    (plant / "systems").mkdir(parents=True)
    (plant / "products").symlink_to(INCLUDE / "products")
    (plant / "systems" / "legacy.yaml").write_text(SYSTEM)
    monkeypatch.setenv("THROUGHLINE_INCLUDE", str(plant))
    monkeypatch.setenv("THROUGHLINE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("THROUGHLINE_LEDGER_DSN", postgres.dsn("snapshot_command"))
    monkeypatch.setenv(
        "AIRFLOW_CONN_LEGACY",
        json.dumps({"conn_type": "postgres", "host": place.hostname, "port": place.port, "login": place.username,
                    "password": place.password, "schema": place.path.strip("/")}),
    )  # fmt: skip
    with psycopg.connect(postgres_dsn, autocommit=True) as owner:
        owner.execute((INCLUDE / "products" / "postgres_tables" / "tables.sql").read_text())
        owner.execute("insert into customers select 'C-' || n, 'name ' || n from generate_series(1, 40) as n")
        yield owner
    postgres.drop_database("snapshot_command")


def live(postgres: EmbeddedPostgres) -> int:
    ledger = Ledger(postgres.dsn("snapshot_command"), clock=lambda: datetime.now(UTC))
    try:
        with ledger.transaction() as books:
            return int(books.records._session.value("select count(*) from source_records where not deleted"))
    finally:
        ledger.close()


def test_a_snapshot_tells_what_it_did(source, capsys):
    code, out, err = run(capsys, "snapshot", "legacy")
    assert code == 0, err
    assert "customer: done. 40 read, 40 stored, 40 known, 0 missing, 0 deleted." in out
    assert "customer: 40 read" in err
    code, out, _ = run(capsys, "snapshot", "legacy", "customer", "--json")
    assert code == 0
    (told,) = json.loads(out)
    assert (told["outcome"], told["read"], told["stored"], told["document"]) == ("done", 40, 0, "customer")


def test_much_missing_stops_and_a_person_lets_it_through(source, capsys, postgres):
    run(capsys, "snapshot", "legacy", "customer")
    source.execute("delete from customers where customer_no in ('C-1', 'C-2')")
    code, out, _ = run(capsys, "snapshot", "legacy", "customer")
    assert (code, live(postgres)) == (0, 38), out
    assert "2 missing, 2 deleted" in out
    source.execute("delete from customers where customer_no like 'C-1%'")
    code, out, _ = run(capsys, "snapshot", "legacy", "customer")
    assert code == 1
    assert "10 of 38 are missing (26.3 %)" in out
    assert "C-10" in out
    assert live(postgres) == 38
    code, out, _ = run(capsys, "parked", "--json")
    (group,) = json.loads(out)
    assert (group["signature"], group["owner_system"]) == ("MassDelete:legacy:customer:", "legacy")
    code, out, err = run(capsys, "replay", "--signature", group["signature"])
    assert code == 0, err
    assert live(postgres) == 28
    assert "Nothing is parked" in run(capsys, "parked")[1]


def test_an_emptied_table_is_not_believed(source, capsys, postgres):
    run(capsys, "snapshot", "legacy", "customer")
    source.execute("delete from customers")
    code, out, _ = run(capsys, "snapshot", "legacy", "customer")
    assert (code, live(postgres)) == (1, 40)
    assert "the answer was empty, and 40 are known" in out


def test_mistakes_are_one_sentence(source, capsys, monkeypatch):
    code, _, err = run(capsys, "snapshot", "nobody")
    assert (code, "no system plays the role nobody" in err) == (2, True)
    code, _, err = run(capsys, "snapshot", "legacy", "item")
    assert (code, "not for item" in err) == (2, True)
    monkeypatch.delenv("AIRFLOW_CONN_LEGACY")
    code, _, err = run(capsys, "snapshot", "legacy")
    assert (code, "AIRFLOW_CONN_LEGACY" in err) == (2, True)
