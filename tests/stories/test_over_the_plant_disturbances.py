"""What goes wrong between real systems: said clearly, lost nowhere, held against nobody else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from include.plant.emulators.flux_signature import sign
from tests.stories.living_plant import FLOW, Plant, amounts
from throughline.errors import Misconfigured

pytestmark = pytest.mark.plant
D = Decimal


@pytest.fixture
def plant(flux_plant: Plant) -> Plant:
    return flux_plant


def callback(plant: Plant, method: str, data: str, secret: str | None = None) -> httpx.Response:
    """A message to the hub's own door, signed as the warehouse would."""
    wms = plant.hub.connections["wms"]
    now = datetime.now(ZoneInfo("Asia/Shanghai"))
    form = {
        "method": method, "client_customerid": "HDJX", "client_db": "FLUXWMSJSON", "messageid": "SOC",
        "apptoken": wms.extra["apptoken"], "appkey": wms.login, "format": "json",
        "timestamp": f"{now:%Y-%m-%d %H:%M:%S}", "sign": sign(secret or wms.password, data), "data": data,
    }  # fmt: skip
    return httpx.post(plant.inbound, data=form)


async def finished(plant: Plant, number: str, pieces: int, *, letters: int = 1) -> None:
    assert plant.hub.state(number) == "finished", plant.hub.unsettled(number)
    assert len(plant.erp.sales(number)) == 1
    assert plant.erp.productions(number) == [("done", pieces)]
    assert plant.erp.deliveries(number) == [("done", pieces)]
    assert amounts(plant.crm.delivery_notes(number)) == [[f"{pieces} pcs"]]
    assert len(plant.work_orders(number)) == 1
    assert len(plant.mail.letters(number)) == letters


async def test_o2d_24_the_customer_hears_once_whatever_is_replayed(plant: Plant) -> None:
    number = await plant.order(("FG-200", "2", "pcs"))
    (shipment,) = await plant.make_and_ship(number)
    told = next(each for each in plant.warehouse.documents("shipment") if each["DeliveryNo"] == shipment)
    place = {"WarehouseID": "WH01", "CustomerID": "HDJX"}
    message = json.dumps({"xmldata": {"data": [{k: v for k, v in told.items() if k[0] != "_"} | place]}})
    assert callback(plant, "confirmSOData", message).json()["Response"]["return"]["returnFlag"] == "1"
    plant.hub.engine.replay(keys=[f"sales_order:crm:{number}"], by="story")
    await plant.hub.look_around(since=datetime.now(UTC) - timedelta(days=2))
    await plant.hub.later(3600)
    await finished(plant, number, 2)
    (letter,) = plant.mail.letters(number)
    assert letter["To"] == "buyer@qingdao-heavy.example"
    assert shipment in letter["Subject"]


async def test_a_forged_or_broken_message_is_refused_and_the_true_one_follows(plant: Plant) -> None:
    number = await plant.order(("FG-200", "2", "pcs"))
    plant.warehouse.faults(
        {"kind": "bad_signature_callback", "match": {"method": "confirmASNData"}},
        {"kind": "malformed_callback", "match": {"method": "confirmSOData"}},
    )
    await plant.make_and_ship(number)
    forged, broken = [each for each in plant.callbacks("accepted") if each["attempts"] > 1][-2:]
    assert (forged["method"], broken["method"]) == ("confirmASNData", "confirmSOData")
    assert "the signature does not fit the data" in forged["answer"]
    assert "not JSON" in broken["answer"]
    await finished(plant, number, 2)


async def test_messages_nobody_can_use_spare_their_neighbours(plant: Plant) -> None:
    good = await plant.order(("FG-200", "2", "pcs"))
    forged = callback(plant, "confirmSOData", "{}", secret="somebody else's")
    assert (forged.status_code, forged.json()["Response"]["return"]["returnFlag"]) == (401, "0")
    senseless = {"DeliveryNo": f"DL-X-{good}", "OMSOrderNo": f"OB-{good}", "item": "nothing"}
    for data in ('{"xmldata": {"data": [', '{"xmldata": {}}', json.dumps({"xmldata": {"data": [senseless]}})):
        answer = callback(plant, "confirmSOData", data)
        assert answer.status_code in (200, 400), answer.text
        assert "Traceback" not in answer.text
    await plant.make_and_ship(good)
    await finished(plant, good, 2)
    with plant.hub.ledger.transaction() as books:
        unusable = [case for case in books.parked.open(role="wms") if f"DL-X-{good}" in str(case.subject)]
        noted = [line for line in books.audit.lines(limit=100_000) if line.action == "unreadable"]
    assert unusable or noted, "what was taken and cannot be used is shown to people"


