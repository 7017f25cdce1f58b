"""Announced receipts: incoming shipments from the factory, expected until somebody in the warehouse receives them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from throughline.connectors.contract import Carried
from throughline.connectors.mechanisms.http.verbs import Session
from throughline.connectors.products.tryton_erp.codec import numeric
from throughline.connectors.products.tryton_erp.verbs.models import Models
from throughline.connectors.products.tryton_wms.verbs.places import items, places

INCOMING = "stock.shipment.in"
FIELDS = ("number", "reference", "state")


async def announce(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Expect what will arrive, unless it is expected (or has arrived) already."""
    del key
    models = Models(session)
    found = await find_notice(session, reference)
    if found:
        return found
    where = await places(models)
    supplier = await models.search(
        "stock.location", [["type", "=", "supplier"]], ("name",), limit=1
    )  # fmt: skip
    known = await items(models, (line["sku"] for line in payload["lines"]))
    moves = [
        {
            "product": known[line["sku"]]["id"], "unit": known[line["sku"]]["default_uom"],
            "quantity": Decimal(line["quantity"]), "from_location": supplier[0]["id"], "to_location": where.entrance,
            "company": where.company, "currency": where.currency, "unit_price": numeric(0),
        }
        for line in payload["lines"]
    ]  # fmt: skip
    made = await models.create(INCOMING, {
        "reference": reference, "supplier": where.party, "company": where.company, "warehouse": where.warehouse,
        "warehouse_input": where.entrance, "warehouse_storage": where.storage, "incoming_moves": [["create", moves]],
    })  # fmt: skip
    return Carried(str(made), reference)


async def withdraw(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Expect it no longer; what has arrived stays."""
    del payload, key
    models = Models(session)
    expected = await models.search(INCOMING, [["reference", "=", reference], ["state", "=", "draft"]], FIELDS)
    if expected:
        await models.press(INCOMING, "cancel", *(shipment["id"] for shipment in expected))
    return await find_notice(session, reference) or Carried(reference)


async def find_notice(session: Session, reference: str) -> Carried | None:
    """The first shipment that was announced under this number."""
    found = await Models(session).search(INCOMING, [["reference", "=", reference]], FIELDS, limit=1)
    return Carried(str(found[0]["id"]), reference, {}, {"state": found[0]["state"]}) if found else None
