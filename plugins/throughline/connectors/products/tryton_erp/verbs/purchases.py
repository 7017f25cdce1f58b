"""A purchase from nothing to in progress, under our number; every step looks first, so a repetition continues."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from throughline.connectors.contract import Carried
from throughline.connectors.mechanisms.http.verbs import Session
from throughline.connectors.products.tryton_erp.codec import numeric
from throughline.connectors.products.tryton_erp.verbs.models import Models
from throughline.connectors.products.tryton_erp.verbs.sales import line_values
from throughline.errors import Invalid, Rejected

PURCHASE = "purchase.purchase"
NEXT = {"draft": "quote", "quotation": "confirm", "confirmed": "process"}
FIELDS = ("number", "reference", "state", "party", "lines.note", "lines.quantity", "lines.product", "lines.unit.factor")


async def create_purchase(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """A purchase with our number as its reference: made if it is not there, then quoted, confirmed, processed."""
    del key
    models = Models(session)
    purchase = await purchase_by_reference(models, reference)
    if purchase is not None and purchase["state"] == "cancelled":
        raise Rejected(f"purchase {reference} was cancelled", system=session.role)
    if purchase is None:
        await models.create(PURCHASE, await _values(models, payload, reference))
        purchase = await the_purchase(models, reference)
    while purchase["state"] in NEXT:
        await models.press(PURCHASE, NEXT[purchase["state"]], purchase["id"])
        purchase = await models.one(PURCHASE, purchase["id"], FIELDS)
    return carried(purchase)


async def find_purchase(session: Session, reference: str) -> Carried | None:
    """The purchase with our number, once it is in progress: half of the way does not count."""
    purchase = await purchase_by_reference(Models(session), reference)
    return None if purchase is None or purchase["state"] in NEXT else carried(purchase)


async def purchase_by_reference(models: Models, reference: str) -> dict[str, Any] | None:
    """The purchase with our number; one that is not cancelled before one that is."""
    found = await models.search(PURCHASE, [["reference", "=", reference]], FIELDS)
    return min(found, key=lambda purchase: (purchase["state"] == "cancelled", purchase["id"]), default=None)


async def the_purchase(models: Models, reference: str) -> dict[str, Any]:
    """The purchase with our number, or `Invalid`."""
    purchase = await purchase_by_reference(models, reference)
    if purchase is None:
        raise Invalid(f"{models.session.role} has no purchase with the reference {reference}", field="reference")
    return purchase


def carried(purchase: Mapping[str, Any]) -> Carried:
    """The ERP's id and number of a purchase, and its ids of our lines."""
    lines = {line["note"]: str(line["id"]) for line in purchase["lines"] if line["note"]}
    return Carried(str(purchase["id"]), purchase["number"], lines, {"state": purchase["state"]})


async def _values(models: Models, payload: Mapping[str, Any], reference: str) -> dict[str, Any]:
    party = await models.one("party.party", int(payload["party"]), ("addresses", "supplier_payment_term"))
    currency = await models.search("currency.currency", [["code", "=", payload["currency"]["code"]]], ("code",))
    if not currency:
        raise Invalid(f"the ERP has no currency {payload['currency']['code']}", field="currency")
    warehouses = await models.search("stock.location", [["type", "=", "warehouse"]], ("code",), limit=1)
    return {
        "party": party["id"],
        "invoice_address": party["addresses"][0] if party["addresses"] else None,
        "payment_term": party["supplier_payment_term"],
        "currency": currency[0]["id"],
        "warehouse": warehouses[0]["id"],
        "reference": reference,
        "purchase_date": date.fromisoformat(payload["purchase_date"]),
        "invoice_method": "fulfillment",  # charged for what came, not for what was ordered
        "lines": [["create", await _lines(models, list(payload["lines"]))]],
    }


async def _lines(models: Models, lines: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    made = await line_values(models, lines)
    for values, line in zip(made, lines, strict=True):
        values["unit_price"] = numeric(line["unit_price"])
        if line.get("delivery_date_store"):
            values["delivery_date_store"] = date.fromisoformat(line["delivery_date_store"])
    return made