async def test_the_mes_is_down_for_a_while(plant: Plant) -> None:
    shipping = await plant.order(("FG-200", "2", "pcs"))
    for report in await plant.make(shipping):
        plant.warehouse.receive(f"RN-{report}")
    plant.mes_desk.faults({"kind": "error_5xx", "times": None})
    waiting = [await plant.order(("FG-200", str(pieces), "pcs"), settle=False) for pieces in (1, 2, 3)]
    await plant.told()
    assert plant.hub.problems, "a capture that fails says so"
    assert all("mes" in str(problem) for problem in plant.hub.problems)
    await plant.ship(shipping)
    await finished(plant, shipping, 2)
    for number in waiting:
        step = plant.hub.step(number, "mes_work_order")
        assert step.state == "retrying"
        assert "mes" in str(step.error)
        assert plant.crm_order(number)[1] == "accepted"
    await plant.hub.later(30)
    assert plant.work_orders(waiting[0]) == []
    plant.mes_desk.no_faults()
    await plant.hub.later(600)
    for number, pieces in zip(waiting, (1, 2, 3), strict=True):
        assert [D(order["plannedAmount"]) for order in plant.work_orders(number)] == [pieces]
        assert plant.hub.parked(number) == []
    await plant.make_and_ship(*waiting)
    for number, pieces in zip(waiting, (1, 2, 3), strict=True):
        await finished(plant, number, pieces)


async def test_a_wrong_erp_password_stops_the_erp_and_nobody_else(plant: Plant) -> None:
    begun = await plant.order(("FG-200", "2", "pcs"))
    mistaken = plant.hub.with_connection("erp", password="not-the-password-2026")
    plant.hub, right = mistaken, plant.hub
    try:
        fresh = await plant.order(("FG-200", "3", "pcs"), settle=False)
        work_order = plant.work_orders(begun)[0]["code"]
        plant.mes.report(work_order, "2")
        with pytest.raises(Misconfigured, match="check login and password"):
            await plant.hub.engine.capture("erp", "item")
        # whatever asks the ERP from now on is told so at once: a second wrong login would only harm the account
        await plant.hub.look_around()
        told = plant.hub.problems
        assert told
        assert all("erp does not let us log in" in str(problem) for problem in told)
        await plant.hub.work()
        assert isinstance(plant.hub.problems[-1], Misconfigured)
        step = plant.hub.step(fresh, "erp_order")
        assert step.state == "retrying"
        assert "check login and password" in str(step.error)
        assert "not-the-password" not in str(step) + str(plant.hub.problems)
        assert plant.hub.steps(begun, "wms_receipt_notice")[0].state == "done"
    finally:
        plant.hub = right
    await plant.hub.later(600)
    assert plant.hub.problems == []
    plant.warehouse.receive(f"RN-{plant.mes.reports(work_order)[0]['code']}")
    await plant.make_and_ship(begun, fresh)
    await finished(plant, begun, 2)
    await finished(plant, fresh, 3)


async def test_the_audit_of_the_whole_run_is_unbroken(plant: Plant) -> None:
    """Every effect of every story has exactly one entry, and nobody's history was rewritten."""
    with plant.hub.ledger.transaction() as books:
        assert books.audit.broken_at() is None
        lines: list[Any] = books.audit.lines(limit=100_000)
        processes = books.processes.list(flow=FLOW, limit=1000)
        rows = books.deliveries.of([state.process.id for state in processes])
    carried = [line.details["effect"] for line in lines if line.details and "effect" in line.details]
    assert sorted(carried) == sorted(row.effect_key for row in rows if row.state in ("confirmed", "resolved"))
