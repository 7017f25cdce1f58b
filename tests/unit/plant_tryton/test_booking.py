"""Receipts and goods issues follow the warehouse, piece by piece; booked twice or broken anywhere, each counts once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from include.plant.tryton.json_rpc import TrytonClient
from throughline.canonical import Quantity, Receipt, ReceiptLine, Shipment, ShipmentLine
from throughline.connectors.contract import Carried
from throughline.errors import InDoubt, NotYet, Rejected, Transient

from .conftest import Cut, Hub, Opener, Remembered, order

pytestmark = pytest.mark.plant
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)


def receipt(number: str, quantity: str, *, item: str = "FG-200", notice: str = "receipt_notice:hub:RN-1") -> Receipt:
    line = ReceiptLine(line="1", item=f"item:erp:{item}", quantity=Quantity(value=Decimal(quantity), unit="pcs"))
    return Receipt(number=number, notice=notice, received_at=NOW, lines=(line,))


def shipment(number: str, sale: str, **quantities: str) -> Shipment:
    """What left, by the order's lines."""
    lines = tuple(
        ShipmentLine(line=line, outbound_line=f"sales_order:crm:{sale}#{line}", item="item:erp:FG-200",
                     quantity=Quantity(value=Decimal(quantity), unit="pcs"))
        for line, quantity in ((name.strip("_"), quantity) for name, quantity in quantities.items())
    )  # fmt: skip
    return Shipment(
        number=number, outbound=f"outbound_order:hub:OB-{sale}", order=f"sales_order:crm:{sale}", shipped_at=NOW,
        lines=lines,
    )  # fmt: skip


class Books:
    """What really stands in the ERP."""

    def __init__(self, person: TrytonClient) -> None:
        self.person = person

    def stock(self, item: str = "FG-200") -> Decimal:
        warehouses = [each["id"] for each in self.person.search("stock.location", [["type", "=", "warehouse"]], "code")]
        (row,) = self.person.search("product.product", [["code", "=", item]], "quantity", locations=warehouses)
        return Decimal(str(row["quantity"]))

    def productions(self, sale: str) -> list[dict[str, Any]]:
        fields = ("state", "quantity", "reference", "outputs.quantity", "outputs.state", "outputs.effective_date")
        return self.person.search("production", [["origin.sale.reference", "=", sale, "sale.line"]], *fields)

    def deliveries(self, sale: str) -> list[tuple[str, Decimal]]:
        (known,) = self.person.search("sale.sale", [["reference", "=", sale]], "shipments")
        fields = ("state", "outgoing_moves.quantity")
        found = self.person.search("stock.shipment.out", [["id", "in", known["shipments"]]], *fields)
        return [
            (each["state"], sum(Decimal(str(move["quantity"])) for move in each["outgoing_moves."])) for each in found
        ]


@pytest.fixture
def books(erp_person: TrytonClient) -> Books:
    return Books(erp_person)


def production_of(orders: Mapping[str, Any], sale: str) -> str:
    return next(ref.number for ref in orders.values() if (ref.order_line or "").startswith(f"sales_order:crm:{sale}#"))


async def begun(erp: Hub, sale: str, quantity: str) -> str:
    """A sale whose production is known to the hub; its canonical reference."""
    await erp.send(order(sale, ("10", "FG-200", quantity, "pcs")))
    return f"work_order:erp:{production_of(await erp.read('work_order'), sale)}"


async def test_receipts_complete_a_production_piece_by_piece(erp: Hub, books: Books, fresh: str) -> None:
    work, before = await begun(erp, f"SO-{fresh}", "10"), books.stock()
    await erp.send(receipt(f"GR-{fresh}a", "4", notice=work))
    (made,) = books.productions(f"SO-{fresh}")
    assert (made["state"], books.stock() - before) == ("running", 4)
    await erp.send(receipt(f"GR-{fresh}a", "4", notice=work))
    assert books.stock() - before == 4, "the same receipt twice is one"
    await erp.send(receipt(f"GR-{fresh}b", "6", notice=work))
    (made,) = books.productions(f"SO-{fresh}")
    assert (made["state"], books.stock() - before) == ("done", 10)
    assert made["reference"] == f"GR-{fresh}a=4/4, GR-{fresh}b=6/6"
    assert await erp.connector.find("receipt", f"GR-{fresh}") is None, "a part of a number is no number"
    found = await erp.connector.find("receipt", f"GR-{fresh}b")
    assert isinstance(found, Carried)


async def test_more_than_was_planned_gets_a_production_of_its_own(erp: Hub, books: Books, fresh: str) -> None:
    work, before = await begun(erp, f"SO-{fresh}", "2"), books.stock()
    for made in books.person.search("production", [["state", "in", ["waiting", "running"]]], "origin", "number"):
        if made["number"] != work.rpartition(":")[2] and not made["origin"]:
            pytest.fail("another test left an unplanned production open")
    carried = await erp.send(receipt(f"GR-{fresh}", "5", item="FG-200", notice=work))
    assert books.stock() - before == 5
    assert len(carried.answer["productions"]) >= 2


