"""Each product's tables against records exactly as they come and go over the wire."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.mapping.conftest import Everybody
from throughline.canonical import (
    Address,
    Customer,
    Item,
    Notice,
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
    ShipmentLine,
    StockLevel,
    WorkOrder,
)
from throughline.errors import Invalid
from throughline.mapping import Translator

ITEM = "item:erp:FG-100"


def pcs(value: str, unit: str = "pcs") -> Quantity:
    return Quantity(value=Decimal(value), unit=unit)


def test_fxiaoke_account(translator: Translator) -> None:
    raw = {
        "_id": "65f01", "name": "青岛重工集团 ", "account_no": "C-1001", "tax_number__c": "91370200MA3C000015",
        "email": "buyer@qingdao-heavy.example", "address": {"country": "CN", "city": "青岛", "address": "港口路 1 号"},
        "life_status": "normal", "last_modified_time": 1763900000000,
    }  # fmt: skip
    assert translator.read("fxiaoke", "crm", "customer", raw) == Customer(
        number="C-1001", status="active", name="青岛重工集团", tax_number="91370200MA3C000015",
        email="buyer@qingdao-heavy.example", address=Address(street="港口路 1 号", city="青岛", country="CN"),
    )  # fmt: skip
    assert translator.read("fxiaoke", "crm", "customer", {**raw, "address": None}).model_dump()["address"] is None
    with pytest.raises(Invalid, match=r"address.street \(their address.address\): '港口路' is not a record"):
        translator.read("fxiaoke", "crm", "customer", {**raw, "address": "港口路"})


def test_fxiaoke_product_is_the_erps_item(translator: Translator) -> None:
    raw = {"_id": "p9", "name": "减速机 A100", "product_code": "FG-100", "unit": "件", "product_status": "1"}
    item = translator.read("fxiaoke", "crm", "item", raw)
    assert item == Item(number="FG-100", status="active", name="减速机 A100", unit="pcs")
    assert translator.canonical_id(item) == ITEM
    assert [one.canonical_id for one in translator.read_identities("fxiaoke", "crm", "item", raw)] == [ITEM]


def test_fxiaoke_order(translator: Translator, registry: Everybody) -> None:
    registry.know("crm", "customer", "a1", "customer:crm:C-1001")
    registry.know("crm", "item", "p9", ITEM)
    line = {"_id": "l1", "order_id": "o1", "line_no__c": "10", "product_id": "p9", "product_id__r": "减速机 A100",
            "quantity": "10", "unit__c": "carton", "sales_price": "1200.00", "delivery_date": 1796054400000,
            "life_status": "normal"}  # fmt: skip
    raw: dict[str, Any] = {
        "_id": "o1", "name": "SO-1", "account_id": "a1", "account_id__r": "青岛重工集团", "order_time": 1763900000000,
        "delivery_date": 1796054400000, "life_status": "in_change", "order_status": "confirmed", "mc_currency": "CNY",
        "order_amount": "12000.00", "customer_po__c": "4500012345", "ship_to_id__r": "王工", "ship_to_tel": "0532-1",
        "ship_to_add": "港口路 1 号", "contact_email__c": "buyer@qingdao-heavy.example", "remark": None, "version": "3",
        "lines": [line],
    }  # fmt: skip
    order = translator.read("fxiaoke", "crm", "sales_order", raw)
    assert isinstance(order, SalesOrder)
    assert (order.number, order.status, order.customer) == ("SO-1", "confirmed", "customer:crm:C-1001")
    assert order.ordered_at == datetime(2025, 11, 23, 12, 13, 20, tzinfo=UTC)
    assert order.requested_on == date(2026, 12, 1)
    assert order.ship_to == Address(recipient="王工", phone="0532-1", street="港口路 1 号")
    (found,) = order.lines
    assert (found.line, found.item, found.quantity) == ("10", ITEM, pcs("10", "carton"))
    assert found.unit_price is not None
    assert (str(found.unit_price.amount), found.unit_price.currency) == ("1200.00", "CNY")


def test_fxiaoke_order_update(translator: Translator, registry: Everybody) -> None:
    registry.know("crm", "sales_order", "o1", "sales_order:crm:SO-1")
    update = OrderUpdate(number="SO-1-accepted", status="accepted", order="sales_order:crm:SO-1", erp_number="S-7",
                         message="Accepted. / ERP 已接受")  # fmt: skip
    assert translator.write("fxiaoke", "crm", "order_update", update) == {
        "_id": "o1", "erp_order_no__c": "S-7", "hub_status__c": "accepted", "hub_message__c": "Accepted. / ERP 已接受"
    }  # fmt: skip
    with pytest.raises(Invalid, match="has 101 characters and there is room for 100"):
        translator.write("fxiaoke", "crm", "order_update", update.model_copy(update={"erp_number": "x" * 101}))


def test_fxiaoke_delivery_note(translator: Translator, registry: Everybody) -> None:
    registry.know("crm", "sales_order", "o1", "sales_order:crm:SO-1")
    registry.know("crm", "sales_order.line", "l1", "sales_order:crm:SO-1#10")
    registry.know("crm", "item", "p9", ITEM)
    line = ShipmentLine(line="10", outbound_line="sales_order:crm:SO-1#10", item=ITEM, quantity=pcs("2", "carton"))
    shipment = Shipment(
        number="DL00000001", status="shipped", outbound="outbound_order:hub:OB-SO-1", order="sales_order:crm:SO-1",
        carrier="sf_express", tracking_number="SF7", shipped_at=datetime(2026, 11, 23, 2, tzinfo=UTC), lines=(line,),
    )  # fmt: skip
    assert translator.write("fxiaoke", "crm", "shipment", shipment) == {
        "name": "DL00000001", "sales_order_id": "o1", "express_org": "SF", "express_order_id": "SF7",
        "delivery_date": 1795399200000,
        "lines": [{"sales_order_product_id": "l1", "product_id": "p9", "unit__c": "carton", "delivery_num": "2"}],
    }  # fmt: skip
    elsewhere = line.model_copy(update={"outbound_line": "outbound_order:hub:OB-SO-1#10"})
    with pytest.raises(Invalid, match=r"lines\[0\].outbound_line .* does not name a sales_order.line"):
        translator.write("fxiaoke", "crm", "shipment", shipment.model_copy(update={"lines": (elsewhere,)}))


def test_black_lake_work_order(translator: Translator) -> None:
    order = WorkOrder(number="WO-1-S1", order_line="sales_order:crm:SO-1#10", item=ITEM, quantity=pcs("2.5", "carton"),
                      planned_on=date(2026, 12, 1), supplements="work_order:erp:WO-1")  # fmt: skip
    payload = translator.write("black_lake", "mes", "work_order", order)
    assert payload == {
        "code": "WO-1-S1", "materialCode": "FG-100", "plannedAmount": "10", "unit": "pcs",
        "plannedFinishTime": 1796054400000, "customFields": {"orderLine": "SO-1#10", "supplements": "WO-1"},
    }  # fmt: skip
    write = lambda operation: translator.write("black_lake", "mes", "work_order", order, operation=operation)  # noqa: E731
    assert write("change") == {"code": "WO-1-S1", "plannedAmount": "10", "unit": "pcs"}
    assert write("cancel")["code"] == write("close")["code"] == "WO-1-S1"
    assert set(write("cancel")) == set(write("close")) == {"code", "reason"}
    told = {**payload, "id": "1763900000000000001", "status": 3, "qualifiedAmount": "4", "updatedAt": 1763900000000}
    assert translator.read("black_lake", "mes", "work_order", told) == order.model_copy(
        update={"status": "in_production", "quantity": pcs("10"), "good": pcs("4")}
    )


def test_black_lake_report(translator: Translator) -> None:
    raw = {"id": "1763900000000000002", "code": "PR-000001", "workOrderCode": "WO-1", "materialCode": "FG-100",
           "qualifiedAmount": "8", "unqualifiedAmount": "2", "unit": "pcs", "finished": True, "status": 1,
           "reportedAt": 1763900000000, "updatedAt": 1763900000000}  # fmt: skip
    report = translator.read("black_lake", "mes", "production_report", raw)
    assert report == ProductionReport(
        number="PR-000001", status="reported", work_order="work_order:erp:WO-1", item=ITEM, good=pcs("8"),
        scrap=pcs("2"), final=True, reported_at=datetime(2025, 11, 23, 12, 13, 20, tzinfo=UTC),
    )  # fmt: skip
    with pytest.raises(Invalid, match="'True' is not in the values"):
        translator.read("black_lake", "mes", "production_report", {**raw, "status": True})


def test_flux_announcement_and_receipt(translator: Translator) -> None:
    notice = ReceiptNotice(
        number="RN-PR-1", work_order="work_order:erp:WO-1", report="production_report:mes:PR-1",
        lines=(ReceiptNoticeLine(line="1", item=ITEM, quantity=pcs("8")),),
    )  # fmt: skip
    assert translator.write("flux", "wms", "receipt_notice", notice) == {
        "asnType": "FG", "docNo": "RN-PR-1", "asnReferenceA": "WO-1", "asnReferenceB": "PR-1",
        "details": [{"lineNo": "1", "sku": "FG-100", "expectedQty": "8"}],
    }  # fmt: skip
    assert translator.write("flux", "wms", "receipt_notice", notice, operation="cancel")["docNo"] == "RN-PR-1"
    raw = {"docNo": "RN-PR-1", "WMSReceiptNo": "RC00000001", "receivedTime": "2026-11-23 10:00:00", "status": "99",
           "details": [{"lineNo": "1", "sku": "FG-100", "receivedQty": "8", "lotAtt04": "", "userDefine1": ""}],
           "warehouseId": "WH01", "customerId": "HDJX"}  # fmt: skip
    receipt = translator.read("flux", "wms", "receipt", raw)
    assert isinstance(receipt, Receipt)
    assert (receipt.notice, receipt.status) == ("receipt_notice:hub:RN-PR-1", "received")
    assert receipt.received_at == datetime(2026, 11, 23, 2, tzinfo=UTC)
    assert (receipt.lines[0].quantity, receipt.lines[0].lot) == (pcs("8"), None)


def test_flux_order_and_shipment(translator: Translator) -> None:
    order = OutboundOrder(
        number="OB-SO-1", order="sales_order:crm:SO-1", customer_name="青岛重工集团（总部）",
        requested_on=date(2026, 12, 1),
        ship_to=Address(recipient="王工", phone="0532-1", street="港口路 1 号", city="青岛", country="CN"),
        lines=(OutboundOrderLine(line="10", order_line="sales_order:crm:SO-1#10", item=ITEM,
                                 quantity=pcs("10", "carton")),),
    )  # fmt: skip
    assert translator.write("flux", "wms", "outbound_order", order) == {
        "orderType": "SO", "docNo": "OB-SO-1", "soReferenceA": "SO-1", "consigneeName": "青岛重工集团（总部）",
        "consigneeContact": "王工", "consigneeTel1": "0532-1", "consigneeAddress1": "港口路 1 号",
        "consigneeCity": "青岛", "consigneeCountry": "CN", "expectedShipmentTime1": "2026-12-01 00:00:00",
        "details": [{"lineNo": "10", "sku": "FG-100", "qtyOrdered": "40", "userDefine1": "SO-1#10"}],
    }  # fmt: skip
    raw = {"OMSOrderNo": "OB-SO-1", "WMSOrderNo": "SO00000001", "DeliveryNo": "DL00000001", "OrderType": "SO",
           "CarrierId": "YTO", "CarrierName": "圆通", "TrackingNo": "YTO7", "Weight": "60.0",
           "shippedTime": "2026-11-23 10:00:00", "lastShipment": "N",
           "item": [{"lineNo": "10", "sku": "FG-100", "QtyShipped": "40", "lotAtt04": "L1"}]}  # fmt: skip
    shipment = translator.read("flux", "wms", "shipment", raw)
    assert isinstance(shipment, Shipment)
    assert (shipment.outbound, shipment.last, shipment.status) == ("outbound_order:hub:OB-SO-1", False, "shipped")
    assert shipment.carrier == "YTO", "the list of carriers is open: one that is not listed keeps its name"
    assert shipment.lines[0].outbound_line == "outbound_order:hub:OB-SO-1#10"
    with pytest.raises(Invalid, match=r"field last \(their lastShipment\): 'yes' is not in the values"):
        translator.read("flux", "wms", "shipment", {**raw, "lastShipment": "yes"})


def test_flux_stock(translator: Translator) -> None:
    raw = {"sku": "FG-100", "qty": "120", "qtyAllocated": "20", "qtyAvailable": "100"}
    level = translator.read("flux", "wms", "stock_level", raw)
    assert level == StockLevel(number="FG-100", item=ITEM, site="WH01", on_hand=pcs("120"), available=pcs("100"))


def test_smtp_notice(translator: Translator) -> None:
    notice = Notice(number="n", about="sales_order:crm:SO-1", recipient="a@b.example", subject="发货 Shipment",
                    body="第一行\n第二行\n")  # fmt: skip
    assert translator.write("smtp", "mail", "notice", notice) == {
        "to": "a@b.example", "subject": "发货 Shipment", "text": "第一行\n第二行\n", "about": "sales_order:crm:SO-1"
    }  # fmt: skip
    for field in ("subject", "recipient"):
        with pytest.raises(Invalid, match=f"field {field} "):
            translator.write("smtp", "mail", "notice", notice.model_copy(update={field: "x\r\nBcc: y@z.example"}))
