"""What is asked of every product, asked of Yonyou U8 through the unmodified driver: it tells all, once, and exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from tests.sqlserver_fixtures import account_set, connect, key_in, people, poll
from throughline.canonical import DOCUMENTS, Customer, SalesOrder
from throughline.connectors.contract import ReadsWhole
from throughline.connectors.places import product_folders
from throughline.errors import Misconfigured, Transient
from throughline.ledger import content_hash
from throughline.mapping import Codes, Translator, load_tables
from throughline.orchestration.strangers import Strangers

__all__ = ["account_set", "connect", "people"]
ROOT = Path(__file__).parents[2]
KINDS = ("customer", "item", "sales_order")


@pytest.fixture
def stocked(people: psycopg.Connection) -> psycopg.Connection:
    """Two customers, an item and an order of two lines."""
    people.execute(
        'insert into "Customer" ("cCusCode", "cCusName", "dModifyDate", "dEndDate") values'
        " ('C-1001', '青岛重工集团（总部）', '2026-11-23 08:00:00.005', null),"
        " ('C-1002', '上海ＡＢ机电', '2026-11-23 09:30:00', '2026-11-24')"
    )
    people.execute("""insert into "ComputationUnit" values ('01', '件')""")
    people.execute(
        'insert into "Inventory" ("cInvCode", "cInvName", "cComUnitCode") values (%s, %s, %s)',
        ["FG-100", "减速机 Ⅲ型", "01"],
    )
    key_in(people, 7, lines=2)
    return people


def translator() -> Translator:
    codes = Codes.load(ROOT / "include" / "codes")
    tables = load_tables(product_folders()[0], codes)
    owners = dict.fromkeys(KINDS, "u8")
    return Translator(tables, codes, owners, Strangers(), zones={"u8": "Asia/Shanghai"})


async def test_what_u8_holds_reads_as_documents(connect, stocked):
    words = translator()
    async with connect() as connector:
        told = {kind: (await poll(connector, kind))[0] for kind in KINDS}
    for kind, records in told.items():
        for record in records:
            content_hash(record.raw)  # exactly the JSON the ledger keeps
            assert isinstance(words.read("yonyou_u8", "u8", kind, record.raw), DOCUMENTS[kind])
            assert words.read_identities("yonyou_u8", "u8", kind, record.raw)
    customers = [words.read("yonyou_u8", "u8", "customer", record.raw) for record in told["customer"]]
    assert customers == [
        Customer(number="C-1001", name="青岛重工集团（总部）"),
        Customer(number="C-1002", name="上海ＡＢ机电", status="blocked"),
    ]
    order = words.read("yonyou_u8", "u8", "sales_order", told["sales_order"][0].raw)
    assert isinstance(order, SalesOrder)
    assert (order.number, order.status, order.customer) == ("XS00007", "draft", "customer:u8:C-1001")
    assert order.ordered_at == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert [(line.line, line.item, line.quantity.value, line.quantity.unit) for line in order.lines] == [
        ("1", "item:u8:FG-100", Decimal("1.5"), "pcs"), ("2", "item:u8:FG-100", Decimal("1.5"), "pcs"),
    ]  # fmt: skip
    price = order.lines[0].unit_price
    assert price is not None
    assert (price.amount, price.currency) == (Decimal("99.9"), "CNY")


@pytest.mark.parametrize(
    ("change", "status"),
    [('"iverifystate" = 1', "submitted"), ('"iverifystate" = -1', "rejected"), ("\"cVerifier\" = '王工'", "confirmed"),
     ("\"cVerifier\" = ''", "draft"), ("\"cVerifier\" = '王工', \"cCloser\" = '李'", "closed")],
)  # fmt: skip
async def test_each_step_of_an_order_is_told_by_its_rowversion(connect, stocked, change, status):
    async with connect() as connector:
        _, cursor = await poll(connector, "sales_order")
        stocked.execute(f'update "SO_SOMain" set {change.replace(chr(34) + "iverifystate" + chr(34), "iverifystate")}')
        (record,), cursor = await poll(connector, "sales_order", cursor)
        assert translator().read("yonyou_u8", "u8", "sales_order", record.raw).status == status
        assert await poll(connector, "sales_order", cursor) == ([], cursor)


async def test_every_record_comes_once_and_the_pages_end(connect, stocked):
    for number in range(100, 123):
        key_in(stocked, number, lines=number % 4)
    async with connect(rows=5) as connector:
        records, cursor = await poll(connector, "sales_order")
        assert [record.number for record in records] == ["XS00007", *(f"XS00{number}" for number in range(100, 123))]
        assert [len(record.raw["lines"]) for record in records[1:]] == [number % 4 for number in range(100, 123)]
        key_in(stocked, 200)
        news, _ = await poll(connector, "sales_order", cursor)
        assert [record.number for record in news] == ["XS00200"]


async def test_a_backfill_gives_exactly_its_window_by_the_servers_clock(connect, people):
    for number in range(6):
        key_in(people, number)
        moment = datetime(2026, 11, 23, 8, 0, number)  # noqa: DTZ001 - U8 keeps the time of the wall, without a zone
        people.execute('update "SO_SOMain" set dmodifysystime = %s where "ID" = %s', [moment, number])
    since = datetime(2026, 11, 23, 0, 0, 1, tzinfo=UTC)  # 08:00:01 in Shanghai
    async with connect() as connector:
        inside, cursor = await poll(
            connector, "sales_order", {"kept": 1}, since=since, until=since + timedelta(seconds=3)
        )
        assert cursor == {"kept": 1}
        assert [record.their_id for record in inside] == ["1", "2", "3"]
        assert inside[0].changed_at == since


async def test_everything_is_read_whole_and_single_records_are_found_again(connect, stocked):
    for number in range(100, 107):
        key_in(stocked, number, lines=1)
    async with connect(rows=3) as connector:
        assert isinstance(connector, ReadsWhole)
        for kind in KINDS:
            captured, _ = await poll(connector, kind)
            pages = [page async for page in connector.whole(kind)]
            told = {record.their_id: content_hash(record.raw) for page in pages for record in page.records}
            assert told == {record.their_id: content_hash(record.raw) for record in captured}
            again = await connector.again(kind, [*list(told)[:3], "0", "no such"])
            assert again is not None
            assert {key: content_hash(found.raw) for key, found in again.items()} == {
                key: told[key] for key in list(told)[:3]
            }
            rest = [
                record.their_id async for page in connector.whole(kind, pages[0].position) for record in page.records
            ]
            assert set(told) - {record.their_id for record in pages[0].records} <= set(rest)


async def test_nothing_is_written(connect, stocked):
    async with connect() as connector:
        with pytest.raises(Misconfigured, match="only read"):
            await connector.send("customer", "create", {}, reference="r", key="k")
        assert "lets us read customer, item, sales_order" in await connector.test()


async def test_a_wrong_login_is_ours_to_mend_and_a_dead_server_is_not(connect, account_set):
    for wrong in ({"password": "wrong"}, {"login": "nobody"}, {"database": "UFDATA_999_2026"}):
        async with connect(address=account_set.address(**wrong)) as connector:
            with pytest.raises(Misconfigured):
                await connector.test()
    async with connect(address=account_set.address(host="127.0.0.1:1")) as connector:
        with pytest.raises(Transient):  # though the driver still carries the number of the refused login before it
            await connector.test()
