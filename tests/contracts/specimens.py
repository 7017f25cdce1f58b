"""One example of everything a product can do, so that one suite can ask the same of all of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from include.plant.emulators.clients import EcologyPeople, FinancePeople, SeeyonPeople
from throughline.connectors.contract import Tier
from throughline.connectors.mechanisms.http.outgoing import Outgoing
from throughline.connectors.products.xieke_srm.signer import sign as srm_sign

Payload = Callable[[Any, str], dict[str, Any]]


@dataclass(frozen=True)
class Write:
    """One operation with an example payload for a number, and how the emulator counts what it made."""

    document: str
    operation: str
    payload: Payload
    counted: str
    method: str
    """the emulator's name of the call, for faults"""
    spoil: Callable[[dict[str, Any], str], None]
    """makes the payload name something that does not exist"""
    tier: Tier = Tier.T2
    last: str = ""
    """the call that completes it, where it takes several"""


@dataclass(frozen=True)
class Polled:
    """One kind of document that can be asked for changes, and how to make one more of it behind the counter."""

    document: str
    make: Callable[[Any, str], None]
    in_order: bool = True
    """whether it tells the oldest change first"""


@dataclass(frozen=True)
class Specimen:
    product: str
    role: str
    login: str
    extra: dict[str, Any] = field(default_factory=dict)
    creates: tuple[Write, ...] = ()
    polled: tuple[Polled, ...] = ()
    has_token: bool = True
    about: Callable[[Any], dict[str, Any]] = lambda _: {}
    """what the connection's extra learns from the running system"""


def crm_token(site: Any) -> str:
    answer = site.desk.post(
        "/oauth2.0/token?thirdTraceId=3f2b8c1e-8a5d-4b1e-9c3d-1f2e3d4c5b6a",
        json={"appId": "FSAID_plant", "appSecret": "the-plant-secret-for-contracts",
              "permanentCode": "plant-permanent-code", "grantType": "app_secret"},
    )  # fmt: skip
    return str(answer.json()["accessToken"])


def crm_call(site: Any, path: str, data: dict[str, Any], token: str = "") -> Any:
    """One call of the CRM's own API, as its own people's client makes it."""
    headers = {"authorization": f"Bearer {token or crm_token(site)}", "x-fs-ea": "huadong", "x-fs-userid": "1000"}
    answer = site.desk.post(f"/cgi/crm/v2/data/{path}", json={"data": data}, headers=headers).json()
    assert answer["errorCode"] == 0, answer
    return answer


def crm_key(site: Any, kind: str, field_name: str, value: str) -> str:
    filters = [{"field_name": field_name, "operator": "EQ", "field_values": [value]}]
    found = crm_call(site, "query", {"dataObjectApiName": kind, "search_query_info": {"limit": 1, "filters": filters}})
    return str(found["data"]["dataList"][0]["_id"])


def make_crm_order(site: Any, number: str) -> dict[str, Any]:
    line = {
        "product_id": crm_key(site, "ProductObj", "product_code", "FG-100"),
        "quantity": "10",
        "sales_price": "1.10",
    }
    order = {
        "dataObjectApiName": "SalesOrderObj", "name": number, "life_status": "normal",
        "account_id": crm_key(site, "AccountObj", "account_no", "C-1001"),
    }  # fmt: skip
    lines = [{**line, "line_no__c": "10"}, {**line, "line_no__c": "20"}]
    made: dict[str, Any] = crm_call(site, "create", {"object_data": order, "details": {"SalesOrderProductObj": lines}})
    return made


def copy_crm_order(site: Any, number: str, original: str) -> None:
    """Another order like one that is there, quickly: all of one burst share change stamps."""
    kept = site.__dict__.setdefault("kept_order", {})
    if kept.get("number") != original:
        token = crm_token(site)
        filters = [{"field_name": "name", "operator": "EQ", "field_values": [original]}]
        query = {"dataObjectApiName": "SalesOrderObj", "search_query_info": {"limit": 1, "filters": filters}}
        order = crm_call(site, "query", query, token)["data"]["dataList"][0]
        product = crm_key(site, "ProductObj", "product_code", "FG-100")
        kept.update(number=original, token=token, account=order["account_id"], product=product)
    order = {
        "dataObjectApiName": "SalesOrderObj",
        "name": number,
        "life_status": "normal",
        "account_id": kept["account"],
    }
    line = {"product_id": kept["product"], "quantity": "10", "sales_price": "1.10"}
    details = {"SalesOrderProductObj": [{**line, "line_no__c": "20"}, {**line, "line_no__c": "10"}]}
    crm_call(site, "create", {"object_data": order, "details": details}, kept["token"])


