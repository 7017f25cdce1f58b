"""What systems tell: watermarks, pushed messages, identities that contradict each other."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.stories.plant import Plant, quantity
from tests.stories.scripted_systems import ScriptedSystem, captured
from throughline.connectors.contract import Captured, Page
from throughline.errors import Invalid, Transient

ORDER = {"status": "confirmed", "customer": "customer:crm:C-1001", "contact_email": "a@b.example",
         "lines": [{"line": "10", "item": "item:erp:FG-100", "quantity": quantity(1)}]}  # fmt: skip


@pytest.fixture
def plant(postgres_dsn: str) -> Plant:
    return Plant(postgres_dsn)


class PagedSystem(ScriptedSystem):
    """Tells its orders two at a time and breaks where it is told to."""

    breaks_after = 99
    asked: list[Any]

    async def changes(self, document: str, cursor: Any, *, since: Any = None, until: Any = None) -> AsyncIterator[Page]:
        self.asked.append((cursor, since))
        first = cursor["seen"] if cursor else 0
        for start in range(first, 6, 2):
            if start >= self.breaks_after:
                raise Transient("gone", system="crm")
            records = [captured("sales_order", f"crm-sales_order-SO-{n}", {"number": f"SO-{n}", **ORDER})
                       for n in range(start, start + 2)]  # fmt: skip
            yield Page(tuple(records), {"seen": start + 2})


async def test_a_broken_capture_goes_on_where_it_was(plant: Plant) -> None:
    crm = PagedSystem("crm")
    crm.asked, crm.breaks_after, plant.systems["crm"] = [], 4, crm
    with pytest.raises(Transient):
        await plant.engine.capture("crm", "sales_order")
    with plant.ledger.transaction() as books:
        assert books.watermarks.get("crm", "sales_order") == {"seen": 4}
        assert len(books.records.pending("crm")) == 4
    crm.breaks_after = 99
    report = await plant.engine.capture("crm", "sales_order")
    assert (report.told, report.new) == (2, 2)
    assert crm.asked[1] == ({"seen": 4}, None)


async def test_a_backfill_leaves_the_watermark_alone_and_repeats_nothing(plant: Plant) -> None:
    crm = PagedSystem("crm")
    crm.asked, plant.systems["crm"] = [], crm
    await plant.engine.capture("crm", "sales_order")
    report = await plant.engine.capture("crm", "sales_order", since=plant.clock())
    assert (report.told, report.new) == (6, 0)
    assert crm.asked[1][0] is None
    with plant.ledger.transaction() as books:
        assert books.watermarks.get("crm", "sales_order") == {"seen": 6}


class Door:
    def parse(self, message_kind: str, body: bytes) -> list[Captured]:
        told = json.loads(body)
        if "number" not in told:
            raise Invalid("the message names no document")
        return [captured("receipt", f"wms-receipt-{told['number']}", told)]


async def test_pushed_messages_become_records_once_and_the_unreadable_spares_the_rest(plant: Plant) -> None:
    plant.master_data()
    plant.wms.inbound = Door()  # type: ignore[attr-defined]
    receipt = {"number": "RC-1", "status": "received", "lines": []}
    with plant.ledger.transaction() as books:
        assert books.inbox.store("wms", "confirmASN", "1", {}, json.dumps(receipt).encode())
        assert not books.inbox.store("wms", "confirmASN", "1", {}, json.dumps(receipt).encode())
        assert books.inbox.store("wms", "confirmASN", "2", {}, b"{}")
        assert books.inbox.store("wms", "confirmASN", "3", {}, b"not json")
    report = plant.engine.drain_inbox("wms")
    assert (report.told, report.new, report.parked) == (1, 1, 2)
    assert plant.engine.drain_inbox("wms").told == 0
    assert plant.engine.take_in().translated == 1
    assert len(plant.audit("unreadable")) == 2


async def test_an_id_that_means_something_else_already_is_parked(plant: Plant) -> None:
    plant.master_data()
    plant.order("SO-1")
    taken = Captured("sales_order", "crm-sales_order-SO-1", {"number": "SO-1", **ORDER})
    plant.engine.keep("crm", [taken])
    plant.tell("wms", "shipment", {"number": "D-1", "outbound": "outbound_order:hub:OB-SO-1", "status": "shipped"})
    words = plant.engine._intake._words
    original = words.read

    def confused(role: str, document: str, records: Any) -> Any:
        from dataclasses import replace

        return [replace(reading, identities=tuple(replace(i, their_id="wms-shipment-D-1") for i in reading.identities))
                for reading in original(role, document, records)]  # fmt: skip

    words.read = confused  # type: ignore[method-assign]
    plant.tell("wms", "shipment", {"number": "D-2", "outbound": "outbound_order:hub:OB-SO-1", "status": "shipped"})
    with plant.ledger.transaction() as books:
        (case,) = books.parked.open()
    assert "already registered as shipment:wms:D-1" in case.reason
