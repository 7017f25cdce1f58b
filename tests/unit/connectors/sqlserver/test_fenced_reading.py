"""Fence W1 on SQL Server: what was committed is read once, what is still open holds the fence back."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import psycopg
import pytest

from tests.sqlserver_fixtures import account_set, connect, key_in, people, poll
from throughline.errors import Misconfigured, Transient
from throughline.ledger import content_hash

__all__ = ["account_set", "connect", "people"]
NOTES = """
create table notes (id integer primary key, told text, ufts rowversion);
create table parts (note_id integer, place integer, ufts rowversion);
create trigger stamp before insert or update on notes for each row execute function stamp_ufts();
create trigger stamp before insert or update on parts for each row execute function stamp_ufts();
"""
WATCHED = """
  item:
    fence: W1
    query: select id, told, ufts from notes
    key: id
    changes: {column: ufts, kind: rowversion}
    lines:
      parts:
        query: select note_id, place, ufts from parts
        parent: note_id
        order_by: place
        changes: {column: ufts, kind: rowversion}
"""


async def test_what_is_committed_is_read_once_with_its_rowversion(connect, people):
    key_in(people, 1, lines=2)
    key_in(people, 2)
    async with connect() as connector:
        records, cursor = await poll(connector, "sales_order")
        assert [record.number for record in records] == ["XS00001", "XS00002"]
        assert records[0].revision == "0x00000000000007D1"
        assert cursor["rowversion"] == "0x00000000000007D3"
        assert records[0].raw["lines"][0]["iQuantity"] == Decimal("1.500000000")
        assert "ufts" not in records[0].raw
        assert records[0].changed_at is not None
        content_hash(records[0].raw)
        assert await poll(connector, "sales_order", cursor) == ([], cursor)
        key_in(people, 3)
        news, _ = await poll(connector, "sales_order", cursor)
        assert [record.number for record in news] == ["XS00003"]


async def test_an_open_transaction_holds_the_fence_and_loses_nothing(connect, account_set, people):
    async with connect() as connector:
        key_in(people, 1)
        _, cursor = await poll(connector, "sales_order")
        with psycopg.connect(account_set.dsn) as slow:
            slow.execute(
                'insert into "SO_SOMain" ("ID", "cSOCode", "dDate", "cCusCode") values (9, \'LATE\', now(), \'C\')'
            )
            key_in(people, 2)
            held, cursor = await poll(connector, "sales_order", cursor)
            assert held == []
            slow.commit()
        news, cursor = await poll(connector, "sales_order", cursor)
        assert {record.number for record in news} == {"LATE", "XS00002"}
        assert (await poll(connector, "sales_order", cursor))[0] == []


async def test_a_changed_line_alone_tells_its_header_again(connect, people):
    people.execute(NOTES)
    people.execute("insert into notes (id, told) values (1, 'a'), (2, 'b')")
    people.execute("insert into parts (note_id, place) values (1, 10), (1, 5), (2, 1)")
    async with connect(WATCHED) as connector:
        records, cursor = await poll(connector, "item")
        assert [[part["place"] for part in record.raw["parts"]] for record in records] == [[5, 10], [1]]
        people.execute("update parts set place = 7 where note_id = 2")
        (record,), cursor = await poll(connector, "item", cursor)
        assert (record.their_id, record.raw["parts"]) == ("2", [{"note_id": 2, "place": 7}])
        assert (await poll(connector, "item", cursor))[0] == []


@pytest.mark.parametrize("rows", [1, 3, 100])
async def test_an_interrupted_reading_goes_on_where_it_was(connect, people, rows):
    for number in range(10):
        key_in(people, number)
    async with connect(rows=rows) as connector:
        read, cursor = [], None
        async for page in connector.changes("sales_order"):
            read += page.records
            cursor = page.cursor
            if len(read) >= 3:
                break
        rest, cursor = await poll(connector, "sales_order", cursor)
        assert {record.their_id for record in [*read, *rest]} == {str(number) for number in range(10)}
        assert len(rest) <= 10 - len(read) + 1
        people.execute('update "SO_SOMain" set "cMaker" = \'x\' where "ID" = 4')
        changed, _ = await poll(connector, "sales_order", cursor)
        assert [record.their_id for record in changed] == ["4"]


async def test_another_database_and_an_earlier_state_of_this_one_begin_anew(connect, people):
    key_in(people, 1)
    async with connect() as connector:
        _, cursor = await poll(connector, "sales_order")
        for strange in ({**cursor, "source": "other"}, {**cursor, "rowversion": f"0x{2**60:016X}"}):
            records, again = await poll(connector, "sales_order", strange)
            assert ([record.their_id for record in records], again) == (["1"], cursor)
        people.execute("update sys.databases set create_date = create_date + interval '1 day'")  # as a restore does
        records, cursor = await poll(connector, "sales_order", cursor)
        assert [record.their_id for record in records] == ["1"]
        for wrong in ({"xid": "7"}, {"rowversion": 7}, {"rowversion": "0x7"}):
            with pytest.raises(Misconfigured, match="another kind of cursor"):
                await poll(connector, "sales_order", {"source": cursor["source"], **wrong})


async def test_a_copy_that_does_not_know_what_is_open_is_refused(connect, people):
    key_in(people, 1)
    people.execute("update sys.updateability set told = 'READ_ONLY'")
    async with connect() as connector:
        with pytest.raises(Misconfigured, match="connect to the primary"):
            await poll(connector, "sales_order")
        people.execute("update sys.databases set is_read_only = 1")  # last year's account set, closed for good
        assert len((await poll(connector, "sales_order"))[0]) == 1


async def test_two_readings_at_once_do_not_disturb_each_other(connect, people):
    for number in range(30):
        key_in(people, number, lines=2)
    async with connect(rows=4) as connector:
        both = await asyncio.gather(*(poll(connector, "sales_order") for _ in range(4)))
    assert all([record.their_id for record in records] == [str(n) for n in range(30)] for records, _ in both)


async def test_a_reading_that_is_given_up_leaves_the_connector_usable(connect, people):
    for number in range(20):
        key_in(people, number)
    async with connect(rows=2) as connector:
        for patience in (0.01, 0.05, 0.2):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(poll_for_ever(connector), patience)
        assert len((await poll(connector, "sales_order"))[0]) == 20


async def poll_for_ever(connector):
    while True:
        await poll(connector, "sales_order")


async def test_connections_that_were_killed_are_made_anew(connect, people):
    key_in(people, 1)
    async with connect() as connector:
        _, cursor = await poll(connector, "sales_order")
        people.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tds-door'")
        with pytest.raises(Transient):
            await poll(connector, "sales_order", cursor)
        key_in(people, 2)
        assert [record.their_id for record in (await poll(connector, "sales_order", cursor))[0]] == ["2"]
