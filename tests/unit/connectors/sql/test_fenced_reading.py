"""Fence W1 on a real PostgreSQL: what was committed is read once, what is not committed holds the fence back."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest

from tests.unit.connectors.sql.conftest import READER, order, poll
from throughline.connectors.contract import Connection, ReadsWhole
from throughline.errors import Invalid, Misconfigured, Transient
from throughline.ledger import content_hash

XMIN = """
  customer:
    fence: W1
    query: select customers.xmin as written_by, customer_no, name from customers
    key: customer_no
    changes: {column: written_by, kind: xmin}
"""


async def test_what_is_committed_is_read_once_with_its_lines(connect, source):
    order(source, "S-1", lines=2)
    order(source, "S-2")
    async with connect() as connector:
        records, cursor = await poll(connector, "sales_order")
        assert [record.number for record in records] == ["S-1", "S-2"]
        first = records[0]
        assert [line["line_no"] for line in first.raw["lines"]] == ["1", "2"]
        assert first.raw["lines"][0]["quantity"] == Decimal("1.50")
        assert "changed_tx" not in first.raw
        assert "changed_tx" not in first.raw["lines"][0]
        assert int(first.revision) > 0
        assert first.changed_at is not None
        content_hash(first.raw)  # exactly the JSON the ledger keeps
        again, cursor = await poll(connector, "sales_order", cursor)
        assert again == []
        order(source, "S-3")
        news, cursor = await poll(connector, "sales_order", cursor)
        assert [record.number for record in news] == ["S-3"]


async def test_an_open_transaction_holds_the_fence_and_loses_nothing(connect, source, postgres_dsn):
    async with connect() as connector:
        _, cursor = await poll(connector, "sales_order")
        with psycopg.connect(postgres_dsn) as slow:
            slow.execute("insert into orders (order_no, customer_no) values ('LATE', 'C-1')")
            order(source, "QUICK")
            held, cursor = await poll(connector, "sales_order", cursor)
            assert held == []
            slow.commit()
        news, cursor = await poll(connector, "sales_order", cursor)
        assert {record.number for record in news} == {"LATE", "QUICK"}
        nothing, _ = await poll(connector, "sales_order", cursor)
        assert nothing == []


async def test_what_was_rolled_back_never_shows_and_savepoints_do(connect, source, postgres_dsn):
    async with connect() as connector:
        _, cursor = await poll(connector, "sales_order")
        with psycopg.connect(postgres_dsn) as writer:
            writer.execute("insert into orders (order_no, customer_no) values ('GONE', 'C-1')")
            writer.rollback()
            with writer.transaction():
                writer.execute("insert into orders (order_no, customer_no) values ('KEPT', 'C-1')")
                with writer.transaction():
                    writer.execute("insert into orders (order_no, customer_no) values ('INSIDE', 'C-1')")
        news, _ = await poll(connector, "sales_order", cursor)
        assert {record.number for record in news} == {"KEPT", "INSIDE"}


async def test_a_changed_line_alone_tells_its_order_again(connect, source):
    key = order(source, "S-1", lines=1)
    async with connect() as connector:
        _, cursor = await poll(connector, "sales_order")
        source.execute("update order_lines set quantity = 7 where order_id = %s", [key])
        records, cursor = await poll(connector, "sales_order", cursor)
        assert [record.raw["lines"][0]["quantity"] for record in records] == [Decimal(7)]
        source.execute("update orders set voided = true where id = %s", [key])
        (record,), _ = await poll(connector, "sales_order", cursor)
        assert record.deleted


@pytest.mark.parametrize("rows", [1, 3, 100])
async def test_an_interrupted_first_reading_goes_on_where_it_was(connect, source, rows):
    for number in range(10):
        source.execute("insert into customers values (%s, 'n')", [f"C-{number}"])
    async with connect(XMIN, rows=rows) as connector:
        read, cursor = [], None
        async for page in connector.changes("customer"):
            read += page.records
            cursor = page.cursor
            if len(read) >= 3:
                break
        rest, cursor = await poll(connector, "customer", cursor)
        assert sorted(record.their_id for record in [*read, *rest]) == [f"C-{number}" for number in range(10)]
        source.execute("update customers set name = 'other' where customer_no = 'C-4'")
        changed, _ = await poll(connector, "customer", cursor)
        assert [(record.their_id, record.raw["name"]) for record in changed] == [("C-4", "other")]


async def test_frozen_rows_are_not_told_again(connect, source):
    source.execute("insert into customers values ('OLD', 'n')")
    async with connect(XMIN) as connector:
        _, cursor = await poll(connector, "customer")
        source.execute("vacuum (freeze) customers")
        source.execute("insert into customers values ('NEW', 'n')")
        news, _ = await poll(connector, "customer", cursor)
        assert [record.their_id for record in news] == ["NEW"]


async def test_ids_of_another_database_begin_anew_and_restored_rows_are_taken(connect, source):
    order(source, "S-1")
    source.execute("alter table orders disable trigger all")
    source.execute("update orders set changed_tx = '99999999999'")  # as a dump of an older, busier cluster brings it
    async with connect() as connector:
        records, cursor = await poll(connector, "sales_order")
        assert [record.number for record in records] == ["S-1"]
        for strange in ({**cursor, "source": "7/other"}, {**cursor, "xid": str(2**60)}):
            records, again = await poll(connector, "sales_order", strange)
            assert [record.number for record in records] == ["S-1"]
            assert again["source"] == cursor["source"]
        with pytest.raises(Misconfigured, match="another kind of cursor"):
            await poll(connector, "sales_order", {"source": cursor["source"], "at": "2026-11-23"})


async def test_the_whole_is_read_by_key_and_single_rows_again(connect, source):
    keys = [order(source, f"S-{number}", lines=1) for number in range(7)]
    async with connect(rows=3) as connector:
        assert isinstance(connector, ReadsWhole)
        pages = [page async for page in connector.whole("sales_order")]
        assert [len(page.records) for page in pages] == [3, 3, 1]
        rest = [page async for page in connector.whole("sales_order", pages[0].position)]
        assert [r.number for page in rest for r in page.records] == [f"S-{number}" for number in range(3, 7)]
        source.execute("delete from orders where id = %s", [keys[2]])
        found = await connector.again("sales_order", [str(key) for key in keys[:4]])
        assert found is not None
        assert set(found) == {str(key) for key in (keys[0], keys[1], keys[3])}
        captured, _ = await poll(connector, "sales_order")
        assert {content_hash(r.raw) for r in captured} >= {content_hash(r.raw) for r in found.values()}


async def test_a_backfill_reads_by_the_sources_own_stamp(connect, source):
    order(source, "S-1")
    source.execute("update orders set updated_at = '2026-01-05T00:00:00Z'")
    order(source, "S-2")
    async with connect() as connector:
        records, cursor = await poll(
            connector, "sales_order", {"kept": 1}, since=datetime(2026, 1, 1, tzinfo=UTC),
            until=datetime(2026, 2, 1, tzinfo=UTC),
        )  # fmt: skip
        assert [record.number for record in records] == ["S-1"]
        assert cursor == {"kept": 1}


async def test_readings_at_the_same_time_do_not_disturb_each_other(connect, source):
    for number in range(20):
        order(source, f"S-{number}")
        source.execute("insert into customers values (%s, 'n')", [f"C-{number}"])
    async with connect(rows=2) as connector:
        answers = await asyncio.gather(*(poll(connector, kind) for kind in ("sales_order", "customer") * 3))
    assert [len(records) for records, _ in answers] == [20] * 6


async def test_a_killed_backend_is_passing_and_the_next_look_has_everything(connect, source):
    for number in range(50):
        order(source, f"S-{number}")
    async with connect(rows=5) as connector:
        read = []

        async def read_and_kill() -> None:
            async for page in connector.changes("sales_order"):
                read.extend(page.records)
                source.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", [READER])

        with pytest.raises(Transient):
            await read_and_kill()
        assert len(read) < 50
        records, _ = await poll(connector, "sales_order")
        assert len(records) == 50


async def test_wrong_addresses_and_rights_are_said_clearly(connect, source, address):
    async with connect() as connector:
        assert "lets us read sales_order, customer" in await connector.test()
    source.execute(f"revoke select on orders from {READER}")
    async with connect() as connector:
        with pytest.raises(Misconfigured, match="permission denied"):
            await connector.test()
        with pytest.raises(Misconfigured, match="only read"):
            await connector.send("sales_order", "create", {}, reference="S-1", key="k")
    for wrong in ({"login": "nobody"}, {"extra": {"database": "nowhere"}}):
        values = {"host": address.host, "login": address.login, "password": address.password, "extra": address.extra}
        connector = connect()
        connector._source = type(connector._source)("legacy", Connection("legacy", **{**values, **wrong}),
                                                    connector._profile.limits)  # fmt: skip
        with pytest.raises(Misconfigured):
            await connector.test()
    connector._source = type(connector._source)(
        "legacy", Connection("legacy", "127.0.0.1:1", extra=address.extra), connector._profile.limits
    )
    with pytest.raises(Transient):
        await connector.test()


async def test_odd_values_stay_text_and_strange_kinds_are_refused(connect, source):
    text = """
  item:
    fence: W3
    key: id
    query: |
      select 1 as id, 'infinity'::timestamptz as a, 'NaN'::numeric as b, 1.50::float8 as c, '{"x": 1.10}'::jsonb as d,
        7 % 4 as e, '2026-11-23 08:00'::timestamptz as f, array[1.10] as g
