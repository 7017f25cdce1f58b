"""The hub's own database user does the hub's work, and cannot touch what has been noted in the audit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest

from throughline.connectors.contract import Captured
from throughline.ledger import Ledger, admit_hub
from throughline.ledger.entries import AuditEntry

NOW = datetime(2031, 5, 1, tzinfo=UTC)


@pytest.fixture
def hub_dsn(ledger_dsn: str) -> str:
    for _ in range(2):
        admit_hub(ledger_dsn, "hub_of_tests", "hub's password")
    return ledger_dsn.replace("//postgres@", "//hub_of_tests@")


@pytest.fixture
def hub_ledger(hub_dsn: str) -> Iterator[Ledger]:
    ledger = Ledger(hub_dsn, clock=lambda: NOW)
    with ledger.transaction() as books:
        books.audit.append([AuditEntry("wang", "replay", "SO-1"), AuditEntry("wang", "replay", "SO-2")])
    yield ledger
    ledger.close()


def test_it_keeps_documents_makes_months_and_appends(hub_ledger: Ledger) -> None:
    hub_ledger.ensure_months()
    with hub_ledger.transaction() as books:
        (stored,) = books.records.store("crm", [Captured("sales_order", "65a1", {"name": "SO-1"}, number="SO-1")])
    assert stored.version_id
    with hub_ledger.transaction() as books:
        assert books.audit.head()[0] == 2
        assert books.audit.broken_at() is None


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set actor = 'li'",
        "delete from audit",
        "truncate audit",
        "alter table audit disable trigger all",
        "drop trigger audit_is_append_only on audit",
        "drop table audit",
        "create trigger other before insert on audit execute function audit_refuses_change()",
        "update audit_end set seq = 1",
        "insert into audit_end values (false, 1, 'x')",
        "set session_replication_role = replica",
        "create table mine (n int)",
        "drop table deliveries",
        "create role friend",
        "update ledger_version set version_num = '0001'",
        "set role postgres",
        "select pg_read_file('/etc/passwd')",
        "copy (select 1) to program 'true'",
    ],
)
@pytest.mark.usefixtures("hub_ledger")
def test_it_may_do_nothing_else(hub_dsn: str, statement: str) -> None:
    with psycopg.connect(hub_dsn, autocommit=True) as database, pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute(statement)