async def test_a_receipt_broken_at_any_write_is_booked_once(
    erp: Hub, open_erp: Opener, registry: Remembered, books: Books, fresh: str
) -> None:
    for at in range(1, 20):
        work, before = await begun(erp, f"SO-{fresh}-{at}", "3"), books.stock()
        came, road = receipt(f"GR-{fresh}-{at}", "3", notice=work), Cut(at, after=True)
        async with open_erp(transport=road) as connector:
            try:
                await Hub("erp", connector, registry).send(came)
                break
            except (InDoubt, Transient):
                found = await erp.connector.find("receipt", came.number)
        if found is None:
            await erp.send(came)
        assert books.stock() - before == 3
        assert [made["state"] for made in books.productions(f"SO-{fresh}-{at}")] == ["done"]
    assert at > 3, "at least: begin, book, do the piece, do the production"


async def test_goods_made_to_order_cannot_leave_before_their_first_receipt_is_booked(
    erp: Hub, books: Books, fresh: str
) -> None:
    sale = f"SO-{fresh}"
    work = await begun(erp, sale, "4")
    with pytest.raises(NotYet, match="their receipt is not booked yet"):
        await erp.send(shipment(f"DN-{fresh}", sale, _10="4"))
    assert books.deliveries(sale) == [("waiting", 4)], "nothing was touched"
    await erp.send(receipt(f"GR-{fresh}", "4", notice=work))
    await erp.send(shipment(f"DN-{fresh}", sale, _10="4"))
    assert books.deliveries(sale) == [("done", 4)]


async def test_a_part_of_a_carton_may_leave_and_the_rest_stays_exact(erp: Hub, books: Books, fresh: str) -> None:
    sale, before = f"SO-{fresh}", books.stock()
    await erp.send(order(sale, ("10", "FG-200", "2", "carton")))  # a carton holds twelve
    work = f"work_order:erp:{production_of(await erp.read('work_order'), sale)}"
    await erp.send(receipt(f"GR-{fresh}", "24", notice=work))
    for number, pieces in (("a", "5"), ("b", "8"), ("c", "11")):
        await erp.send(shipment(f"DN-{fresh}{number}", sale, _10=pieces))
    assert {state for state, _ in books.deliveries(sale)} == {"done"}
    assert books.stock() == before, "all twenty-four came and left"


async def test_what_leaves_in_parts_leaves_the_rest_open(erp: Hub, books: Books, fresh: str) -> None:
    sale = f"SO-{fresh}"
    work = await begun(erp, sale, "10")
    await erp.send(receipt(f"GR-{fresh}", "6", notice=work))
    before = books.stock()
    first = await erp.send(shipment(f"DN-{fresh}a", sale, _10="3"))
    assert await erp.send(shipment(f"DN-{fresh}a", sale, _10="3")) == first
    assert (books.deliveries(sale), books.stock() - before) == ([("done", 3), ("waiting", 7)], -3)
    with pytest.raises((Transient, InDoubt), match="receipt may still be on its way"):
        await erp.send(shipment(f"DN-{fresh}b", sale, _10="7"))
    assert await erp.connector.find("shipment", f"DN-{fresh}b") is None
    await erp.send(receipt(f"GR-{fresh}c", "4", notice=work))
    await erp.send(shipment(f"DN-{fresh}b", sale, _10="7"))
    assert books.deliveries(sale) == [("done", 3), ("done", 7)]
    with pytest.raises(Rejected, match="no open delivery"):
        await erp.send(shipment(f"DN-{fresh}d", sale, _10="1"))


async def test_a_goods_issue_broken_at_any_write_is_booked_once(
    erp: Hub, open_erp: Opener, registry: Remembered, books: Books, fresh: str
) -> None:
    for at in range(1, 20):
        sale = f"SO-{fresh}-{at}"
        work = await begun(erp, sale, "3")
        await erp.send(receipt(f"GR-{fresh}-{at}", "3", notice=work))
        before, left, road = books.stock(), shipment(f"DN-{fresh}-{at}", sale, _10="2"), Cut(at, after=True)
        async with open_erp(transport=road) as connector:
            try:
                await Hub("erp", connector, registry).send(left)
                break
            except (InDoubt, Transient):
                found = await erp.connector.find("shipment", left.number)
        if found is None:
            await erp.send(left)
        assert (books.stock() - before, books.deliveries(sale)) == (-2, [("done", 2), ("waiting", 1)])
    assert at > 5, "at least: reset, draft, fit, wait, assign, pick, pack, do"


async def test_a_receipt_goes_to_the_work_order_it_names(erp: Hub, books: Books, fresh: str) -> None:
    """An older production of the same item waits too; the goods were made for the younger one."""
    older, younger = f"SO-{fresh}a", f"SO-{fresh}b"
    await begun(erp, older, "3")
    work = await begun(erp, younger, "3")
    await erp.send(receipt(f"GR-{fresh}", "3", notice=work))
    assert [made["state"] for made in books.productions(younger)] == ["done"]
    assert [made["state"] for made in books.productions(older)] == ["waiting"]
