"""Sales change and end at every stage; what has been made and sent stays true."""

from __future__ import annotations

from decimal import Decimal

import pytest

from include.plant.tryton.json_rpc import TrytonClient
from throughline.errors import InDoubt, Rejected, Transient

from .conftest import Cut, Hub, Opener, Remembered, order
from .test_booking import Books, begun, receipt, shipment

pytestmark = pytest.mark.plant


@pytest.fixture
def books(erp_person: TrytonClient) -> Books:
    return Books(erp_person)


def quantity(books: Books, sale: str) -> list[Decimal]:
    lines = books.person.search("sale.line", [["sale.reference", "=", sale]], "quantity")
    return [Decimal(str(line["quantity"])) for line in lines]


def state(books: Books, sale: str) -> str:
    (found,) = books.person.search("sale.sale", [["reference", "=", sale]], "state")
    return str(found["state"])


def planned(books: Books, sale: str) -> list[tuple[str, float]]:
    return [(made["state"], sum(output["quantity"] for output in made["outputs."])) for made in books.productions(sale)]


async def test_less_is_wanted_before_anything_was_made(erp: Hub, books: Books, fresh: str) -> None:
    sale = f"SO-{fresh}"
    await begun(erp, sale, "10")
    for _ in range(2):
        await erp.send(order(sale, ("10", "FG-200", "8", "pcs")), "change")
        assert (quantity(books, sale), planned(books, sale)) == ([8], [("waiting", 8.0)])
        assert books.deliveries(sale) == [("waiting", 8)]
    parts = books.person.search("production", [["origin.sale.reference", "=", sale, "sale.line"]], "inputs.quantity")
    assert [move["quantity"] for move in parts[0]["inputs."]] == [8.0]


async def test_more_is_wanted_after_a_part_was_made_and_sent(erp: Hub, books: Books, fresh: str) -> None:
    sale = f"SO-{fresh}"
    work = await begun(erp, sale, "10")
    await erp.send(receipt(f"GR-{fresh}", "6", notice=work))
    await erp.send(shipment(f"DN-{fresh}", sale, _10="3"))
    await erp.send(order(sale, ("10", "FG-200", "15", "pcs")), "change")
    assert (quantity(books, sale), planned(books, sale)) == ([15], [("running", 10.0)])
    assert books.deliveries(sale) == [("done", 3), ("waiting", 12)]
    await erp.send(shipment(f"DN-{fresh}b", sale, _10="2"))
    assert books.deliveries(sale) == [("done", 3), ("done", 2), ("waiting", 10)]


async def test_less_is_wanted_while_it_is_made(erp: Hub, books: Books, fresh: str) -> None:
    sale = f"SO-{fresh}"
    work = await begun(erp, sale, "10")
    await erp.send(receipt(f"GR-{fresh}", "6", notice=work))
    await erp.send(order(sale, ("10", "FG-200", "8", "pcs")), "change")
    assert (quantity(books, sale), planned(books, sale)) == ([8], [("running", 8.0)])
    await erp.send(order(sale, ("10", "FG-200", "4", "pcs")), "change")
    assert (quantity(books, sale), planned(books, sale)) == ([4], [("done", 6.0)])
    await erp.send(shipment(f"DN-{fresh}", sale, _10="3"))
    with pytest.raises(Rejected, match="3 have left already"):
        await erp.send(order(sale, ("10", "FG-200", "2", "pcs")), "change")
    with pytest.raises(Rejected, match="new line 20"):
        await erp.send(order(sale, ("10", "FG-200", "4", "pcs"), ("20", "FG-100", "1", "pcs")), "change")


async def test_an_order_not_begun_is_cancelled_as_if_it_never_was(erp: Hub, books: Books, fresh: str) -> None:
    sale = f"SO-{fresh}"
    await begun(erp, sale, "10")
    for _ in range(2):
        await erp.send(order(sale, ("10", "FG-200", "10", "pcs"), status="cancelled"), "cancel")
        assert (state(books, sale), quantity(books, sale), books.deliveries(sale)) == ("done", [0], [])
        assert [made["state"] for made in books.productions(sale)] == ["cancelled"]


async def test_an_order_in_production_is_cancelled_and_keeps_what_was_made(erp: Hub, books: Books, fresh: str) -> None:
    sale = f"SO-{fresh}"
    work, before = await begun(erp, sale, "10"), books.stock()
    await erp.send(receipt(f"GR-{fresh}", "4", notice=work))
    await erp.send(shipment(f"DN-{fresh}", sale, _10="1"))
    for _ in range(2):
        await erp.send(order(sale, ("10", "FG-200", "10", "pcs"), status="cancelled"), "cancel")
        assert (quantity(books, sale), planned(books, sale)) == ([1], [("done", 4.0)])
    assert (books.deliveries(sale), books.stock() - before) == ([("done", 1)], 3)
    late = await erp.send(receipt(f"GR-{fresh}late", "2", notice=work))
    assert late.their_id, "goods that come after all are booked, as a production of their own"
    assert books.stock() - before == 5


async def test_an_order_that_has_left_cannot_be_cancelled(erp: Hub, books: Books, fresh: str) -> None:
    sale = f"SO-{fresh}"
    work = await begun(erp, sale, "2")
    await erp.send(receipt(f"GR-{fresh}", "2", notice=work))
    await erp.send(shipment(f"DN-{fresh}", sale, _10="2"))
    with pytest.raises(Rejected, match="a return"):
        await erp.send(order(sale, ("10", "FG-200", "2", "pcs"), status="cancelled"), "cancel")


@pytest.mark.parametrize("after_confirming", [False, True])
async def test_a_draft_is_cancelled_by_its_button(
    erp: Hub, open_erp: Opener, registry: Remembered, books: Books, fresh: str, after_confirming: bool
) -> None:
    sale = f"SO-{fresh}"
    sent = order(sale, ("10", "FG-200", "2", "pcs"))
    async with open_erp(transport=Cut(3 if after_confirming else 2, after=False)) as connector:
        with pytest.raises((InDoubt, Transient)):
            await Hub("erp", connector, registry).send(sent)
    assert state(books, sale) == ("quotation" if after_confirming else "draft")
    await erp.send(order(sale, ("10", "FG-200", "2", "pcs"), status="cancelled"), "cancel")
    assert state(books, sale) == "cancelled"


@pytest.mark.parametrize("operation", ["change", "cancel"])
async def test_a_change_broken_at_any_write_ends_the_same(
    erp: Hub, open_erp: Opener, registry: Remembered, books: Books, fresh: str, operation: str
) -> None:
    for at in range(1, 20):
        sale = f"SO-{fresh}-{at}"
        await begun(erp, sale, "10")
        changed = order(sale, ("10", "FG-200", "7", "pcs"), status="confirmed")
        async with open_erp(transport=Cut(at, after=True)) as connector:
            try:
                await Hub("erp", connector, registry).send(changed, operation)
                break
            except (InDoubt, Transient):
                await erp.send(changed, operation)
        if operation == "change":
            assert (quantity(books, sale), planned(books, sale)) == ([7], [("waiting", 7.0)])
            assert books.deliveries(sale) == [("waiting", 7)]
        else:
            assert (quantity(books, sale), books.deliveries(sale), state(books, sale)) == ([0], [], "done")
            assert [made["state"] for made in books.productions(sale)] == ["cancelled"]
    assert at > 2
