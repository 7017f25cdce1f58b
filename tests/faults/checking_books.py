"""The books of all systems agree at the end: documents, amounts to the last digit, texts to the last character."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from tests.faults.checking_case import Case, Entry, base, item_of
from tests.faults.checking_effects import substance, substance_of_erp

SHANGHAI = timezone(timedelta(hours=8))


def erp_orders(case: Case) -> dict[str, Entry]:
    """Every order as the ERP has it at the end."""
    held: dict[str, Entry] = {}
    for effect in case.effects_of("erp", "sales_order"):
        held[effect["reference"]] = {**held.get(effect["reference"], {}), **effect["data"]}
    return held


def books_agree(case: Case) -> Iterator[str]:
    """I4: the ERP has the newest revision, or sales (or a letter) was told why not, or somebody is asked."""
    for number, data in erp_orders(case).items():
        revisions = case.orders[number]
        fits = [n for n, body in enumerate(revisions) if substance(body) == substance_of_erp(data)]
        if not fits:
            yield f"the ERP's {number} is no revision the order ever had"
        elif case.was_cancelled(number):
            yield from _cancellation_is_settled(case, number)
        elif fits[-1] < len(revisions) - 1 and not _told_why(case, number):
            yield f"the ERP's {number} stands at revision {fits[-1] + 1} of {len(revisions)}, and nobody is told"


def _told_why(case: Case, number: str) -> bool:
    refused = any(
        effect["reference"].startswith(f"{number}-change-") and ("refused" in text or "not carried out" in text)
        for effect in case.effects_of("crm", "order_update", "create")
        for text in [str(effect["data"].get("message"))]
    )
    return refused or case.stopped(number) or case.explained(f"sales_order:crm:{number}", f" {number} ")


def _cancellation_is_settled(case: Case, number: str) -> Iterator[str]:
    cancelled = any(e["reference"] == number for e in case.effects_of("erp", "sales_order", "cancel"))
    letters = [e for e in case.effects_of("mail", "notice") if e["reference"].startswith(f"{number}-change-")]
    if not (cancelled or letters or case.stopped(number) or case.explained(f"sales_order:crm:{number}", f" {number} ")):
        yield f"{number} was cancelled; the ERP goes on with it, and nobody is told"


def warehouse_agrees(case: Case) -> Iterator[str]:
    """I4: a finished order left the warehouse as the ERP has it, line by line."""
    if not case.whole_way:
        return
    left = _by_line(case)
    for number, data in erp_orders(case).items():
        process = case.process(number)
        if process is None or process["state"] != "finished" or case.was_cancelled(number):
            continue
        for line in data["lines"]:
            wanted = base(line["item"], line["qty"], line["unit"])
            sent = left[f"OB-{number}", str(line["ref"])]
            if sent != wanted:
                yield f"{number} line {line['ref']}: {wanted} ordered, {sent} sent, and the order is finished"


def _by_line(case: Case) -> dict[tuple[str, str], Decimal]:
    left: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for body in case.shipments.values():
        for line in body["item"]:
            left[body["OMSOrderNo"], str(line["lineNo"])] += Decimal(str(line["QtyShipped"]))
    return left


def amounts_agree(case: Case) -> Iterator[str]:
    """I5: what left the warehouse, the ERP's issue and the CRM's delivery note are one amount; so is what came in."""
    yield from _money(case)
    yield from _goods_out(case)
    yield from _goods_in(case)


def _goods_out(case: Case) -> Iterator[str]:
    for number, body in case.shipments.items():
        sent = _amounts(body["item"], "sku", "QtyShipped")
        for role in ("erp", "crm"):
            for effect in _created(case, role, "shipment", number):
                booked = _amounts(effect["data"]["lines"], "item", "qty", "unit")
                if booked != sent:
                    yield f"shipment {number}: {sent} left, {role} has {booked}"


def _goods_in(case: Case) -> Iterator[str]:
    for number, body in case.told("confirmASNData").items():
        for effect in _created(case, "erp", "receipt", number):
            if _amounts(effect["data"]["lines"], "item", "qty") != _amounts(body["details"], "sku", "receivedQty"):
                yield f"receipt {number}: the ERP has another amount"
    reports = {f"RN-{e['body']['no']}": e["body"] for e in case.commits("mes", "production_report")}
    for effect in case.effects_of("wms", "receipt_notice", "create"):
        report = reports.get(effect["reference"])
        if report and _amounts(effect["data"]["lines"], "item", "qty") != {
            report["item"]: Decimal(str(report["good"]))
        }:
            yield f"notice {effect['reference']}: another amount than was reported good"


def _money(case: Case) -> Iterator[str]:
    for number, data in erp_orders(case).items():
        totals = {_total(body) for body in case.orders[number]}
        if _total(data) not in totals:
            yield f"{number}: the ERP's total {_total(data)} is none the order ever had ({sorted(totals)})"


def _total(data: Entry) -> Decimal:
    return sum((Decimal(str(line["qty"])) * Decimal(str(line["price"])) for line in data["lines"]), Decimal(0))


def _amounts(lines: list[Entry], item: str, amount: str, unit: str = "") -> dict[str, Decimal]:
    """How much of each item; lines of one item together."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        found[item_of(line[item])] += base(line[item], line[amount], line.get(unit) if unit else None)
    return dict(found)