def make_mes_order(site: Any, number: str) -> None:
    token = site.desk.post(
        "/api/openapi/domain/api/v1/access_token/_get_access_token",
        json={"appKey": "cli_plant", "appSecret": "the-plant-secret-for-contracts"},
    ).json()["data"]["appAccessToken"]
    path = "/api/openapi/domain/web/v1/route/mfg/open/v1/work_order/_create"
    body = {"code": number, "materialCode": "FG-100", "plannedAmount": "5"}
    answer = site.desk.post(f"{path}?access_token={token}", json=body)
    assert answer.json()["code"] == 200, answer.text


def make_mes_report(site: Any, number: str) -> None:
    make_mes_order(site, number)
    site.act("report", code=number, good="2", scrap="1")


def asn(_: Any, number: str) -> dict[str, Any]:
    return {"docNo": number, "asnType": "FG", "asnReferenceA": "WO-1",
            "details": [{"lineNo": "1", "sku": "FG-100", "expectedQty": "4"}]}  # fmt: skip


def outbound(_: Any, number: str) -> dict[str, Any]:
    return {"docNo": number, "orderType": "SO", "soReferenceA": "SO-1", "consigneeId": "C-1001",
            "consigneeName": "青岛",
            "details": [{"lineNo": "1", "sku": "FG-100", "qtyOrdered": "4", "userDefine1": "10"}]}  # fmt: skip


def delivery_note(site: Any, number: str) -> dict[str, Any]:
    made = make_crm_order(site, f"SO-{uuid.uuid4().hex[:12]}")
    lines = [
        {"sales_order_product_id": line, "delivery_num": "4"} for line in made["detailIds"]["SalesOrderProductObj"]
    ]  # fmt: skip
    return {"name": f"DN-{number}", "sales_order_id": made["dataId"], "express_org": "SF", "lines": lines}


def spoil_sku(payload: dict[str, Any], thing: str) -> None:
    payload["details"][0]["sku"] = thing


def spoil_material(payload: dict[str, Any], thing: str) -> None:
    payload["materialCode"] = thing


def spoil_order(payload: dict[str, Any], thing: str) -> None:
    payload["sales_order_id"] = thing


def tick(site: Any) -> None:
    """A system that stamps by whole seconds: its clock stays behind ours, one second further for each document."""
    behind = site.__dict__.get("behind", -300) + 1
    site.__dict__["behind"] = behind
    site.act("settings", clock_offset_seconds=behind)


def weaver_form(_: Any, number: str) -> dict[str, Any]:
    main = {"djbh": number, "sqrgh": "HR-9000", "bz": "CNY", "sqrq": "2026-11-23", "sqje": "240.00"}
    row = {"xh": "10", "wlbm": "RM-001", "sl": "20", "dw": "pcs", "yjdj": "12.00", "gysbm": "V-2001"}
    return {"form": {"main": main, "dt1": [row]}}


def spoil_weaver(payload: dict[str, Any], thing: str) -> None:
    payload["form"]["dt1"][0]["wlbm"] = thing


def make_weaver_request(site: Any, number: str) -> None:
    tick(site)
    people = site.__dict__.get("oa_people")
    if people is None:
        people = site.__dict__["oa_people"] = EcologyPeople(site.host, secret="the-plant-secret-for-contracts")
    people.ask("wang", number, [{"item": "RM-001", "quantity": "20", "unit": "pcs", "price": "12.00"}])


def seeyon_form(_: Any, number: str) -> dict[str, Any]:
    row = {"行号": "10", "物料编码": "RM-001", "数量": "20", "单位": "pcs", "预计单价": "12.00"}
    return {"form": {"main": {"单据编号": number, "币种": "CNY"}, "rows": [row]}}


def spoil_seeyon(payload: dict[str, Any], thing: str) -> None:
    payload["form"]["rows"][0]["物料编码"] = thing


def make_seeyon_flow(site: Any, number: str) -> None:
    tick(site)
    people = SeeyonPeople(site.host, secret="the-plant-secret-for-contracts")
    people.ask("wang", number, [{"item": "RM-001", "quantity": "20", "unit": "pcs", "price": "12.00"}])
    people.close()


def pay_apply(_: Any, number: str) -> dict[str, Any]:
    return {"FBillNo": number, "FCONTACTUNIT": {"FNumber": "V-2001"}, "FCURRENCYID": {"FNumber": "PRE001"},
            "FPAYAMOUNTFOR_H": Decimal("271.20"), "F_TL_InvoiceNo": "AP000001", "F_TL_Instalment": "1"}  # fmt: skip


def spoil_supplier(payload: dict[str, Any], thing: str) -> None:
    payload["FCONTACTUNIT"] = {"FNumber": thing}


def finance(site: Any) -> FinancePeople:
    people = site.__dict__.get("finance_people")
    if people is None:
        people = site.__dict__["finance_people"] = FinancePeople(site.host, secret="the-plant-secret-for-contracts")
    return people


