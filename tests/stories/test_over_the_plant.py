"""Order to delivery over real systems: what each of them holds afterwards, counted over its own API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from include.plant.tryton.json_rpc import TrytonClient
from tests.stories.living_plant import Plant, amounts
from throughline.command_line.paths import path_of

pytestmark = pytest.mark.plant
D = Decimal


@pytest.fixture
def plant(flux_plant: Plant) -> Plant:
    return flux_plant


def holds_once(plant: Plant, number: str, **lines: tuple[str, int, str, int]) -> None:
    """Every system holds the finished order exactly once; lines are (item, ordered, unit, in base units)."""
    assert plant.hub.state(number) == "finished", plant.hub.unsettled(number)
    (sale,) = plant.erp.sales(number)
    symbol = {"pcs": "u", "carton": "carton"}
    assert sale["lines"] == {name[1:]: (item, D(ordered), symbol[u]) for name, (item, ordered, u, _) in lines.items()}
    base = sorted(D(pieces) for *_, pieces in lines.values())
    assert sorted(plant.erp.productions(number)) == [("done", pieces) for pieces in base]
    assert plant.erp.deliveries(number) == [("done", sum(base))]
    assert sorted(D(order["plannedAmount"]) for order in plant.work_orders(number)) == base
    assert {order["status"] for order in plant.work_orders(number)} == {4}
    assert plant.outbound(number) is None
    told = sorted(f"{ordered} {unit}" for _, ordered, unit, _ in lines.values())
    assert amounts(plant.crm.delivery_notes(number)) == [told], "sales read the unit they ordered in"
    assert plant.crm_order(number)[:2] == (sale["number"], "closed")
    assert len(plant.mail.letters(number)) == 1


def is_traceable(plant: Plant, number: str, shipment: str) -> None:
    """Any number of any system leads to the whole path, and every system's name of every document and line is known."""
    order = f"sales_order:crm:{number}"
    with plant.hub.ledger.transaction() as books:
        linked = {link.canonical_id for link in plant.hub.process(number).links}
        lines = {f"{order}#{line['line_no__c']}" for line in plant.crm.order(number)["lines"]}
        paths = [path_of(books, each) for each in (number, shipment, plant.erp.sales(number)[0]["number"])]
    assert all(path is not None and path["key"] == order for path in paths), paths
    known = plant.hub.systems_knowing(*linked, *lines)
    expected = {
        "sales_order": {"crm", "erp"}, "work_order": {"erp", "mes"}, "production_report": {"mes"},
        "receipt_notice": {"wms"}, "receipt": {"wms", "erp"}, "outbound_order": {"wms"},
        "shipment": {"wms", "erp", "crm"},
    }  # fmt: skip
    missing = {
        ref: systems - known.get(ref, set())
        for ref in linked | lines
        if (systems := expected.get(ref.partition(":")[0], set())) - known.get(ref, set())
    }
    assert not missing


async def test_o2d_00_order_to_delivery(plant: Plant) -> None:
    await plant.hub.settle()
    stock = {item: plant.erp.stock(item) for item in ("FG-100", "FG-200", "RM-001", "RM-002")}
    pieces = await plant.order(("FG-100", "10", "pcs"), settle=False)
    cartons = await plant.order(("FG-100", "2", "carton"), ("FG-200", "1", "carton"))
    sales = [sale["number"] for number in (pieces, cartons) for sale in plant.erp.sales(number)]
    assert [plant.crm_order(number)[:2] for number in (pieces, cartons)] == [(sale, "accepted") for sale in sales]
    first, second = await plant.make_and_ship(pieces, cartons)
    holds_once(plant, pieces, _10=("FG-100", 10, "pcs", 10))
    holds_once(plant, cartons, _10=("FG-100", 2, "carton", 8), _20=("FG-200", 1, "carton", 12))
    used = {item: before - plant.erp.stock(item) for item, before in stock.items()}
    assert used == {"FG-100": 0, "FG-200": 0, "RM-001": 18 * 2, "RM-002": 18 * 3 + 12}
    is_traceable(plant, pieces, first)
    is_traceable(plant, cartons, second)


async def test_systems_are_roles(tryton_plant: Plant) -> None:
    """The same flow, the same assertions: only the file wms.yaml and the connection it names are others."""
    plant = tryton_plant
    assert plant.hub.landscape.system("wms").product == "tryton_wms"
    stock = plant.erp.stock("FG-100")
    number = await plant.order(("FG-100", "2", "carton"), ("FG-200", "5", "pcs"))
    (shipment,) = await plant.make_and_ship(number)
    holds_once(plant, number, _10=("FG-100", 2, "carton", 8), _20=("FG-200", 5, "pcs", 5))
    assert plant.erp.stock("FG-100") == stock
    is_traceable(plant, number, shipment)


async def test_o2d_01_the_same_confirmation_seen_again_and_again(plant: Plant) -> None:
    number = await plant.order(("FG-200", "3", "pcs"))
    plant.crm.edit(number, remark="the same order, touched")
    await plant.hub.settle()
    for _ in range(2):
        await plant.hub.look_around(since=datetime.now(UTC) - timedelta(hours=1))
        await plant.hub.work()
    plant.warehouse.faults({"kind": "duplicate_callback", "copies": 2, "times": 2})
    await plant.make_and_ship(number)
    holds_once(plant, number, _10=("FG-200", 3, "pcs", 3))
    assert len(plant.hub.steps(number, "erp_order")) == 1
    assert [step.verdict["kind"] for step in plant.hub.steps(number, "change")] == ["none"]


