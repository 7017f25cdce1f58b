"""A sale from nothing to in progress; every step looks first, so that doing it again continues where it stopped."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from throughline.connectors.contract import Carried
from throughline.connectors.mechanisms.http.verbs import Session
from throughline.connectors.products.tryton_erp.codec import numeric
from throughline.connectors.products.tryton_erp.verbs.addresses import delivery_address
from throughline.connectors.products.tryton_erp.verbs.models import Models
from throughline.connectors.products.tryton_erp.verbs.productions import productions_of, release
from throughline.errors import Invalid

SALE = "sale.sale"
NEXT = {"draft": "quote", "quotation": "confirm", "confirmed": "process"}
FIELDS = ("number", "reference", "state", "lines.note", "lines.quantity", "lines.product", "lines.unit.factor",
          "lines.unit_price", "lines.moves.quantity", "lines.moves.state", "lines.moves.unit.factor")  # fmt: skip


async def create_sale(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """A sale with our order number as its reference: made if it is not there, then quoted, confirmed, in progress."""
    del key
    models = Models(session)
    sale = await sale_by_reference(models, reference)
    if sale is None:
        await models.create(SALE, await _values(models, payload, reference))
        sale = await the_sale(models, reference)
    return await bring_into_progress(models, sale)


async def find_sale(session: Session, reference: str) -> Carried | None:
    """The sale with our order number, once it is in progress and its productions are planned."""
    models = Models(session)
    sale = await sale_by_reference(models, reference)
    if sale is None or sale["state"] in NEXT:
        return None
    unplanned = [made for made in await productions_of(models, sale) if made["state"] in ("request", "draft")]
    return None if unplanned else carried(sale)


async def sale_by_reference(models: Models, reference: str) -> dict[str, Any] | None:
    """The sale with our order number; one that is not cancelled before one that is."""
    found = await models.search(SALE, [["reference", "=", reference]], FIELDS)
    return min(found, key=lambda sale: (sale["state"] == "cancelled", sale["id"]), default=None)


async def the_sale(models: Models, reference: str) -> dict[str, Any]:
    """The sale with our order number, or `Invalid`."""
    sale = await sale_by_reference(models, reference)
    if sale is None:
        raise Invalid(f"{models.session.role} has no sale with the reference {reference}", field="reference")
    return sale


async def bring_into_progress(models: Models, sale: dict[str, Any]) -> Carried:
    """Press the buttons that are still to be pressed, and give the productions their numbers."""
    while sale["state"] in NEXT:
        await models.press(SALE, NEXT[sale["state"]], sale["id"])
        sale = await models.one(SALE, sale["id"], FIELDS)
    if sale["state"] == "processing":
        for production in await productions_of(models, sale):
            await release(models, production["id"])
    return carried(sale)


def carried(sale: Mapping[str, Any]) -> Carried:
    """The ERP's id and number of a sale, and its ids of our lines."""
    lines = {line["note"]: str(line["id"]) for line in sale["lines"] if line["note"]}
    return Carried(str(sale["id"]), sale["number"], lines, {"state": sale["state"]})


async def line_values(models: Models, lines: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Our lines as the ERP wants them; `note` holds our line id, which is how a line is known again."""
    units = await _units(models, {int(line["product"]) for line in lines})
    values = []
    for position, line in enumerate(lines, 1):
        product = int(line["product"])
        unit = units[product].get(line["unit"]["symbol"])
        if unit is None:
            known = ", ".join(sorted(units[product]))
            raise Invalid(f"the ERP does not know {line['unit']['symbol']} of this item, only {known}", field="unit")
        values.append({
            "type": "line", "sequence": position, "note": line["note"], "product": product, "unit": unit,
            "quantity": line["quantity"], "unit_price": numeric(line.get("unit_price") or 0),
        })  # fmt: skip
    return values


async def _units(models: Models, products: set[int]) -> dict[int, dict[str, int]]:
    fields = ("default_uom.category.uoms.symbol",)
    found = await models.read("product.product", sorted(products), fields)
    return {
        product["id"]: {unit["symbol"]: unit["id"] for unit in product["default_uom"]["category"]["uoms"]}
        for product in found
    }


async def _values(models: Models, payload: Mapping[str, Any], reference: str) -> dict[str, Any]:
    party = await models.one("party.party", int(payload["party"]), ("addresses", "customer_payment_term"))
    currency = await models.search("currency.currency", [["code", "=", payload["currency"]]], ("code",))
    if not currency:
        raise Invalid(f"the ERP has no currency {payload['currency']}", field="currency")
    values = {
        "party": party["id"],
        "invoice_address": party["addresses"][0] if party["addresses"] else None,
        "shipment_address": await delivery_address(models, party["id"], payload.get("ship_to")),
        "payment_term": party["customer_payment_term"],
        "currency": currency[0]["id"],
        "reference": reference,
        "invoice_method": "fulfillment",  # invoiced by what left, not by what was ordered
        "shipment_method": "order",
        "comment": payload.get("comment"),
        "lines": [["create", await line_values(models, list(payload["lines"]))]],
    }
    if payload.get("shipping_date"):
        values["shipping_date"] = date.fromisoformat(payload["shipping_date"])
    return values
