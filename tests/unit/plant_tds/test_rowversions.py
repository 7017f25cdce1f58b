"""The plant's rowversions behave as SQL Server's: handed out when written, active until the transaction is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest

from tests.sqlserver_fixtures import AccountSet, account_set

__all__ = ["account_set"]
Open = Callable[[], psycopg.Connection[Any]]


@pytest.fixture
def writer(account_set: AccountSet) -> Iterator[Open]:
    """Opens connections whose transactions stay open until the test ends them."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(psycopg.connect(account_set.dsn))


def write(connection: psycopg.Connection[Any], code: str) -> int:
    """The rowversion a new row was given."""
    row = connection.execute(
        'insert into "Customer" ("cCusCode", "cCusName") values (%s, %s) returning pubufts', [code, code]
    ).fetchone()
    assert row is not None
    return int.from_bytes(row[0], "big")


def lowest(account_set: AccountSet) -> int:
    return int.from_bytes(account_set.ask("select MIN_ACTIVE_ROWVERSION() as it")[0]["it"], "big")


def newest(account_set: AccountSet) -> int:
    return int.from_bytes(account_set.ask("select @@DBTS as it")[0]["it"], "big")


def test_with_nothing_open_the_minimum_is_one_above_the_newest(account_set, writer):
    assert (newest(account_set), lowest(account_set)) == (2000, 2001)
    with writer() as connection:
        written = write(connection, "A")
    assert (newest(account_set), lowest(account_set)) == (written, written + 1)


def test_the_minimum_rises_only_when_the_oldest_writer_ends(account_set, writer):
    oldest, middle, youngest = writer(), writer(), writer()
    first, second, third = write(oldest, "A"), write(middle, "B"), write(youngest, "C")
    assert first < second < third
    write(oldest, "A2")  # its later rowversions change nothing
    assert lowest(account_set) == first
    youngest.commit()
    assert lowest(account_set) == first
    oldest.rollback()
    assert lowest(account_set) == second
    middle.commit()
    assert lowest(account_set) == newest(account_set) + 1


def test_a_transaction_is_handed_a_new_first_rowversion_each_time(account_set, writer):
    connection = writer()
    write(connection, "A")
    connection.commit()
    second = write(connection, "B")
    assert lowest(account_set) == second


def test_a_savepoint_taken_back_counts_no_more(account_set, writer):
    connection = writer()
    connection.execute("savepoint before")
    write(connection, "A")
    connection.execute("rollback to savepoint before")
    assert lowest(account_set) == newest(account_set) + 1
    kept = write(connection, "B")
    assert lowest(account_set) == kept


def test_a_killed_writer_holds_nothing_back(account_set, writer):
    victim, killer = psycopg.connect(account_set.dsn), writer()
    write(victim, "A")
    killer.execute("select pg_terminate_backend(%s)", [victim.info.backend_pid])
    deadline = time.monotonic() + 30
    while lowest(account_set) != newest(account_set) + 1:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    victim.close()


def test_a_writer_behind_the_door_counts_as_well(account_set):
    with account_set.driver(autocommit=False) as connection:
        cursor = connection.cursor()
        cursor.execute("insert into Customer (cCusCode, cCusName) values (N'C-9', N'青岛')")
        held = lowest(account_set)
        assert held == newest(account_set)
        connection.commit()
    assert lowest(account_set) == held + 1
    assert account_set.ask("select cCusName from Customer") == [{"cCusName": "青岛"}]


def test_what_lies_below_the_minimum_is_never_added_to_afterwards(account_set):
    """Readers in a hurry: whatever was below a minimum once, is all there is below it for ever."""
    stop = threading.Event()

    def busy(number: int) -> None:
        with psycopg.connect(account_set.dsn) as connection:
            turn = 0
            while not stop.is_set():
                turn += 1
                write(connection, f"{number}-{turn}")
                connection.commit() if turn % 3 else connection.rollback()

    threads = [threading.Thread(target=busy, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    seen: list[tuple[bytes, int]] = []
    with psycopg.connect(account_set.dsn, autocommit=True) as reader:
        count = 'select count(*) from "Customer" where pubufts < %s'
        for _ in range(60):
            (bound,) = reader.execute("select min_active_rowversion()").fetchone() or (b"",)
            seen.append((bound, (reader.execute(count, [bound]).fetchone() or (0,))[0]))
        stop.set()
        for thread in threads:
            thread.join(30)
        assert len({bound for bound, _ in seen}) > 10
        assert [(reader.execute(count, [bound]).fetchone() or (0,))[0] for bound, _ in seen] == [n for _, n in seen]
