"""The real tables, through the real connectors, with the emulated systems of the plant: what they tell we can read,
what we write they take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from include.plant.emulators.crm_people import CrmPeople
from tests.contracts.conftest import SECRET, Site, start_site  # noqa: F401  # the fixture is used by its name
from tests.contracts.specimens import SPECIMENS, Specimen
from tests.unit.mapping.conftest import Everybody
from throughline.canonical import (
    Address,
    CanonicalDocument,
    OrderUpdate,
    OutboundOrder,
    OutboundOrderLine,
    ProductionReport,
    Quantity,
    Receipt,
    ReceiptNotice,
    ReceiptNoticeLine,
    SalesOrder,
    Shipment,
    StockLevel,
    WorkOrder,
)
from throughline.connectors.contract import Captured, Carried
from throughline.mapping import Translator

ITEM = "item:erp:FG-100"
Started = Callable[[Specimen], Site]


class Partner:
    """One system of the plant, spoken to in canonical words only."""

    def __init__(self, site: Site, translator: Translator, registry: Everybody) -> None:
        self.site, self.product, self.role = site, site.specimen.product, site.specimen.role
        self._translator, self._registry = translator, registry

    async def tells(self, kind: str) -> dict[str, CanonicalDocument]:
        found: dict[str, CanonicalDocument] = {}
        async with self.site.connector() as connector:
            async for page in connector.changes(kind, None):
                found |= {told.number: told for told in map(self.understood, page.records)}
                if not page.records:
                    break
        return found

    def understood(self, record: Captured) -> CanonicalDocument:
        for one in self._translator.read_identities(self.product, self.role, record.document, record.raw):
            self._registry.know(self.role, one.kind, one.their_id, one.canonical_id)
        return self._translator.read(self.product, self.role, record.document, record.raw)

    async def takes(self, doc: CanonicalDocument, operation: str = "create") -> Carried:
        payload = self._translator.write(self.product, self.role, doc.kind, doc, operation=operation)
        async with self.site.connector() as connector:
            return await connector.send(
                doc.kind, operation, payload, reference=doc.number, key=f"{doc.number}{operation}"
            )


@pytest.fixture
def partner(start_site: Started, translator: Translator, registry: Everybody) -> Callable[[str], Partner]:  # noqa: F811
    def meet(product: str) -> Partner:
        (specimen,) = (one for one in SPECIMENS if one.product == product)
        return Partner(start_site(specimen), translator, registry)

    return meet


def pcs(value: str, unit: str = "pcs") -> Quantity:
    return Quantity(value=Decimal(value), unit=unit)


async def test_the_crm(partner: Callable[[str], Partner]) -> None:
    crm = partner("fxiaoke")
    assert {"C-1001", "C-1002", "C-1003"} <= set(await crm.tells("customer"))
    assert {"FG-100", "RM-001"} <= set(await crm.tells("item"))
    people = CrmPeople(crm.site.host, secret=SECRET)
    wish = [
        {"item": "FG-100", "quantity": "10", "unit": "carton", "price": "1200.00"},
        {"item": "FG-200", "quantity": "3"},
    ]
    people.place_order("C-1001", wish, "MAP-SO-1", ship_to_add="港口路 1 号", customer_po__c="4500012345")
    order = (await crm.tells("sales_order"))["MAP-SO-1"]
    assert isinstance(order, SalesOrder)
    assert (order.customer, order.status, order.ship_to) == (
        "customer:crm:C-1001",
        "confirmed",
        Address(street="港口路 1 号"),
    )
    assert [(line.line, line.item, line.quantity) for line in order.lines] == [
        ("10", ITEM, pcs("10", "carton")), ("20", "item:erp:FG-200", pcs("3"))
    ]  # fmt: skip

    news = OrderUpdate(number="MAP-SO-1-accepted", status="accepted", order="sales_order:crm:MAP-SO-1", erp_number="7",
                       message="Accepted / 已接受")  # fmt: skip
    await crm.takes(news)
    told = people.order("MAP-SO-1")
    assert (told["erp_order_no__c"], told["hub_status__c"], told["hub_message__c"]) == ("7", "accepted", news.message)

    shipment = Shipment.model_validate({
        "number": "MAP-DL-1", "status": "shipped", "outbound": "outbound_order:hub:OB-1", "carrier": "sf_express",
        "order": "sales_order:crm:MAP-SO-1", "tracking_number": "SF7", "shipped_at": "2026-11-23T10:00:00+08:00",
        "lines": [{"line": "10", "outbound_line": "sales_order:crm:MAP-SO-1#10", "item": ITEM, "quantity": pcs("8")}],
    })  # fmt: skip
    await crm.takes(shipment)
    (note,) = people.delivery_notes("MAP-SO-1")
    assert (note["name"], note["express_org"], note["hub_reference__c"]) == ("MAP-DL-1", "SF", "MAP-DL-1")
    assert [(line["sales_order_product_id"], line["delivery_num"]) for line in note["lines"]] == [
        (told["lines"][0]["_id"], "8")
    ]
    people.close()


async def test_the_shop_floor(partner: Callable[[str], Partner]) -> None:
    mes = partner("black_lake")
    order = WorkOrder(number="MAP-WO-1", order_line="sales_order:crm:SO-1#10", item=ITEM, quantity=pcs("10", "carton"),
                      planned_on=date(2026, 12, 1))  # fmt: skip
    extra = order.model_copy(update={"number": "MAP-WO-2", "supplements": "work_order:erp:MAP-WO-1"})
    assert (await mes.takes(order)).number == "MAP-WO-1"
    await mes.takes(extra)
    await mes.takes(extra.model_copy(update={"quantity": pcs("12")}), "change")
    mes.site.act("report", code="MAP-WO-1", good="8", scrap="2", finished=False)
    await mes.takes(order, "close")
    told = await mes.tells("work_order")
    assert told["MAP-WO-1"] == order.model_copy(
        update={"status": "closed", "quantity": pcs("40"), "good": pcs("8"), "scrap": pcs("2")}
    )
    assert told["MAP-WO-2"] == extra.model_copy(
        update={"status": "planned", "quantity": pcs("12"), "good": pcs("0"), "scrap": pcs("0")}
    )
    await mes.takes(extra, "cancel")
    assert (await mes.tells("work_order"))["MAP-WO-2"].status == "cancelled"
    (report,) = [one for one in (await mes.tells("production_report")).values() if _of(one, "MAP-WO-1")]
    assert isinstance(report, ProductionReport)
    assert (report.good, report.scrap, report.final, report.item) == (pcs("8"), pcs("2"), False, ITEM)


def _of(report: CanonicalDocument, work_order: str) -> bool:
    return isinstance(report, ProductionReport) and report.work_order == f"work_order:erp:{work_order}"


async def test_the_warehouse(partner: Callable[[str], Partner]) -> None:
    wms = partner("flux")
    notice = ReceiptNotice(number="MAP-RN-1", work_order="work_order:erp:MAP-WO-1", report="production_report:mes:PR-1",
                           lines=(ReceiptNoticeLine(line="1", item=ITEM, quantity=pcs("8")),))  # fmt: skip
    await wms.takes(notice)
    await wms.takes(notice.model_copy(update={"number": "MAP-RN-2"}))
    await wms.takes(notice.model_copy(update={"number": "MAP-RN-2"}), "cancel")
    wms.site.act("receive", docNo="MAP-RN-1")
    receipt = wms.understood(_told(wms, "receipt", "docNo", "MAP-RN-1", "WMSReceiptNo"))
    assert isinstance(receipt, Receipt)
    assert (receipt.notice, [line.quantity for line in receipt.lines]) == ("receipt_notice:hub:MAP-RN-1", [pcs("8")])
    assert (await wms.tells("stock_level"))["FG-100"] == StockLevel(
        number="FG-100", item=ITEM, site="WH01", on_hand=pcs("8"), available=pcs("8")
    )

    line = OutboundOrderLine(line="10", order_line="sales_order:crm:SO-1#10", item=ITEM, quantity=pcs("3", "carton"))
    order = OutboundOrder(number="MAP-OB-1", order="sales_order:crm:SO-1", customer_name="青岛重工集团（总部）",
                          ship_to=Address(recipient="王工", street="港口路 1 号"), lines=(line,))  # fmt: skip
    await wms.takes(order)
    await wms.takes(order.model_copy(update={"lines": (line.model_copy(update={"quantity": pcs("8")}),)}), "change")
    wms.site.act("ship", docNo="MAP-OB-1")
    shipment = wms.understood(_told(wms, "shipment", "OMSOrderNo", "MAP-OB-1", "DeliveryNo"))
    assert isinstance(shipment, Shipment)
    assert (shipment.outbound, shipment.last) == ("outbound_order:hub:MAP-OB-1", True)
    assert [(one.outbound_line, one.quantity) for one in shipment.lines] == [
        ("outbound_order:hub:MAP-OB-1#10", pcs("8"))
    ]
    await wms.takes(order.model_copy(update={"number": "MAP-OB-2"}))
    await wms.takes(order.model_copy(update={"number": "MAP-OB-2"}), "cancel")


def _told(wms: Partner, kind: str, field: str, number: str, key: str) -> Captured:
    """What the warehouse would call back with."""
    kept: list[dict[str, Any]] = wms.site.desk.get("/_plant/state", params={"kind": kind}).json()["documents"][kind]
    (raw,) = (found for found in kept if found.get(field) == number)
    return Captured(document=kind, their_id=str(raw[key]), raw=raw)
