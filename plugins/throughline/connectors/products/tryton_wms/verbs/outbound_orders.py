"""Outbound orders: shipments to customers. What leaves in parts becomes several shipments under the same number.

A move has no room for our line id, so a note on the first move of every line keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from throughline.connectors.contract import Carried
from throughline.connectors.mechanisms.http.verbs import Session
from throughline.connectors.products.tryton_erp.codec import numeric
from throughline.connectors.products.tryton_erp.verbs.models import Models, Record
from throughline.connectors.products.tryton_wms.verbs.places import Places, customer, items, places
from throughline.errors import Rejected

OUTGOING, MOVE, NOTE = "stock.shipment.out", "stock.move", "ir.note"
OPEN = ("draft", "waiting", "assigned")
FIELDS = ("number", "reference", "state", "customer", "delivery_address", "_timestamp", "inventory_moves.state",
          "outgoing_moves.origin", "outgoing_moves.quantity", "outgoing_moves.product")  # fmt: skip


async def order_out(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Have something sent to a customer, unless that was ordered already; every line keeps our id."""
    del key
    models = Models(session)
    found = await shipments_of(models, reference)
    if not found:
        where = await places(models)
        party, address = await customer(models, payload["customer_name"], payload.get("ship_to") or {})
        values: dict[str, Any] = {
            "reference": reference, "customer": party, "delivery_address": address, "company": where.company,
            "warehouse": where.warehouse, "warehouse_storage": where.storage, "warehouse_output": where.exit,
            "outgoing_moves": [["create", await _moves(models, where, payload["lines"])]],
        }  # fmt: skip
        if payload.get("planned_date"):
            values["planned_date"] = date.fromisoformat(payload["planned_date"])
        made = await models.create(OUTGOING, values)
        await models.press(OUTGOING, "wait", made)
        found = await shipments_of(models, reference)
    await note_lines(models, found[0], payload["lines"])
    return await _carried(models, found)


async def find_order(session: Session, reference: str) -> Carried | None:
    """The outbound order under this number, once all its lines carry our ids."""
    models = Models(session)
    found = await shipments_of(models, reference)
    if not found or found[0]["state"] == "draft":
        return None
    carried = await _carried(models, found)
    return carried if len(carried.lines) >= len(_first_moves(found)) else None


async def end_order(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Send nothing; refused once something has left."""
    del payload, key
    models = Models(session)
    found = await shipments_of(models, reference)
    if any(shipment["state"] == "done" for shipment in found):
        raise Rejected(f"{reference} has left in part already: it cannot be cancelled", system=session.role)
    for shipment in found:
        if shipment["state"] != "cancelled":
            await models.press(OUTGOING, "cancel", shipment["id"])
    return await _carried(models, found) if found else Carried(reference, reference)


async def shipments_of(models: Models, reference: str) -> list[dict[str, Any]]:
    """Every shipment under this number, the first one first."""
    return await models.search(OUTGOING, [["reference", "=", reference]], FIELDS)


async def note_lines(models: Models, shipment: Record, lines: list[Mapping[str, Any]]) -> None:
    """Write our line ids beside the moves, which were made in the order of our lines."""
    moves = sorted(_first_moves([shipment]))
    noted = await _noted(models, moves)
    for move, line in zip(moves, lines, strict=False):
        if move not in noted:
            await models.create(NOTE, {"resource": f"{MOVE},{move}", "message": str(line["line"])})


async def line_ids(models: Models, shipments: list[dict[str, Any]]) -> dict[str, str]:
    """Our line id -> the id of its first move."""
    noted = await _noted(models, sorted(_first_moves(shipments)))
    return {line: str(move) for move, line in noted.items()}


async def add_line(models: Models, shipment: int, line: Mapping[str, Any], first: str | None) -> None:
    """One more line in an open shipment: what is to follow a first move, or a new line with its note."""
    known = set((await models.one(OUTGOING, shipment, ("outgoing_moves",)))["outgoing_moves"])
    (values,) = await _moves(models, await places(models), [line])
    if first is not None:
        values["origin"] = f"{MOVE},{first}"
    await models.write(OUTGOING, shipment, {"outgoing_moves": [["create", [values]]]})
    if first is None:
        now = set((await models.one(OUTGOING, shipment, ("outgoing_moves",)))["outgoing_moves"])
        (made,) = now - known
        await models.create(NOTE, {"resource": f"{MOVE},{made}", "message": str(line["line"])})


def _first_moves(shipments: list[dict[str, Any]] | list[Record]) -> set[int]:
    return {int(move["line_id"]) for shipment in shipments for move in shipment["outgoing_moves"]}


async def _noted(models: Models, moves: list[int]) -> dict[int, str]:
    resources = [f"{MOVE},{move}" for move in moves]
    notes = await models.search(NOTE, [["resource", "in", resources]], ("resource", "message"))
    return {int(note["resource"].partition(",")[2]): note["message"].strip() for note in notes}


async def _moves(models: Models, where: Places, lines: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    target = await models.search("stock.location", [["type", "=", "customer"]], ("name",), limit=1)
    known = await items(models, (line["sku"] for line in lines))
    return [
        {
            "product": known[line["sku"]]["id"], "unit": known[line["sku"]]["default_uom"],
            "quantity": Decimal(line["quantity"]), "from_location": where.exit, "to_location": target[0]["id"],
            "company": where.company, "currency": where.currency, "unit_price": numeric(0),
        }
        for line in lines
    ]  # fmt: skip


async def _carried(models: Models, found: list[dict[str, Any]]) -> Carried:
    states = {"states": [shipment["state"] for shipment in found]}
    return Carried(str(found[0]["id"]), found[0]["number"] or None, await line_ids(models, found), states)