def _created(case: Case, role: str, kind: str, reference: str) -> list[Entry]:
    return [effect for effect in case.effects_of(role, kind, "create") if effect["reference"] == reference]


def texts_and_moments_agree(case: Case) -> Iterator[str]:
    """I8: every text as it was typed, every moment as it was."""
    for effect in case.effects_of("erp", "sales_order", "create"):
        bodies = case.orders[effect["reference"]]
        if not any(_words(effect["data"]) == _words_of_order(body) for body in bodies):
            yield f"{effect['reference']}: the ERP's texts are not the order's: {_words(effect['data'])}"
    for effect in case.effects_of("crm", "shipment", "create"):
        body = case.shipments.get(effect["reference"])
        if body and effect["data"]["shipped"] != _millis(body["shippedTime"]):
            yield f"{effect['reference']}: it left at another moment"
        if body and (effect["data"]["tracking"] != body["TrackingNo"]):
            yield f"{effect['reference']}: another tracking number"
    yield from _lines_agree(case)


def _lines_agree(case: Case) -> Iterator[str]:
    """Every line of a delivery note names the order line whose item it is."""
    for effect in case.effects_of("crm", "shipment", "create"):
        for line in effect["data"]["lines"]:
            order = str(line["line"]).rpartition("-l")[0]
            known = {each["id"]: each["item"] for body in case.orders.get(order, []) for each in body["lines"]}
            if known.get(line["line"]) != line["item"]:
                yield f"{effect['reference']}: line {line['line']} is not of {line['item']}"
    for effect in case.effects_of("erp", "shipment", "create"):
        for line in effect["data"]["lines"]:
            if not _erp_line_fits(case, effect["data"]["order"], line):
                yield f"{effect['reference']}: the ERP's line {line['line']} is not of {line['item']}"


def _erp_line_fits(case: Case, order: str, line: Entry) -> bool:
    for effect in case.effects_of("erp", "sales_order", "create"):
        names = [f"{effect['id']}-l{n}" for n in range(1, len(effect["data"]["lines"]) + 1)]
        if effect["id"] == order and line["line"] in names:
            return bool(effect["data"]["lines"][names.index(line["line"])]["item"] == line["item"])
    return False


def _words(data: Entry) -> Any:
    return data.get("po"), data.get("remark"), data.get("currency"), data.get("customer"), data.get("ordered")


def _words_of_order(body: Entry) -> Any:
    moment = datetime.fromtimestamp(body["ordered"] // 1000, UTC).astimezone(SHANGHAI)
    customer = body["customer"].replace("crm-c-", "C-")
    return body["po"], body["remark"], body["currency"], customer, moment.strftime("%Y-%m-%d %H:%M:%S")


def _millis(text: str) -> int:
    moment = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    return int(moment.timestamp() * 1000)
