"""The ledger survives a lost connection, and tells its listeners when there is work."""

from __future__ import annotations

from contextlib import aclosing

import psycopg
import pytest

from throughline.connectors.contract import Captured
from throughline.errors import Invalid, Transient
from throughline.ledger import CHANNEL, Ledger, heard
from throughline.ledger.work_entries import Changes, Start, StepChange


def test_a_lost_connection_is_transient_and_the_next_one_works(ledger: Ledger, ledger_dsn: str) -> None:
    def lose_it() -> None:
        with ledger.transaction() as books, psycopg.connect(ledger_dsn) as database:
            database.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            books.records.has_pending()

    with pytest.raises(Transient):
        lose_it()
    with ledger.transaction() as books:
        assert not books.records.has_pending()


def test_an_unreachable_database_is_transient() -> None:
    from datetime import UTC, datetime

    nowhere = Ledger("postgresql://postgres@127.0.0.1:1/none", clock=lambda: datetime.now(UTC))
    with pytest.raises(Transient), nowhere.transaction():
        pass


def test_a_value_no_column_can_hold_is_invalid(ledger: Ledger) -> None:
    with pytest.raises(Invalid), ledger.transaction() as books:
        books.identities.search("a\x00b")


def test_listeners_hear_once_per_transaction_that_there_is_work(ledger: Ledger, ledger_dsn: str) -> None:
    with psycopg.connect(ledger_dsn, autocommit=True) as listener:
        listener.execute(f"listen {CHANNEL}")
        with ledger.transaction() as books:
            books.records.store("crm", [Captured("sales_order", str(n), {}) for n in range(3)])
            (process,) = books.processes.start([Start("f", "1", "k:crm:1")])
            books.processes.apply(Changes(steps=[StepChange(process.process_id, "a", "", "ready")]))
            books.inbox.store("wms", "k", "m", {}, b"")
        heard = [notice.payload for notice in listener.notifies(timeout=1, stop_after=2)]
    assert heard == ["inbox versions work"]


async def test_whoever_listens_hears_a_word_and_after_silence_an_empty_one(ledger: Ledger, ledger_dsn: str) -> None:
    async with aclosing(heard(ledger_dsn, every=0.2)) as words:
        assert await anext(words) == ""
        with ledger.transaction() as books:
            books.inbox.store("wms", "k", "m", {}, b"")
        assert await anext(words) == "inbox"
        assert await anext(words) == ""


async def test_listening_nowhere_is_transient() -> None:
    async with aclosing(heard("postgresql://postgres@127.0.0.1:1/none", every=1)) as words:
        with pytest.raises(Transient):
            await anext(words)
