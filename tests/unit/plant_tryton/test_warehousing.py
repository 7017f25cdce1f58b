"""Tryton as the warehouse: told what will come and what is to go, its people do it, and it says what they did."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from include.plant.emulators.clients import PlantRefused
from include.plant.tryton.people import TrytonWarehousePeople
from throughline.canonical import (
    OutboundOrder,
    OutboundOrderLine,
    Quantity,
    ReceiptNotice,
    ReceiptNoticeLine,
)
from throughline.errors import InDoubt, Rejected, Transient

from .conftest import Cut, Hub, Opener, Remembered

pytestmark = pytest.mark.plant


@pytest.fixture(autouse=True)
async def items(erp: Hub) -> None:
    """Quantities are written in an item's own unit, which the ERP knows."""


def notice(number: str, quantity: str, item: str = "FG-100") -> ReceiptNotice:
    line = ReceiptNoticeLine(line="1", item=f"item:erp:{item}", quantity=Quantity(value=Decimal(quantity), unit="pcs"))
    return ReceiptNotice(number=number, lines=(line,))


def outbound(number: str, **quantities: str) -> OutboundOrder:
    lines = tuple(
        OutboundOrderLine(line=name.strip("_"), item=f"item:erp:{'FG-100' if name == '_10' else 'FG-200'}",
                          quantity=Quantity(value=Decimal(quantity), unit="pcs"))
        for name, quantity in quantities.items()
    )  # fmt: skip
    return OutboundOrder(
        number=number, order=f"sales_order:crm:{number}", customer_name="青岛重工集团",
        ship_to={"recipient": "王工", "street": "港口路 1 号", "city": "青岛"}, lines=lines,
    )  # fmt: skip


async def stocked(wms: Hub, people: TrytonWarehousePeople, fresh: str, **quantities: str) -> None:
    for item, quantity in quantities.items():
        number = f"RN-{fresh}-{item}"
        await wms.send(notice(number, quantity, item.replace("_", "-")))
        people.receive(number)


def mine(documents: dict[str, Any], field: str, number: str) -> list[Any]:
    return [doc for doc in documents.values() if getattr(doc, field) == number]


async def test_what_was_announced_comes_in_two_parts(
    wms: Hub, warehouse_people: TrytonWarehousePeople, fresh: str
) -> None:
    number = f"RN-{fresh}"
    first = await wms.send(notice(number, "10"))
    assert await wms.send(notice(number, "10")) == await wms.connector.find("receipt_notice", number)
    expected = [asn for asn in warehouse_people.expected() if asn["docNo"] == number]
    assert [(line["sku"], line["expectedQty"], line["received"]) for line in expected[0]["details"]] == [
        ("FG-100", "10", "0")
    ]
    assert len(expected) == 1
    line = expected[0]["details"][0]["lineNo"]
    part = warehouse_people.receive(number, [{"lineNo": line, "qty": "4"}])
    (rest,) = [asn for asn in warehouse_people.expected() if asn["docNo"] == number]
    assert (rest["details"][0]["expectedQty"], rest["details"][0]["received"]) == ("10", "4")
    last = warehouse_people.receive(number)
    receipts = mine(await wms.read("receipt"), "notice", f"receipt_notice:hub:{number}")
    assert {doc.number: [line.quantity.value for line in doc.lines] for doc in receipts} == {part: [4], last: [6]}
    assert all(doc.status == "received" and doc.lines[0].item == "item:erp:FG-100" for doc in receipts)
    with pytest.raises(PlantRefused):
        warehouse_people.receive(number)
    assert first.their_id


async def test_a_withdrawn_notice_is_expected_no_longer(
    wms: Hub, warehouse_people: TrytonWarehousePeople, fresh: str
) -> None:
    number = f"RN-{fresh}"
    await wms.send(notice(number, "10"))
    for _ in range(2):
        await wms.send(notice(number, "10"), "cancel")
        assert [asn for asn in warehouse_people.expected() if asn["docNo"] == number] == []
    assert mine(await wms.read("receipt"), "notice", f"receipt_notice:hub:{number}") == []


