"""A sale is made once, wherever the hub or the road breaks down."""

from __future__ import annotations

import pytest

from include.plant.tryton.json_rpc import TrytonClient
from throughline.errors import InDoubt, Invalid, Rejected, Transient

from .conftest import Cut, Hub, Opener, Remembered, order

pytestmark = pytest.mark.plant


def sales(person: TrytonClient, number: str) -> list[dict[str, object]]:
    return person.search("sale.sale", [["reference", "=", number]], "state", "lines", "shipments")


async def test_the_same_order_twice_is_one_sale(erp: Hub, erp_person: TrytonClient, fresh: str) -> None:
    sent = order(f"SO-{fresh}", ("10", "FG-100", "10", "pcs"))
    assert await erp.connector.find("sales_order", sent.number) is None
    first = await erp.send(sent)
    assert await erp.send(sent) == first
    assert await erp.connector.find("sales_order", sent.number) == first
    (sale,) = sales(erp_person, sent.number)
    assert sale["state"] == "processing"
    origins = [f"sale.line,{line}" for line in sale["lines"]]
    made = erp_person.search("production", [["origin", "in", origins]], "state", "number", "quantity")
    assert [(each["state"], each["quantity"]) for each in made] == [("waiting", 10.0)]


async def test_broken_at_any_write_it_goes_on(
    erp: Hub, open_erp: Opener, registry: Remembered, erp_person: TrytonClient, fresh: str
) -> None:
    for at in range(1, 20):
        sent = order(f"SO-{fresh}-{at}", ("10", "FG-100", "4", "pcs"), ("20", "FG-200", "1", "carton"))
        road = Cut(at, after=True)
        async with open_erp(transport=road) as connector:
            broken = Hub("erp", connector, registry)
            try:
                await broken.send(sent)
                assert road.writes < at
                break
            except (InDoubt, Transient):
                whole = await erp.connector.find("sales_order", sent.number)
        carried = await erp.send(sent)
        assert whole in (None, carried), "what is found counts as carried out only when it is whole"
        assert len(sales(erp_person, sent.number)) == 1
        made = erp_person.search("production", [["origin.sale.reference", "=", sent.number, "sale.line"]], "state")
        assert [each["state"] for each in made] == ["waiting", "waiting"]
    assert at > 4, "a sale takes at least: create, quote, confirm, two productions"


async def test_what_the_erp_does_not_know_is_refused(erp: Hub, fresh: str) -> None:
    payload = {
        "party": "3", "currency": "CNY",
        "lines": [{"note": "10", "product": "1", "quantity": 1, "unit": {"symbol": "carton"}, "unit_price": 1}],
    }  # fmt: skip
    for wrong, error in (
        ({"currency": "XXX"}, Invalid),
        ({"lines": [{**payload["lines"][0], "unit": {"symbol": "pallet"}}]}, Invalid),
        ({"lines": [{**payload["lines"][0], "quantity": -1, "product": "3"}], "party": "999999"}, (Rejected, Invalid)),
    ):
        with pytest.raises(error):
            await erp.connector.send("sales_order", "create", {**payload, **wrong}, reference=f"X-{fresh}", key="k")
    assert await erp.connector.find("sales_order", f"X-{fresh}") is None
