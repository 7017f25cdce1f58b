"""Orders that change, end or go wrong on the way, over real systems: what ERP, MES, WMS and CRM hold afterwards."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.stories.living_plant import FLOW, Plant, amounts

pytestmark = pytest.mark.plant
D = Decimal


@pytest.fixture
def plant(flux_plant: Plant) -> Plant:
    return flux_plant


def floor(plant: Plant, number: str) -> list[tuple[int, Decimal, Decimal]]:
    """What the shop floor has: status, planned and made, of every work order of an order."""
    return [
        (order["status"], D(order["plannedAmount"]), D(order["qualifiedAmount"])) for order in plant.work_orders(number)
    ]


def sold(plant: Plant, number: str) -> Decimal:
    """How much the ERP's one sale of an order says, in all."""
    (sale,) = plant.erp.sales(number)
    return sum((quantity for _, quantity, _ in sale["lines"].values()), D(0))


def to_send(plant: Plant, number: str) -> Decimal:
    """How much the warehouse is to send for an order, in all; nothing when no order is open."""
    outbound = plant.outbound(number)
    return sum((D(line["qtyOrdered"]) for line in outbound["details"]), D(0)) if outbound else D(0)


CREATED, RUNNING, FINISHED, CLOSED, CANCELLED = 1, 3, 4, 5, 9


async def test_o2d_08_quantity_up_in_production_becomes_a_supplement(plant: Plant) -> None:
    stock = plant.erp.stock("FG-200")
    number = await plant.order(("FG-200", "10", "pcs"))
    await plant.report(number, "4")
    plant.crm.change_quantity(number, "10", "12")
    await plant.hub.settle()
    assert floor(plant, number) == [(RUNNING, 10, 4), (CREATED, 2, 0)]
    assert (sold(plant, number), to_send(plant, number)) == (12, 12)
    assert "larger quantity accepted" in plant.crm_order(number)[2]
    plant.warehouse.receive(f"RN-{plant.mes.reports(plant.work_orders(number)[0]['code'])[0]['code']}")
    await plant.make_and_ship(number)
    assert plant.hub.state(number) == "finished", plant.hub.unsettled(number)
    assert floor(plant, number) == [(FINISHED, 10, 10), (FINISHED, 2, 2)]
    assert plant.erp.deliveries(number) == [("done", 12)]
    assert amounts(plant.crm.delivery_notes(number)) == [["12 pcs"]]
    assert plant.erp.stock("FG-200") == stock
    assert len(plant.mail.letters(number)) == 2


async def test_o2d_08_quantity_up_before_anything_reached_the_shop_floor(plant: Plant) -> None:
    stock = plant.erp.stock("FG-200")
    number = await plant.order(("FG-200", "10", "pcs"), settle=False)
    await plant.hub.look_around()
    await plant.hub.engine.run_step(FLOW, "erp_order")
    plant.crm.change_quantity(number, "10", "12")
    await plant.hub.settle()
    assert sorted(floor(plant, number)) == [(CREATED, 2, 0), (CREATED, 10, 0)]
    assert (sold(plant, number), to_send(plant, number)) == (12, 12)
    await plant.make_and_ship(number)
    assert plant.hub.state(number) == "finished", plant.hub.unsettled(number)
    assert sorted(floor(plant, number)) == [(FINISHED, 2, 2), (FINISHED, 10, 10)]
    assert plant.erp.deliveries(number) == [("done", 12)]
    assert plant.erp.stock("FG-200") == stock, "twelve were made, and twelve have left"


async def test_o2d_09_quantity_down_to_what_can_still_be_stopped(plant: Plant) -> None:
    stock = plant.erp.stock("FG-200")
    number = await plant.order(("FG-200", "10", "pcs"))
    report = await plant.report(number, "4")
    plant.crm.change_quantity(number, "10", "6")
    await plant.hub.settle()
    assert floor(plant, number) == [(RUNNING, 6, 4)]
    assert (sold(plant, number), to_send(plant, number)) == (6, 6)
    plant.crm.change_quantity(number, "10", "3")
    await plant.hub.settle()
    assert "refused" in plant.crm_order(number)[2]
    assert "4 pcs" in plant.crm_order(number)[2]
    assert floor(plant, number) == [(RUNNING, 6, 4)]
    assert (sold(plant, number), to_send(plant, number)) == (6, 6)
    plant.warehouse.receive(f"RN-{report}")
    await plant.make_and_ship(number)
    assert plant.hub.state(number) == "finished", plant.hub.unsettled(number)
    assert plant.erp.productions(number) == [("done", 6)]
    assert plant.erp.deliveries(number) == [("done", 6)]
    assert plant.erp.stock("FG-200") == stock


