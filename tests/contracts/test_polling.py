"""What every product must keep when it is asked for changes: all of them, once each, and an end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.conftest import Site, fresh
from tests.contracts.specimens import SPECIMENS, copy_crm_order, crm_call, make_crm_order
from throughline.connectors.contract import Captured, Connector, ReadsWhole
from throughline.errors import RateLimited, Transient
from throughline.ledger import content_hash


async def poll(connector: Connector, document: str, cursor: Any = None, **window: Any) -> tuple[list[Captured], Any]:
    records: list[Captured] = []
    async for page in connector.changes(document, cursor, **window):
        records.extend(page.records)
        cursor = page.cursor
    return records, cursor


async def test_every_record_comes_once_and_the_pages_end(polled_site: Site) -> None:
    async with polled_site.connector() as connector:
        for kind in polled_site.specimen.polled:
            already, _ = await poll(connector, kind.document)
            for number in range(7):
                kind.make(polled_site, f"P-{kind.document}-{number}")
            records, cursor = await poll(connector, kind.document)
            assert len(records) == len(already) + 7
            assert len({record.their_id for record in records}) == len(records)
            if kind.in_order:
                assert [record.changed_at for record in records] == sorted(record.changed_at for record in records)
            kind.make(polled_site, f"P-{kind.document}-new")
            again, _ = await poll(connector, kind.document, cursor)
            assert "new" in str([record.raw for record in again])


async def test_a_backfill_gives_exactly_its_window(polled_site: Site) -> None:
    async with polled_site.connector() as connector:
        for kind in polled_site.specimen.polled:
            for number in range(5):
                kind.make(polled_site, f"B-{kind.document}-{number}")
            records, _ = await poll(connector, kind.document)
            stamps = sorted({record.changed_at for record in records})
            since, until = stamps[1], stamps[-1]
            inside, cursor = await poll(
                connector, kind.document, {"at": "kept", "deep": "kept"}, since=since, until=until
            )
            assert cursor == {"at": "kept", "deep": "kept"}
            wanted = {record.their_id for record in records if since <= record.changed_at < until}
            assert {record.their_id for record in inside} == wanted


@pytest.mark.parametrize(
    ("fault", "error"),
    [("timeout_before", Transient), ("error_5xx", Transient), ("reset", Transient), ("html_200", Transient),
     ("rate_limited", RateLimited)],
)  # fmt: skip
async def test_every_fault_of_a_read_is_passing(polled_site: Site, fault, error) -> None:
    async with polled_site.connector(limits={"answer_seconds": 0.3}) as connector:
        await connector.test()
        for kind in polled_site.specimen.polled:
            polled_site.fault(fault, seconds=2)
            with pytest.raises(error) as caught:
                await poll(connector, kind.document)
            assert type(caught.value) is error


async def test_hundreds_of_orders_of_the_same_moment_come_with_all_their_lines(start_site) -> None:
    site = fresh(start_site, SPECIMENS[0])
    template = make_crm_order(site, "SO-0")
    assert template["dataId"]
    for number in range(1, 131):
        copy_crm_order(site, f"SO-{number}", "SO-0")
    async with site.connector() as connector:
        records, cursor = await poll(connector, "sales_order")
        assert {record.number for record in records} == {f"SO-{number}" for number in range(131)}
        assert len(records) == 131
        assert {tuple(line["line_no__c"] for line in record.raw["lines"]) for record in records} == {("10", "20")}
        assert all(isinstance(line["quantity"], str) for record in records for line in record.raw["lines"])
        crm_call(site, "update", {"object_data": {"dataObjectApiName": "SalesOrderObj", "_id": records[5].their_id,
                                                  "remark": "changed"}})  # fmt: skip
        again, _ = await poll(connector, "sales_order", cursor)
        assert [record.raw["remark"] for record in again if record.their_id == records[5].their_id] == ["changed"]


async def test_news_is_written_onto_an_order_and_twice_is_once(start_site) -> None:
    site = fresh(start_site, SPECIMENS[0])
    key = make_crm_order(site, "SO-1")["dataId"]
    async with site.connector() as connector:
        news = {"_id": key, "erp_order_no__c": "E-7", "hub_status__c": "accepted", "hub_message__c": "已接单"}
        for _ in range(2):
            carried = await connector.send("order_update", "create", news, reference="N-1", key="k")
            assert carried.their_id == key
        [order], _ = await poll(connector, "sales_order")
    assert {name: order.raw[name] for name in news} == news


async def test_stock_is_read_whole_each_time(start_site) -> None:
    site = fresh(start_site, SPECIMENS[2])
    async with site.connector() as connector:
        for _ in range(2):
            records, cursor = await poll(connector, "stock_level")
            assert cursor in (None, {})
            assert {"RM-001", "FG-100"} <= {record.their_id for record in records}


async def test_everything_is_read_whole_and_single_records_are_found_again(polled_site: Site) -> None:
    async with polled_site.connector() as connector:
        assert isinstance(connector, ReadsWhole)
        for kind in polled_site.specimen.polled:
            for number in range(5):
                kind.make(polled_site, f"W-{kind.document}-{number}")
            captured, _ = await poll(connector, kind.document)
            whole = [record async for page in connector.whole(kind.document) for record in page.records]
            told = {record.their_id: content_hash(record.raw) for record in whole}
            assert told == {record.their_id: content_hash(record.raw) for record in captured}
            again = await connector.again(kind.document, [*list(told)[:3], "0"])
            if again is not None:
                assert {key: content_hash(record.raw) for key, record in again.items()} == {
                    key: told[key] for key in list(told)[:3]
                }
