"""What a system tells us by itself: the warehouse's real callbacks, through the real receiver, into records."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import uvicorn

from tests.contracts.conftest import Site, fresh
from tests.contracts.specimens import SPECIMENS, asn, outbound
from throughline.connectors.registry import inbound_of
from throughline.receiver.application import create_app
from throughline.receiver.doors import Door


class Inbox:
    """A ledger's inbox in memory: the same promise, one row for one message."""

    def __init__(self) -> None:
        self.messages: dict[tuple[str, str, str], bytes] = {}

    def store(self, role, kind, message_id, headers, body) -> bool:
        fresh_one = (role, kind, message_id) not in self.messages
        self.messages.setdefault((role, kind, message_id), body)
        return fresh_one


class Books:
    def __init__(self) -> None:
        self.inbox = Inbox()

    @contextmanager
    def transaction(self):
        yield self


@pytest.fixture
def warehouse(start_site):
    """The warehouse, told to call a receiver of this test's own."""
    site: Site = fresh(start_site, SPECIMENS[2])
    books, listener = Books(), socket.socket()
    listener.bind(("127.0.0.1", 0))
    doors = {"wms": Door("wms", site.connection(), inbound_of("flux"))}
    app = create_app(books, doors, clock=lambda: datetime.now(UTC))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    site.act("settings", callback=f"http://127.0.0.1:{listener.getsockname()[1]}/inbound/wms", retry_first_seconds=0.05)
    yield site, books.inbox, app.state.counts
    site.act("settings", callback="")
    server.should_exit = True
    thread.join(10)


def waited_for(condition) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


async def test_receipts_and_shipments_arrive_once_whatever_the_warehouse_repeats(warehouse) -> None:
    site, inbox, counts = warehouse
    site.fault("duplicate_callback", copies=3, times=2)
    async with site.connector() as connector:
        await connector.send("receipt_notice", "create", asn(site, "A-1"), reference="A-1", key="a")
        site.act("receive", docNo="A-1", lines=[{"lineNo": "1", "qty": "3"}])
        await connector.send("outbound_order", "create", outbound(site, "O-1"), reference="O-1", key="o")
        site.act("ship", docNo="O-1", lines=[{"lineNo": "1", "qty": "2"}])
        site.act("ship", docNo="O-1", lines=[{"lineNo": "1", "qty": "1"}])
    waited_for(lambda: len(inbox.messages) == 3 and counts["repeated"] == 6)
    inbound = inbound_of("flux")
    captured = [one for (_, kind, _), body in inbox.messages.items() for one in inbound.parse(kind, body)]
    assert sorted(record.document for record in captured) == ["receipt", "shipment", "shipment"]
    receipt = next(record for record in captured if record.document == "receipt")
    assert (receipt.raw["docNo"], receipt.raw["details"][0]["receivedQty"]) == ("A-1", "3")
    assert {record.raw["item"][0]["QtyShipped"] for record in captured if record.document == "shipment"} == {"2", "1"}
    assert all(record.changed_at is not None for record in captured)


@pytest.mark.parametrize(("fault", "status"), [("bad_signature_callback", 401), ("malformed_callback", 400)])
async def test_a_spoiled_message_is_refused_and_the_good_one_that_follows_is_kept(warehouse, fault, status) -> None:
    site, inbox, counts = warehouse
    site.fault(fault)
    async with site.connector() as connector:
        await connector.send("receipt_notice", "create", asn(site, "A-2"), reference="A-2", key="a")
    site.act("receive", docNo="A-2")
    waited_for(lambda: len(inbox.messages) == 1 and counts[f"refused {status}"] == 1)


async def test_cancel_and_change_twice_are_once(warehouse) -> None:
    site, _, _ = warehouse
    async with site.connector() as connector:
        await connector.send("outbound_order", "create", outbound(site, "O-2"), reference="O-2", key="o")
        changed = outbound(site, "O-2")
        changed["details"][0]["qtyOrdered"] = "2"
        for operation, payload in (("change", changed), ("cancel", {"docNo": "O-2", "orderType": "SO"})):
            for _ in range(2):
                carried = await connector.send("outbound_order", operation, payload, reference="O-2", key="k")
                assert carried.their_id == "O-2"
    [order] = site.desk.get("/_plant/state?kind=outbound_order").json()["documents"]["outbound_order"]
    assert (order["_status"], order["details"][0]["qtyOrdered"]) == ("90", "2")
