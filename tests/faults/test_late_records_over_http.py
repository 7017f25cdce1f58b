"""Records that show late over HTTP (F9, fence W2): in another order than their stamps, up to 1.5 s after them.

The CRM of the plant in a box, real sockets, orders made while it is polled. A cursor over the change stamp loses some;
the overlap, which reaches further back than the longest delay, loses none, and the ledger keeps each once.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from tests.contracts.conftest import Site, fresh, start_site  # noqa: F401 - a fixture
from tests.contracts.specimens import SPECIMENS, copy_crm_order, crm_call, crm_token, make_crm_order
from throughline.ledger import Ledger, migrate
from throughline.local_platform.embedded_postgres import EmbeddedPostgres
from throughline.process.capturing import capture
from throughline.process.snapshots import Snapshot

LATE = 1.5
ORDERS = 60


@pytest.fixture
def ledger(postgres: EmbeddedPostgres) -> Iterator[Ledger]:
    postgres.create_database("late_over_http")
    migrate(postgres.dsn("late_over_http"))
    ledger = Ledger(postgres.dsn("late_over_http"), clock=lambda: datetime.now(UTC))
    yield ledger
    ledger.close()
    postgres.drop_database("late_over_http")


@pytest.fixture
def crm(start_site: Callable[..., Site]) -> Iterator[Site]:  # noqa: F811 - the fixture
    site = fresh(start_site, SPECIMENS[0])
    site.__dict__.pop("kept_order", None)
    make_crm_order(site, "SO-0")
    copy_crm_order(site, "SO-1", "SO-0")  # the pattern is looked up while everything shows at once
    site.act("settings", late_seconds=LATE)
    yield site
    site.act("settings", late_seconds=0)


class Naive:
    """Everything whose stamp is newer than the newest stamp seen."""

    def __init__(self, site: Site) -> None:
        self._site, self._token = site, crm_token(site)
        self._newest = 0
        self.seen: set[str] = set()

    def look(self) -> None:
        newer = {"field_name": "last_modified_time", "operator": "GT", "field_values": [self._newest]}
        order = {"fieldName": "last_modified_time", "isAsc": True}
        query = {"limit": 100, "offset": 0, "orders": [order], "filters": [newer]}
        data = {"dataObjectApiName": "SalesOrderObj", "search_query_info": query}
        for row in crm_call(self._site, "query", data, self._token)["data"]["dataList"]:
            self.seen.add(row["name"])
            self._newest = max(self._newest, int(row["last_modified_time"]))


class Loose:
    share, documents = 1.0, 1000


def names(ledger: Ledger) -> set[str]:
    with ledger.transaction() as books:
        return {version.raw["name"] for version in books.records.pending("crm", 10_000)}


async def test_the_overlap_loses_nothing_where_the_naive_cursor_does(crm: Site, ledger: Ledger) -> None:
    naive, made = Naive(crm), threading.Event()

    def sell() -> None:
        try:
            for number in range(2, ORDERS + 1):
                copy_crm_order(crm, f"SO-{number}", "SO-0")
        finally:
            made.set()

    seller = threading.Thread(target=sell, daemon=True)
    seller.start()
    loop = asyncio.get_running_loop()
    ending: float | None = None
    looks = 0
    while ending is None or loop.time() < ending:
        await capture(ledger, lambda _: crm.connector(), "crm", "sales_order")
        await asyncio.to_thread(naive.look)
        looks += 1
        if ending is None and made.is_set():
            ending = loop.time() + LATE + 0.5
        await asyncio.sleep(0.05)
    seller.join(30)
    wanted = {f"SO-{number}" for number in range(ORDERS + 1)}
    print(f"\n{looks} looks; overlap: {len(wanted - names(ledger))} lost; naive: {len(wanted - naive.seen)} lost")
    assert names(ledger) == wanted
    assert wanted - naive.seen, "the naive cursor lost nothing: these records prove nothing"
    with ledger.transaction() as books:
        newest = {version.their_id: version.raw for version in books.records.pending("crm", 10_000)}
    assert len(newest) == len(wanted)
    assert {len(order["lines"]) for order in newest.values()} == {2}, (
        "lines show late too, and must have come in the end"
    )


async def test_a_snapshot_finds_what_even_an_overlap_missed_and_what_was_deleted(crm: Site, ledger: Ledger) -> None:
    crm.act("settings", late_seconds=0)
    for number in range(2, 11):
        copy_crm_order(crm, f"SO-{number}", "SO-0")
    report = await Snapshot(ledger, lambda _: crm.connector(), "crm", "sales_order", Loose()).take()
    assert (report.outcome, report.read, report.stored) == ("done", 11, 11)
    found = crm_call(crm, "query", {"dataObjectApiName": "SalesOrderObj", "search_query_info": {
        "limit": 1, "filters": [{"field_name": "name", "operator": "EQ", "field_values": ["SO-7"]}]}})  # fmt: skip
    key = found["data"]["dataList"][0]["_id"]
    crm_call(crm, "invalid", {"object_data_id": key, "dataObjectApiName": "SalesOrderObj"})
    crm_call(crm, "delete", {"idList": [key], "dataObjectApiName": "SalesOrderObj"})
    report = await Snapshot(ledger, lambda _: crm.connector(), "crm", "sales_order", Loose()).take()
    assert (report.outcome, report.missing, report.deleted, report.examples) == ("done", 1, 1, ("SO-7",))
