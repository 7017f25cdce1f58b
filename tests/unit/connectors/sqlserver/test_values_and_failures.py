"""Values stay what they are in both directions, and every failure is named by its consequence."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path

import psycopg
import pymssql
import pytest

from tests.sqlserver_fixtures import account_set, connect, people, poll
from throughline.canonical import Customer
from throughline.connectors.mechanisms.sql.sqlserver.failures import failures_of
from throughline.connectors.mechanisms.sql.sqlserver.rowversions import number_of, packed, unpacked, written
from throughline.connectors.places import PRODUCTS
from throughline.errors import Invalid, Misconfigured, Transient
from throughline.ledger import content_hash
from throughline.mapping import Codes, Translator, load_tables
from throughline.orchestration.strangers import Strangers

__all__ = ["account_set", "connect", "people"]
ROOT = Path(__file__).parents[4]
THINGS = """
create table things (
    id varchar(200) primary key, parent varchar(200), at datetime, rate float8, raw bytea, flag bit_flag
);
"""
DECLARED = """
  item:
    fence: W3
    query: select id, at, rate, raw, flag from things where id not like N'%(x)s%d'
    key: id
    lines:
      children:
        query: select id, parent from things
        parent: parent
        order_by: id
"""
HOSTILE = [
    "'; drop table things; --", "誠\\", "\\' or 1 = 1 --", "%d%s%(p0)s", "Ｏ＇Ｒ", "a''b", "0x4142", "N'x'", "@p0",
    "a/b",     "[x]]", " outer ", "𠮷野家", "\u00a0",
    "x" * 190,
]  # fmt: skip


async def test_hostile_ids_are_only_ids(connect, people):
    people.execute(THINGS)
    for each in HOSTILE:
        people.execute("insert into things (id, parent) values (%s, %s)", [each, HOSTILE[0]])
    async with connect(DECLARED, rows=4) as connector:
        records, _ = await poll(connector, "item")
        assert {record.their_id for record in records} == set(HOSTILE)
        children = {record.their_id: record.raw["children"] for record in records}
        assert len(children[HOSTILE[0]]) == len(HOSTILE)
        found = await connector.again("item", HOSTILE)
        assert set(found or ()) == set(HOSTILE)


async def test_values_are_exact_and_plain(connect, people):
    people.execute(THINGS)
    people.execute(
        "insert into things (id, at, rate, raw, flag) values ('a', '2026-11-23 08:00:00.005', 0.1, '\\x00ff', 1),"
        " ('b', '2026-11-23 23:59:59.999', 1e30, null, 0)"
    )
    async with connect(DECLARED) as connector:
        records, _ = await poll(connector, "item")
    first, second = (record.raw for record in records)
    assert {name: first[name] for name in ("at", "rate", "raw", "flag")} == {
        "at": "2026-11-23T08:00:00.007", "rate": Decimal("0.1"), "raw": "0x00FF", "flag": True,
    }  # fmt: skip
    assert second["at"] == "2026-11-24T00:00:00"  # SQL Server keeps .999 as the next full second
    assert second["rate"] == Decimal("1e30")
    content_hash(first)


BYTES = """
  customer:
    fence: W3
    query: select id, convert(varbinary(200), told) as told from raw_texts
    key: id
    texts: {told: gbk}
"""


async def test_bytes_that_are_no_text_make_only_their_own_document_invalid(connect, people):
    people.execute("create table raw_texts (id integer, told gbk_bytes)")
    people.execute("insert into raw_texts values (1, %s), (2, %s), (3, null)", ["青岛誠\\".encode("gbk"), b"A\xffB"])
    async with connect(BYTES) as connector:
        records, _ = await poll(connector, "customer")
    assert [record.raw["told"] for record in records] == ["青岛誠\\", {"not gbk": "0x41FF42"}, None]
    codes = Codes.load(ROOT / "include" / "codes")
    words = Translator(load_tables(PRODUCTS, codes), codes, {"customer": "u8"}, Strangers(), zones={"u8": "UTC"})
    told = [{"cCusCode": "C", "cCusName": record.raw["told"], "standing": "in use"} for record in records[:2]]
    assert words.read("yonyou_u8", "u8", "customer", told[0]) == Customer(number="C", name="青岛誠\\")
    with pytest.raises(Invalid, match="cCusName"):
        words.read("yonyou_u8", "u8", "customer", told[1])


async def test_text_where_bytes_are_declared_is_a_mistake_of_the_profile(connect, people):
    people.execute(THINGS)
    people.execute("insert into things (id) values ('a')")
    text = "  item: {fence: W3, key: id, query: 'select id from things', texts: {id: gbk}}\n"
    async with connect(text) as connector:
        with pytest.raises(Misconfigured, match="to be given as bytes"):
            await poll(connector, "item")


def test_rowversions_are_whole_numbers_in_eight_bytes():
    for number in (0, 2001, 2**56 - 1, 2**63, 2**64 - 1):
        assert unpacked(bytes(packed(number))) == number
        assert number_of(written(number)) == number
    assert written(2001) == "0x00000000000007D1"
    assert pymssql._mssql.quote_simple_value(packed(int.from_bytes(b"ABCDEFGH", "big"))) == b"0x4142434445464748"


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("select id from nowhere", Misconfigured),
        ("select nothing as id from things", Misconfigured),
        ("select no_such_function(1) as id", Misconfigured),
        ("select 1 / 0 as id", Invalid),
        ("select null as id", Invalid),
    ],
)
async def test_a_query_that_fails_says_whose_affair_it_is(connect, people, query, error):
    people.execute(THINGS)
    async with connect(f"  item: {{fence: W3, key: id, query: '{query}'}}\n") as connector:
        with pytest.raises(error) as caught:
            await poll(connector, "item")
        assert type(caught.value) is error


async def test_a_query_that_takes_too_long_is_given_up(connect, people):
    text = "  item: {fence: W3, key: id, query: 'select 1 as id from (select pg_sleep(60) as s) as x'}\n"
    async with connect(text, answer_seconds=1) as connector:
        began = time.monotonic()
        with pytest.raises(Transient):
            await poll(connector, "item")
        assert time.monotonic() - began < 50


async def test_a_lock_that_is_not_had_in_time_passes(connect, people, account_set):
    people.execute(THINGS)
    with psycopg.connect(account_set.dsn) as greedy:
        greedy.execute("lock table things in access exclusive mode")
        async with connect(DECLARED, answer_seconds=1) as connector:
            with pytest.raises(Transient):
                await poll(connector, "item")


@pytest.mark.parametrize(
    ("number", "said", "error"),
    [
        (1205, b"deadlock victim", Transient), (229, b"SELECT permission was denied", Misconfigured),
        (3960, b"update conflict", Transient), (8152, b"would be truncated", Invalid),
        (20047, b"DB-Lib error message 20047, severity 9:\nDBPROCESS is dead or not enabled", Transient),
        (20017, b"DB-Lib error message 20017, severity 9:\nUnexpected EOF from the server", Transient),
        (0, b"Connection is closed.", Transient),
    ],
)  # fmt: skip
def test_numbers_have_their_consequences(number, said, error):
    with pytest.raises(error), failures_of("u8"):
        raise pymssql.OperationalError(number, said)


def test_text_that_is_none_is_said_to_be():
    with pytest.raises(Invalid, match="no utf-8"), failures_of("u8"):
        b"\xff".decode("utf-8")