async def test_an_order_leaves_in_two_parts_by_its_lines(
    wms: Hub, warehouse_people: TrytonWarehousePeople, fresh: str
) -> None:
    number = f"OB-{fresh}"
    await stocked(wms, warehouse_people, fresh, FG_100="10", FG_200="5")
    first = await wms.send(outbound(number, _10="10", _20="5"))
    assert await wms.send(outbound(number, _10="10", _20="5")) == first
    assert await wms.connector.find("outbound_order", number) == first
    (waiting,) = [each for each in warehouse_people.orders() if each["docNo"] == number]
    lines = {line["sku"]: line for line in waiting["details"]}
    warehouse_people.ship(number, [{"lineNo": lines["FG-100"]["lineNo"], "qty": "3"}])
    (rest,) = [each for each in warehouse_people.orders() if each["docNo"] == number]
    assert {line["sku"]: (line["qtyOrdered"], line["shipped"]) for line in rest["details"]} == {
        "FG-100": ("10", "3"), "FG-200": ("5", "0")
    }  # fmt: skip
    warehouse_people.ship(number)
    shipped = mine(await wms.read("shipment"), "outbound", f"outbound_order:hub:{number}")
    told = sorted(
        [sorted((line.outbound_line, line.quantity.value) for line in doc.lines) for doc in shipped], key=len
    )  # fmt: skip
    header = f"outbound_order:hub:{number}"
    assert told == [[(f"{header}#10", 3)], [(f"{header}#10", 7), (f"{header}#20", 5)]]
    assert [each for each in warehouse_people.orders() if each["docNo"] == number] == []


async def test_an_order_changes_until_it_has_left(
    wms: Hub, warehouse_people: TrytonWarehousePeople, fresh: str
) -> None:
    number = f"OB-{fresh}"
    await stocked(wms, warehouse_people, fresh, FG_100="12", FG_200="5")
    await wms.send(outbound(number, _10="10"))
    (waiting,) = [each for each in warehouse_people.orders() if each["docNo"] == number]
    warehouse_people.ship(number, [{"lineNo": waiting["details"][0]["lineNo"], "qty": "4"}])
    await wms.send(outbound(number, _10="12", _20="5"), "change")
    await wms.send(outbound(number, _10="12"), "change")
    for _ in range(2):
        await wms.send(outbound(number, _10="12", _20="5"), "change")
        (waiting,) = [each for each in warehouse_people.orders() if each["docNo"] == number]
        assert {line["sku"]: line["qtyOrdered"] for line in waiting["details"]} == {"FG-100": "12", "FG-200": "5"}
    with pytest.raises(Rejected, match="4 have left already"):
        await wms.send(outbound(number, _10="3", _20="5"), "change")
    with pytest.raises(Rejected, match="has left in part"):
        await wms.send(outbound(number, _10="12"), "cancel")
    warehouse_people.ship(number)
    with pytest.raises(Rejected, match="has left in full"):
        await wms.send(outbound(number, _10="13", _20="5"), "change")
    lines = [
        (line.outbound_line.rpartition("#")[2], line.quantity.value)
        for doc in mine(await wms.read("shipment"), "outbound", f"outbound_order:hub:{number}") for line in doc.lines
    ]  # fmt: skip
    assert sorted(lines) == [("10", 4), ("10", 8), ("20", 5)]


async def test_a_cancelled_order_is_never_shipped(
    wms: Hub, warehouse_people: TrytonWarehousePeople, fresh: str
) -> None:
    number = f"OB-{fresh}"
    await wms.send(outbound(number, _10="10"))
    for _ in range(2):
        await wms.send(outbound(number, _10="10"), "cancel")
        assert [each for each in warehouse_people.orders() if each["docNo"] == number] == []
    assert mine(await wms.read("shipment"), "outbound", f"outbound_order:hub:{number}") == []


@pytest.mark.parametrize("kind", ["notice", "order"])
async def test_broken_at_any_write_it_is_told_once(
    wms: Hub, open_wms: Opener, registry: Remembered, warehouse_people: TrytonWarehousePeople, fresh: str, kind: str
) -> None:
    for at in range(1, 12):
        number = f"{kind}-{fresh}-{at}"
        sent: Any = notice(number, "10") if kind == "notice" else outbound(number, _10="10", _20="5")
        async with open_wms(transport=Cut(at, after=True)) as connector:
            try:
                await Hub("wms", connector, registry).send(sent)
                break
            except (InDoubt, Transient):
                found = await wms.connector.find(sent.kind, number)
        carried = await wms.send(sent)
        assert found in (None, carried)
        told = warehouse_people.expected() if kind == "notice" else warehouse_people.orders()
        assert len([each for each in told if each["docNo"] == number]) == 1
        assert kind == "notice" or sorted(carried.lines) == ["10", "20"]
    assert at > 1


async def test_the_stock_is_what_came_less_what_left(
    wms: Hub, warehouse_people: TrytonWarehousePeople, fresh: str
) -> None:
    before = (await wms.read("stock_level"))["FG-200"].on_hand.value
    await stocked(wms, warehouse_people, fresh, FG_200="9")
    await wms.send(outbound(f"OB-{fresh}", _20="4"))
    warehouse_people.ship(f"OB-{fresh}")
    level = (await wms.read("stock_level"))["FG-200"]
    assert (level.on_hand.value - before, level.on_hand.unit, level.site) == (5, "pcs", "WH01")
    await wms.send(outbound(f"OB-{fresh}b", _20="100000"))
    with pytest.raises(PlantRefused, match="too little in stock"):
        warehouse_people.ship(f"OB-{fresh}b")
