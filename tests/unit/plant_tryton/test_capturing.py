"""What the ERP says of itself, as canonical documents; nothing twice, nothing lost across the overlap."""

from __future__ import annotations

from decimal import Decimal

import pytest

from throughline.canonical import Customer, Item
from throughline.connectors.contract import Connection, ReadsWhole
from throughline.connectors.registry import open_connector
from throughline.errors import Misconfigured
from throughline.ledger import content_hash

from .conftest import Hub, order

pytestmark = pytest.mark.plant


async def test_customers_and_items_are_those_of_the_seed(erp: Hub) -> None:
    customers, items = await erp.read("customer"), await erp.read("item")
    assert customers["C-1001"] == Customer(number="C-1001", name="青岛重工集团", email="buyer@qingdao-heavy.example")
    assert sorted(customers) == ["C-1001", "C-1002", "C-1003"]
    assert items["FG-100"] == Item(
        number="FG-100", name="减速机 A100", unit="pcs", made=True, factors={"pcs": Decimal(1), "carton": Decimal(4)}
    )
    assert items["RM-002"].made is False
    assert sorted(items) == ["FG-100", "FG-200", "RM-001", "RM-002"]


async def test_a_sale_is_told_once_for_every_change(erp: Hub, fresh: str) -> None:
    _, cursor = await erp.capture("sales_order")
    await erp.send(order(f"SO-{fresh}", ("10", "FG-100", "10", "pcs")))
    first, cursor = await erp.capture("sales_order", cursor)
    assert f"SO-{fresh}" in [record.number for record in first]
    again, cursor = await erp.capture("sales_order", cursor)
    seen = {(record.their_id, record.revision) for record in first}
    assert {(record.their_id, record.revision) for record in again} <= seen, "the overlap brings what is known"
    works, _ = await erp.capture("work_order")
    assert len({record.their_id for record in works}) == len(works)


async def test_a_sale_and_its_productions_speak_of_the_order(erp: Hub, fresh: str) -> None:
    sent = order(f"SO-{fresh}", ("10", "FG-100", "10", "pcs"), ("20", "FG-200", "2", "carton"))
    carried = await erp.send(sent)
    assert sorted(carried.lines) == ["10", "20"]
    read = (await erp.read("sales_order"))[sent.number]
    assert (read.status, read.customer, read.currency) == ("accepted", "customer:crm:C-1001", "CNY")
    assert [line.model_copy(update={"requested_on": None}) for line in read.lines] == list(sent.lines)
    works = {
        work.order_line: work for work in (await erp.read("work_order")).values()
        if work.order_line and work.order_line.startswith(f"sales_order:crm:{sent.number}#")
    }  # fmt: skip
    made = works[f"sales_order:crm:{sent.number}#10"]
    assert (made.item, made.quantity.value, made.quantity.unit, made.status) == (
        "item:erp:FG-100", Decimal(10), "pcs", "released"
    )  # fmt: skip
    assert works[f"sales_order:crm:{sent.number}#20"].quantity.unit == "carton"


async def test_a_backfill_reads_exactly_its_window(erp: Hub, fresh: str) -> None:
    await erp.send(order(f"SO-{fresh}", ("10", "FG-200", "1", "pcs")))
    records, _ = await erp.capture("sales_order")
    mine = next(record for record in records if record.number == f"SO-{fresh}")
    found = [
        record async for page in erp.connector.changes("sales_order", since=mine.changed_at) for record in page.records
    ]
    assert mine.their_id in [record.their_id for record in found]
    earlier = [
        record async for page in erp.connector.changes("sales_order", until=mine.changed_at) for record in page.records
    ]
    assert mine.their_id not in [record.their_id for record in earlier]


async def test_a_lost_session_is_renewed_once(erp: Hub, erp_person: object) -> None:
    talk = erp.connector._talk  # type: ignore[attr-defined]
    (await talk._credentials.ready()).values["token"] = "gone"
    assert len((await erp.capture("item"))[0]) == 4


async def test_a_wrong_password_says_so(erp_connection: Connection) -> None:
    wrong = Connection("erp", erp_connection.host, "hub", "not-the-password", {"database": "erp"})
    async with open_connector("tryton_erp", "erp", wrong) as connector:
        with pytest.raises(Misconfigured, match="check login and password"):
            await connector.test()


async def test_the_whole_is_what_is_captured_and_single_records_are_found_again(erp: Hub, fresh: str) -> None:
    await erp.send(order(f"SO-{fresh}", ("10", "FG-100", "10", "pcs")))
    connector = erp.connector
    assert isinstance(connector, ReadsWhole)
    for kind in ("customer", "item", "sales_order", "work_order"):
        captured, _ = await erp.capture(kind)
        pages = [page async for page in connector.whole(kind)]
        told = {record.their_id: content_hash(record.raw) for page in pages for record in page.records}
        assert told
        assert told == {record.their_id: content_hash(record.raw) for record in captured}
        again = await connector.again(kind, [*told, "999999"])
        assert again is not None
        assert {key: content_hash(record.raw) for key, record in again.items()} == told