def make_invoice(site: Any, number: str) -> None:
    tick(site)
    line = {"item": "RM-001", "quantity": "20", "price": "12.00", "order": "PO-1", "order_line": 10}
    finance(site).key_in("V-2001", f"INV-{number}", [line], number=number)


def make_payment(site: Any, number: str) -> None:
    tick(site)
    finance(site).pay("PRQ-1", invoice="AP000001", amount="271.20", number=number)


def srm_order(_: Any, number: str) -> dict[str, Any]:
    line = {"poLineErpNo": "10", "itemCode": "RM-001", "qty": "20", "unit": "pcs", "price": "12.00",
            "deliveryDate": 1796054400000}  # fmt: skip
    return {"poErpNo": number, "innerVendorCode": "V-2001", "currency": "CNY", "poDate": 1795399200000, "lines": [line]}


def srm_requirement(_: Any, number: str) -> dict[str, Any]:
    line = {"poLineErpNo": "10", "itemCode": "RM-001", "qty": "184", "unit": "pcs", "innerVendorCode": "V-2001"}
    return {"prErpNo": number, "lines": [line]}


def spoil_vendor(payload: dict[str, Any], thing: str) -> None:
    (payload if "innerVendorCode" in payload else payload["lines"][0])["innerVendorCode"] = thing


def make_answer(site: Any, number: str) -> None:
    outgoing = Outgoing("POST", "/purchase/push.json", {}, {}, srm_order(site, number), "json")
    srm_sign(site.connection(), outgoing, datetime.now(UTC), {})
    assert site.desk.post(outgoing.path, json=outgoing.body).json()["result"] == 1
    site.act("answer", poErpNo=number)


FLUX_EXTRA = {
    "apptoken": "plant-wms-token", "customer_id": "HDJX", "warehouse_id": "WH01", "client_db": "FLUXWMSJSON",
}  # fmt: skip

SPECIMENS = (
    Specimen(
        "fxiaoke", "crm", "FSAID_plant",
        {"permanent_code": "plant-permanent-code", "ea": "huadong", "user_id": "1000"},
        creates=(Write("shipment", "create", delivery_note, "DeliveryNoteObj", "DeliveryNoteObj/create", spoil_order),),
        polled=(Polled("sales_order", make_crm_order),),
    ),
    Specimen(
        "black_lake", "mes", "cli_plant",
        creates=(
            Write("work_order", "create",
                  lambda _, number: {"code": number, "materialCode": "FG-100", "plannedAmount": "10", "unit": "pcs"},
                  "work_order", "work_order/_create", spoil_material),
        ),
        polled=(Polled("work_order", make_mes_order), Polled("production_report", make_mes_report)),
    ),
    Specimen(
        "flux", "wms", "plant-wms-key", FLUX_EXTRA, has_token=False,
        creates=(
            Write("receipt_notice", "create", asn, "asn", "putASN", spoil_sku),
            Write("outbound_order", "create", outbound, "outbound_order", "putSalesOrder", spoil_sku),
        ),
    ),
    Specimen(
        "weaver_ecology", "oa", "plant-oa-app",
        {"user_id": "90", "workflow_id": "781", "detail_table": "formtable_main_1356_dt1"},
        creates=(
            Write("purchase_requisition", "create", weaver_form, "request", "doCreateRequest", spoil_weaver, Tier.T3),
        ),
        polled=(Polled("purchase_requisition", make_weaver_request, in_order=False),),
        about=lambda site: {"spk": site.act("register")["spk"]},
    ),
    Specimen(
        "seeyon", "oa", "rest-hub",
        {"login_name": "hub", "template_code": "PR_001", "form_main": "formmain_0018", "form_son": "formson_0019"},
        creates=(
            Write("purchase_requisition", "create", seeyon_form, "request", "bpm/process/start", spoil_seeyon, Tier.T3),
        ),
        polled=(Polled("purchase_requisition", make_seeyon_flow, in_order=False),),
    ),
    Specimen(
        "kingdee_cloud", "finance", "plant_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        {"acct_id": "acct0000000001", "user_name": "hub"}, has_token=False,
        creates=(Write("payment_request", "create", pay_apply, "CN_PAYAPPLY", "CN_PAYAPPLY/Save", spoil_supplier,
                  last="CN_PAYAPPLY/Audit"),),
        polled=(
            Polled("purchase_invoice", make_invoice, in_order=False),
            Polled("payment", make_payment, in_order=False),
        ),
    ),
    Specimen(
        "xieke_srm", "srm", "plant-srm-key", {"company_code": "HDJX", "erp_code": "ERP"}, has_token=False,
        creates=(
            Write("purchase_order", "create", srm_order, "order", "purchase/push", spoil_vendor),
            Write("purchase_requisition", "create", srm_requirement, "requirement", "requirement/push", spoil_vendor),
        ),
        polled=(Polled("supplier_confirmation", make_answer),),
    ),
)  # fmt: skip
