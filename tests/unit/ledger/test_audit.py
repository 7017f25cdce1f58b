"""Nobody edits the audit; whoever does it behind our back is found out."""

from __future__ import annotations

import contextlib
import threading
from decimal import Decimal

import psycopg
import pytest

from throughline.ledger import Ledger
from throughline.ledger.entries import AuditEntry


def note(ledger: Ledger, count: int, actor: str = "wang") -> None:
    with ledger.transaction() as books:
        books.audit.append(
            AuditEntry(actor, "replay", f"SO-{n}", None, {"n": n, "price": Decimal("0.10"), "词": "订单"})
            for n in range(count)
        )


def broken(ledger: Ledger, head: tuple[int, str] | None = None) -> int | None:
    with ledger.transaction() as books:
        return books.audit.broken_at(head)


@pytest.mark.parametrize("statement", ["update audit set actor = 'li'", "delete from audit", "truncate audit"])
def test_the_database_refuses_changes(ledger: Ledger, ledger_dsn: str, statement: str) -> None:
    note(ledger, 2)
    with psycopg.connect(ledger_dsn) as database, pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.execute(statement)
    assert broken(ledger) is None


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("update audit set actor = 'li' where seq = 3", 3),
        ("update audit set at = at + interval '1 second' where seq = 2", 2),
        ("""update audit set details = '{"n":9}' where seq = 4""", 4),
        ("delete from audit where seq = 2", 2),
        ("delete from audit where seq = 5", 5),
    ],
)
def test_a_change_by_force_is_detected(ledger: Ledger, ledger_dsn: str, statement: str, seq: int) -> None:
    note(ledger, 5)
    with ledger.transaction() as books:
        head = books.audit.head()
    with psycopg.connect(ledger_dsn) as database:
        database.execute("set session_replication_role = replica")
        database.execute(statement)
    assert broken(ledger, head) == seq


def test_the_chain_grows_from_many_hands(ledger: Ledger) -> None:
    threads = [threading.Thread(target=lambda n=n: [note(ledger, 3, f"w{n}") for _ in range(5)]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with ledger.transaction() as books:
        head = books.audit.head()
        assert [line.seq for line in books.audit.lines()] == list(range(1, 61))
        assert len(books.audit.lines(subject="SO-0")) == 20
    assert head[0] == 60
    assert broken(ledger, head) is None


def test_what_was_taken_back_is_not_noted(ledger: Ledger) -> None:
    with contextlib.suppress(RuntimeError), ledger.transaction() as books:
        books.audit.append([AuditEntry("wang", "replay", "SO-1")])
        raise RuntimeError
    with ledger.transaction() as books:
        assert books.audit.lines() == []