async def test_o2d_12_cancelled_before_release_and_in_production(plant: Plant) -> None:
    unreleased = await plant.order(("FG-200", "7", "pcs"), settle=False)
    await plant.hub.look_around()
    await plant.hub.engine.run_step(FLOW, "erp_order")
    plant.crm.cancel(unreleased)
    begun = await plant.order(("FG-200", "8", "pcs"))
    plant.crm.cancel(begun)
    await plant.hub.settle()
    for number, on_the_floor in ((unreleased, []), (begun, [(CANCELLED, 8, 0)])):
        assert plant.hub.state(number) == "cancelled", plant.hub.unsettled(number)
        assert floor(plant, number) == on_the_floor
        assert (sold(plant, number), to_send(plant, number)) == (0, 0)
        assert {state for state, _ in plant.erp.productions(number)} == {"cancelled"}
        assert plant.erp.deliveries(number) == []
        assert plant.crm.order(number)["order_status"] == "cancelled"
        assert plant.crm.delivery_notes(number) == []


async def test_o2d_12_cancelled_with_goods_made(plant: Plant) -> None:
    stock = plant.erp.stock("FG-200")
    number = await plant.order(("FG-200", "10", "pcs"))
    report = await plant.report(number, "4")
    plant.crm.cancel(number)
    await plant.hub.settle()
    assert floor(plant, number) == [(CLOSED, 10, 4)]
    assert to_send(plant, number) == 0
    await plant.receive(report)
    assert plant.hub.state(number) == "cancelled", plant.hub.unsettled(number)
    assert plant.erp.stock("FG-200") - stock == 4, "what was made lies in stock"
    assert sold(plant, number) == 0
    assert plant.erp.deliveries(number) == []


async def test_o2d_12_cancelled_after_goods_issue_is_refused(plant: Plant) -> None:
    number = await plant.order(("FG-200", "10", "pcs"))
    for report in await plant.make(number):
        plant.warehouse.receive(f"RN-{report}")
    await plant.told()
    await plant.ship(number, FG_200="4")
    plant.crm.cancel(number)
    await plant.hub.settle()
    assert floor(plant, number) == [(FINISHED, 10, 10)]
    assert (sold(plant, number), to_send(plant, number)) == (10, 10)
    assert sorted(plant.erp.deliveries(number)) == [("done", 4), ("waiting", 6)]
    assert plant.hub.state(number) == "running"
    letter = plant.mail.letters(number)[-1]
    assert "the cancellation refused after goods have left" in letter.get_content()
    assert "A return is offered" in letter.get_content()
    await plant.ship(number)
    assert plant.erp.deliveries(number) == [("done", 4), ("done", 6)], "the order goes on to its end"
    assert plant.hub.state(number) == "finished", plant.hub.unsettled(number)
    assert not plant.hub.parked(number)
    assert amounts(plant.crm.delivery_notes(number)) == [["4 pcs"]], "a cancelled order takes no more there"
    letters = plant.mail.letters(number)
    assert len(letters) == 4
    (desk,) = [letter for letter in letters if "Return needed" in str(letter["Subject"])]
    assert "orders@huadong.example" in str(desk["To"])
    assert "10: 4 / 10 pcs" in desk.get_content()


async def test_o2d_14_partial_completion_and_scrap(plant: Plant) -> None:
    stock = plant.erp.stock("FG-200")
    number = await plant.order(("FG-200", "10", "pcs"))
    first = await plant.report(number, "4", "1")
    second = await plant.report(number, "3", "2", finished=True)
    assert floor(plant, number) == [(FINISHED, 10, 7), (CREATED, 3, 0)]
    supplement = plant.work_orders(number)[1]
    assert supplement["customFields"]["supplements"] == plant.work_orders(number)[0]["code"]
    third = await plant.report(number, "3")
    plant.warehouse.receive(f"RN-{first}")
    await plant.receive(second, "2")
    assert plant.erp.stock("FG-200") - stock == 6, "received piece by piece, as the warehouse does"
    plant.warehouse.receive(f"RN-{second}")
    await plant.receive(third)
    assert plant.erp.stock("FG-200") - stock == 10
    await plant.ship(number)
    assert plant.hub.state(number) == "finished", plant.hub.unsettled(number)
    assert plant.erp.stock("FG-200") == stock
    assert sum(made for _, made in plant.erp.productions(number)) == 10
    assert len(plant.mail.letters(number)) == 1


async def test_o2d_20_several_shipments_and_the_last_one_closes(plant: Plant) -> None:
    number = await plant.order(("FG-200", "1", "carton"), ("FG-100", "2", "pcs"))
    for report in await plant.make(number):
        plant.warehouse.receive(f"RN-{report}")
    await plant.told()
    await plant.ship(number, FG_200="5")
    await plant.ship(number, FG_200="7")
    assert plant.hub.state(number) == "running"
    assert plant.crm_order(number)[1] == "accepted"
    await plant.ship(number)
    assert plant.hub.state(number) == "finished", plant.hub.unsettled(number)
    assert amounts(plant.crm.delivery_notes(number)) == [["2 pcs"], ["5 pcs"], ["7 pcs"]]
    assert sorted(plant.erp.deliveries(number)) == [("done", 2), ("done", 5), ("done", 7)]
    assert plant.crm_order(number)[1] == "closed"
    texts = [str(letter.get_content()) for letter in plant.mail.letters(number)]
    assert ["The rest will follow." in text for text in texts] == [True, True, False]
    assert "This completes your order." in texts[-1]
