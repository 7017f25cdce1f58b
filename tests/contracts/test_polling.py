"""What every product must keep when it is asked for changes: all of them, once each, and an end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.conftest import Site
from throughline.connectors.contract import Captured, Connector
from throughline.errors import RateLimited, Transient


async def poll(connector: Connector, document: str, cursor: Any = None, **window: Any) -> tuple[list[Captured], Any]:
    records: list[Captured] = []
    async for page in connector.changes(document, cursor, **window):
        records.extend(page.records)
        cursor = page.cursor
    return records, cursor


def polled(site: Site):
    if not site.specimen.polled:
        pytest.skip(f"{site.specimen.product} is not asked for changes")
    return site.specimen.polled


async def test_every_record_comes_once_and_the_pages_end(site: Site) -> None:
    async with site.connector() as connector:
        for kind in polled(site):
            already, _ = await poll(connector, kind.document)
            for number in range(7):
                kind.make(site, f"P-{kind.document}-{number}")
            records, cursor = await poll(connector, kind.document)
            assert len(records) == len(already) + 7
            assert len({record.their_id for record in records}) == len(records)
            assert [record.changed_at for record in records] == sorted(record.changed_at for record in records)
            kind.make(site, f"P-{kind.document}-new")
            again, _ = await poll(connector, kind.document, cursor)
            assert "new" in str([record.raw for record in again])


async def test_a_backfill_gives_exactly_its_window(site: Site) -> None:
    async with site.connector() as connector:
        for kind in polled(site):
            for number in range(5):
                kind.make(site, f"B-{kind.document}-{number}")
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
async def test_every_fault_of_a_read_is_passing(site: Site, fault, error) -> None:
    async with site.connector(limits={"answer_seconds": 0.3}) as connector:
        await connector.test()
        for kind in polled(site):
            site.fault(fault, seconds=2)
            with pytest.raises(error) as caught:
                await poll(connector, kind.document)
            assert type(caught.value) is error
