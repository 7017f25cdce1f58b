"""Buying in the real ERP: a purchase is made once, its goods come in parts, wherever the road breaks down."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from include.plant.tryton.json_rpc import TrytonClient
from throughline.canonical import PurchaseOrder, PurchaseReceipt
from throughline.errors import InDoubt, Invalid, Rejected, Transient

from .conftest import Cut, Hub, Opener, Remembered

pytestmark = pytest.mark.plant


def purchase(number: str, *lines: tuple[str, str, str, str]) -> PurchaseOrder:
    """Lines of (line, item, quantity, unit)."""
    return PurchaseOrder.model_validate({
        "number": number, "supplier": "supplier:erp:V-2001", "ordered_on": date(2026, 11, 23),
        "lines": [
            {"line": line, "item": f"item:erp:{item}", "quantity": {"value": value, "unit": unit},
             "unit_price": {"amount": "12.50", "currency": "CNY"}, "due_on": date(2026, 12, 1)}
            for line, item, value, unit in lines
        ],
    })  # fmt: skip


def receipt(number: str, order: str, *lines: tuple[str, str, str, str]) -> PurchaseReceipt:
    return PurchaseReceipt.model_validate({
        "number": number, "received_on": date(2026, 11, 23),
        "lines": [
            {"line": line, "order_line": f"purchase_order:erp:{order}#{line}", "item": f"item:erp:{item}",
             "quantity": {"value": value, "unit": unit}}
            for line, item, value, unit in lines
        ],
    })  # fmt: skip


def deliveries(person: TrytonClient, number: str) -> list[dict[str, object]]:
    return person.search("stock.shipment.in", [["reference", "=", number]], "state")


@pytest.fixture
async def buyer(erp: Hub) -> Hub:
    """The ERP with its suppliers known."""
    assert {"V-2001", "V-2002"} <= set(await erp.read("supplier"))
    return erp


async def test_the_same_purchase_twice_is_one_and_it_is_read_back(
    buyer: Hub, erp_person: TrytonClient, fresh: str
) -> None:
    sent = purchase(f"PO-{fresh}", ("10", "RM-001", "20", "pcs"), ("20", "RM-001", "2", "carton"))
    assert await buyer.connector.find("purchase_order", sent.number) is None
    first = await buyer.send(sent)
    assert await buyer.send(sent) == first
    assert await buyer.connector.find("purchase_order", sent.number) == first
    (found,) = erp_person.search("purchase.purchase", [["reference", "=", sent.number]], "state", "number")
    assert found["state"] == "processing"
    told = (await buyer.read("purchase_order"))[sent.number]
    assert told == sent.model_copy(update={"status": "sent"})


async def test_goods_come_in_parts_and_the_rest_stays_open(buyer: Hub, erp_person: TrytonClient, fresh: str) -> None:
    order = f"PO-{fresh}"
    await buyer.send(purchase(order, ("10", "RM-001", "20", "pcs"), ("20", "RM-002", "5", "pcs")))
    for number, lines in (
        (f"GR-{fresh}-1", [("10", "RM-001", "15", "pcs")]),
        (f"GR-{fresh}-2", [("10", "RM-001", "5", "pcs"), ("20", "RM-002", "6", "pcs")]),
    ):
        sent = receipt(number, order, *lines)
        payload = buyer.translator.write("tryton_erp", "erp", "purchase_receipt", sent)
        assert await buyer.connector.find("purchase_receipt", number) is None
        made = [await buyer.connector.send("purchase_receipt", "create", payload, reference=number, key="k")
                for _ in range(2)]  # fmt: skip
        assert made[0] == made[1] == await buyer.connector.find("purchase_receipt", number)
        assert [each["state"] for each in deliveries(erp_person, number)] == ["done"]
    (found,) = erp_person.search("purchase.purchase", [["reference", "=", order]], "shipment_state", "lines")
    assert found["shipment_state"] == "received"
    origins = [f"purchase.line,{line}" for line in found["lines"]]
    moves = erp_person.search("stock.move", [["origin", "in", origins], ["state", "=", "done"]], "quantity")
    assert sorted(Decimal(str(move["quantity"])) for move in moves) == [5, 6, 15], "over-receipt is the match's affair"
    more = buyer.translator.write(
        "tryton_erp", "erp", "purchase_receipt", receipt("X", order, ("10", "RM-001", "1", "pcs"))
    )
    with pytest.raises(Rejected, match="nothing of purchase line"):
        await buyer.connector.send("purchase_receipt", "create", more, reference=f"GR-{fresh}-3", key="k")


async def test_broken_at_any_write_buying_and_receiving_go_on(
    buyer: Hub, open_erp: Opener, registry: Remembered, erp_person: TrytonClient, fresh: str
) -> None:
    for at in range(1, 12):
        order, number = f"PO-{fresh}-{at}", f"GR-{fresh}-{at}"
        sent, arrives = (
            purchase(order, ("10", "RM-001", "20", "pcs")),
            receipt(number, order, ("10", "RM-001", "8", "pcs")),
        )
        road = Cut(at, after=True)
        async with open_erp(transport=road) as connector:
            broken = Hub("erp", connector, registry)
            try:
                await broken.send(sent)
            except (InDoubt, Transient):
                await buyer.send(sent)
            payload = buyer.translator.write("tryton_erp", "erp", "purchase_receipt", arrives)
            try:
                await connector.send("purchase_receipt", "create", payload, reference=number, key="k")
            except (InDoubt, Transient):
                await buyer.connector.send("purchase_receipt", "create", payload, reference=number, key="k")
        assert len(erp_person.search("purchase.purchase", [["reference", "=", order]], "state")) == 1
        assert [each["state"] for each in deliveries(erp_person, number)] == ["done"]
        if road.writes < at:
            break
    assert at > 6, "create, quote, confirm, process; make, receive, put away"


async def test_goods_going_back_are_refused_with_the_field(buyer: Hub, fresh: str) -> None:
    back = receipt(f"GR-{fresh}", "PO-1").model_copy(update={"movement": "return"})
    with pytest.raises(Invalid, match="movement"):
        buyer.translator.write("tryton_erp", "erp", "purchase_receipt", back)


async def test_a_purchase_is_taken_back_or_ended_short_and_twice_is_once(
    buyer: Hub, erp_person: TrytonClient, fresh: str
) -> None:
    gone, short = f"PO-{fresh}-a", f"PO-{fresh}-b"
    for number in (gone, short):
        await buyer.send(purchase(number, ("10", "RM-001", "20", "pcs")))
    came = buyer.translator.write("tryton_erp", "erp", "purchase_receipt",
                                  receipt("X", short, ("10", "RM-001", "15", "pcs")))  # fmt: skip
    await buyer.connector.send("purchase_receipt", "create", came, reference=f"GR-{fresh}", key="k")
    with pytest.raises(Rejected, match="only be ended short"):
        await buyer.connector.send("purchase_order", "cancel", {"reference": short}, reference=short, key="k")
    for number, operation in ((gone, "cancel"), (short, "close")):
        for _ in range(2):
            await buyer.connector.send("purchase_order", operation, {"reference": number}, reference=number, key="k")
        (found,) = erp_person.search("purchase.purchase", [["reference", "=", number]], "lines")
        origins = [f"purchase.line,{line}" for line in found["lines"]]
        moves = erp_person.search("stock.move", [["origin", "in", origins]], "state", "quantity")
        wanted = {"cancel": [("cancelled", 20)], "close": [("cancelled", 5), ("done", 15)]}[operation]
        assert sorted((move["state"], int(float(str(move["quantity"])))) for move in moves) == wanted
    late = buyer.translator.write("tryton_erp", "erp", "purchase_receipt",
                                  receipt("Y", gone, ("10", "RM-001", "1", "pcs")))  # fmt: skip
    with pytest.raises(Rejected, match="nothing of purchase line"):
        await buyer.connector.send("purchase_receipt", "create", late, reference=f"GR-{fresh}-late", key="k")
