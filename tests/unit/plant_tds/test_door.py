"""The unmodified driver at the plant's TDS door: logins, types, parameters, errors with SQL Server's numbers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pymssql
import pytest

from tests.conftest import free_port
from tests.sqlserver_fixtures import PASSWORD, AccountSet, account_set, people

__all__ = ["account_set", "people"]
ROOT = Path(__file__).parents[3]
KINDS = """
create table kinds (
    id integer, big bigint, small smallint, tiny_one tiny, flag bit_flag, exact numeric(38, 10), price numeric(19, 4),
    rough float8, wide varchar(50), longest text, narrow gbk, at datetime, at_exactly datetime2, on_day date, mark uuid,
    stamp rowversion, raw bytea
);
insert into kinds values (
    -2147483648, 9223372036854775807, -32768, 255, 1, -9999999999999999999999999999.9999999999, 922337203685477.5807,
    0.1, '全角ＡＢ 𠮷', repeat('长', 9000), '青岛誠\\', '2026-11-23 08:00:00.005', '2026-11-23 08:00:00.123456',
    '2026-11-23', '6f9619ff-8b86-d011-b42d-00c04fc964ff', '\\x4142434445464748', '\\x00ff'
);
insert into kinds (id) values (null);
"""


def test_every_type_arrives_exactly(account_set, people):
    people.execute(KINDS)
    full, empty = account_set.ask("select * from kinds")
    assert full == {
        "id": -(2**31), "big": 2**63 - 1, "small": -32768, "tiny_one": 255, "flag": True,
        "exact": Decimal("-9999999999999999999999999999.9999999999"), "price": Decimal("922337203685477.5807"),
        "rough": 0.1, "wide": "全角ＡＢ 𠮷", "longest": "长" * 9000, "narrow": "青岛誠\\",
        "at": datetime.fromisoformat("2026-11-23T08:00:00.007"),
        "at_exactly": datetime.fromisoformat("2026-11-23T08:00:00.123456"),
        "on_day": date(2026, 11, 23), "mark": UUID("6f9619ff-8b86-d011-b42d-00c04fc964ff"),
        "stamp": b"ABCDEFGH", "raw": b"\x00\xff",
    }  # fmt: skip
    assert set(empty.values()) == {None}


def test_many_rows_travel_in_many_packets(account_set, people):
    people.execute("create table many (id integer, told text)")
    people.execute("insert into many select n, repeat('文', n % 900) from generate_series(1, 5000) as n")
    rows = account_set.ask("select id, told from many order by id")
    assert [len(row["told"]) for row in rows] == [number % 900 for number in range(1, 5001)]


HOSTILE = [
    "'; drop table Customer; --",
    "誠\\",
    "\\' or 1 = 1 --",
    "%d%s%(x)s",
    "Ｏ＇Ｒ",
    "a''b",
    "",
    "0x41",
    "N'x'",
    "@p0",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_stays_a_value(account_set, value):
    text = "EXEC sp_executesql %(statement)s, %(declared)s, @a = %(a)s, @b = %(b)s"
    values = {"statement": "select @a as a, @b as b", "declared": "@a nvarchar(4000), @b binary(8)"}
    (row,) = account_set.ask(text, {**values, "a": value, "b": bytearray(b"ABCDEFGH")})
    assert row == {"a": value, "b": b"ABCDEFGH"}
    assert account_set.ask("select cCusCode from Customer") == []


def test_a_remote_call_binds_too(account_set):
    with account_set.driver() as connection:
        cursor = connection.cursor(as_dict=True)
        cursor.callproc("sp_executesql", ("select @a as a, @b as b", "@a nvarchar(50), @b int", "中'", 5))
        assert list(cursor) == [{"a": "中'", "b": 5}]


@pytest.mark.parametrize(
    ("statement", "number"),
    [("select x from nowhere", 208), ("select nothing from Customer", 207), ("selec 1", 102),
     ("select 1 / 0 as x", 8134), ("exec sp_nowhere", 2812), ("insert into Customer (cCusName) values (N'x')", 515),
     ("select @x as x", 137), ("rollback", 3903)],
)  # fmt: skip
def test_errors_carry_sql_servers_numbers(account_set, statement, number):
    with account_set.driver() as connection:
        cursor = connection.cursor()
        with pytest.raises(pymssql.Error) as caught:
            cursor.execute(statement)
        assert caught.value.args[0] == number
        cursor.execute("select 1 as still_here")
        assert cursor.fetchall() == [(1,)]


@pytest.mark.parametrize("wrong", [{"password": "reads"}, {"user": "nobody"}, {"database": "UFDATA_999_2026"}])
def test_who_does_not_belong_is_turned_away(account_set, wrong):
    with pytest.raises(pymssql.OperationalError):
        account_set.driver(**wrong)


def test_an_error_ends_the_statement_and_not_the_transaction(account_set):
    with account_set.driver(autocommit=False) as connection:
        cursor = connection.cursor()
        cursor.execute("insert into Customer (cCusCode, cCusName) values (N'C-1', N'a')")
        with pytest.raises(pymssql.IntegrityError):
            cursor.execute("insert into Customer (cCusCode, cCusName) values (N'C-1', N'b')")
        connection.commit()
    assert account_set.ask("select cCusName from Customer") == [{"cCusName": "a"}]


def test_a_question_that_is_given_up_is_called_off_at_the_database(account_set, people):
    with pytest.raises(pymssql.OperationalError):
        account_set.ask("select 1 as a from (select pg_sleep(60) as s) as x", timeout=1)
    for _ in range(100):
        left = people.execute(
            "select count(*) from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active'"
            " and pid <> pg_backend_pid() and pg_sleep(0.05)::text = ''"
        ).fetchone()
        if left == (0,):
            return
    pytest.fail("the question is still being answered")


def test_the_command_of_the_readme_opens_a_door(postgres_dsn):
    port = free_port()
    command = [sys.executable, "-m", "include.plant.tds", "--port", str(port), "--dsn", postgres_dsn, "--login", "hub"]
    for _ in range(2):  # the second finds the tables laid
        with subprocess.Popen(command, env={**os.environ, "PLANT_SECRET": PASSWORD}, cwd=ROOT) as process:
            try:
                until_open(port, process)
                assert AccountSet(postgres_dsn, port).ask("select cSOCode from SO_SOMain") == []
            finally:
                process.kill()


def until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the door did not open")