"""
    async with connect(text) as connector:
        ((record,), _) = await poll(connector, "item")
        assert record.raw == {
            "id": 1, "a": "infinity", "b": "NaN", "c": Decimal("1.5"), "d": {"x": Decimal("1.10")}, "e": 3,
            "f": "2026-11-23T08:00:00+00", "g": [Decimal("1.10")],
        }  # fmt: skip
    async with connect("  item: {fence: W3, key: id, query: 'select 1 as id, int4range(1, 2) as r'}\n") as connector:
        with pytest.raises(Misconfigured, match="cast it to text"):
            await poll(connector, "item")
    async with connect("  item: {fence: W3, key: id, query: 'select null::int as id'}\n") as connector:
        with pytest.raises(Invalid, match="cannot be known again"):
            await poll(connector, "item")


async def test_a_query_that_would_change_something_is_refused_by_the_database_too(connect, source):
    source.execute("create function meddle() returns int language sql as 'delete from customers returning 1'")
    source.execute("insert into customers values ('C-1', 'n')")
    source.execute(f"grant delete on customers to {READER}")
    async with connect("  item: {fence: W3, key: id, query: 'select meddle() as id'}\n") as connector:
        with pytest.raises(Misconfigured, match="read-only"):
            await poll(connector, "item")
    assert source.execute("select count(*) from customers").fetchone() == (1,)