async def test_o2d_02_answers_lost_after_the_erp_committed(plant: Plant) -> None:
    lost = len(plant.road.lost)
    created = await plant.order(("FG-200", "2", "pcs"), settle=False)
    other = await plant.order(("FG-200", "4", "pcs"), settle=False)
    plant.road.lose_answer_to("sale.sale.create", created)
    await plant.hub.settle()
    assert plant.road.lost[lost:] == [f"sale.sale.create {created}"]
    step = plant.hub.step(created, "erp_order")
    assert (step.state, len(plant.erp.sales(created))) == ("retrying", 1)
    plant.road.lose_answer_to("sale.sale.confirm")
    confirmed = await plant.order(("FG-200", "1", "pcs"))
    assert plant.hub.step(confirmed, "erp_order").state == "retrying"
    await plant.hub.later(30)
    plant.road.lose_answer_to("model.production.do")
    plant.road.lose_answer_to("stock.shipment.out.do")
    await plant.make_and_ship(created, other, confirmed)
    await plant.hub.later(60)
    assert len(plant.road.lost[lost:]) == 4
    for number, pieces in ((created, 2), (other, 4), (confirmed, 1)):
        holds_once(plant, number, _10=("FG-200", pieces, "pcs", pieces))
        assert plant.hub.parked(number) == []


async def test_o2d_02_answers_lost_after_the_others_committed(plant: Plant) -> None:
    plant.mes_desk.faults({"match": {"method": "work_order/_create"}, "kind": "reset_after"})
    plant.warehouse.faults(
        {"match": {"method": "putSalesOrder"}, "kind": "error_5xx_after"},
        {"match": {"method": "putASN"}, "kind": "timeout_after", "seconds": 0.2},
    )
    plant.crm_desk.faults({"match": {"method": "DeliveryNoteObj/create"}, "kind": "reset_after"})
    number = await plant.order(("FG-100", "3", "pcs"))
    await plant.hub.later()
    await plant.make(number)
    await plant.hub.later()
    for asn in plant.warehouse.open()["asns"]:
        if asn["asnReferenceA"] == plant.work_orders(number)[0]["code"]:
            plant.warehouse.receive(asn["docNo"])
    await plant.told()
    await plant.ship(number)
    await plant.hub.later()
    assert [rule["struck"] for rule in plant.warehouse.state()["faults"][-2:]] == [1, 1]
    assert plant.mes_desk.state()["faults"][-1]["struck"] == plant.crm_desk.state()["faults"][-1]["struck"] == 1
    holds_once(plant, number, _10=("FG-100", 3, "pcs", 3))
    states = [state for *_, state in plant.hub.writes(number)]
    assert sorted(set(states)) == ["confirmed", "resolved"]
    assert states.count("resolved") == 4


async def test_o2d_03_customer_unknown_in_the_erp_resumes_by_itself(plant: Plant, erp_person: TrytonClient) -> None:
    name, customer = "大连船舶厂", f"C-2{plant.stories:03d}"
    plant.crm.create("AccountObj", name=name, account_no=customer, email="ship@dalian.example")
    number = await plant.order(("FG-200", "2", "pcs"), customer=customer)
    other = await plant.order(("FG-200", "1", "pcs"))
    step = plant.hub.step(number, "erp_order")
    assert (step.state, step.awaited) == ("waiting_for", f"customer:crm:{customer}@erp")
    assert plant.erp.sales(number) == []
    assert plant.hub.step(other, "erp_order").state == "done"
    _add_party(erp_person, name, customer)
    await plant.hub.settle()
    await plant.make_and_ship(number)
    holds_once(plant, number, _10=("FG-200", 2, "pcs", 2))


async def test_o2d_04_item_unknown_in_the_erp_resumes_by_itself(plant: Plant, erp_person: TrytonClient) -> None:
    item = f"FG-3{plant.stories:02d}"
    plant.crm.create("ProductObj", name="减速机 C300", product_code=item, unit="pcs", product_status="1")
    number = await plant.order((item, "2", "pcs"))
    step = plant.hub.step(number, "erp_order")
    assert (step.state, step.awaited) == ("waiting_for", f"item:erp:{item}@erp")
    assert plant.erp.sales(number) == []
    assert plant.work_orders(number) == []
    _add_stock_item(erp_person, item)
    await plant.hub.settle()
    (sale,) = plant.erp.sales(number)
    assert sale["lines"] == {"10": (item, D(2), "u")}
    assert plant.crm_order(number)[:2] == (sale["number"], "accepted")


def _add_party(person: TrytonClient, name: str, number: str) -> None:
    """Somebody in accounting enters the customer."""
    (like,) = person.search("party.party", [["code", "=", "C-1001"]], "categories", "customer_payment_term")
    address = {"street_unstructured": "船厂路 9 号", "city": "大连"}
    person.call("party.party", "create", [{
        "name": name, "code": number, "customer_payment_term": like["customer_payment_term"],
        "identifiers": [["create", [{"code": number}]]], "addresses": [["create", [address]]],
        "categories": [["add", like["categories"]]],
    }])  # fmt: skip


def _add_stock_item(person: TrytonClient, number: str) -> None:
    """Somebody enters the item, as one that is bought and sold."""
    (like,) = person.search("product.template", [["code", "=", "RM-001"]], "name")
    (made,) = person.call("product.template", "copy", [like["id"]], {"code": number, "name": number})
    person.call("product.template", "write", [made], {"salable": True})
