"""An outbound order changes: what has left stays, what is still to leave becomes what is wanted now."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from throughline.connectors.contract import Carried
from throughline.connectors.mechanisms.http.verbs import Session
from throughline.connectors.products.tryton_erp.verbs.models import Models, Record, plain
from throughline.connectors.products.tryton_wms.verbs.outbound_orders import (
    OPEN,
    OUTGOING,
    add_line,
    line_ids,
    shipments_of,
)
from throughline.errors import Rejected

Amounts = dict[str, Decimal]


async def change_order(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Make the open shipment say what is wanted, less what has left; the same wish twice is one effect."""
    del key
    models = Models(session)
    found = [shipment for shipment in await shipments_of(models, reference) if shipment["state"] != "cancelled"]
    ids = await line_ids(models, found)
    left = _left(found)
    rest = {line["line"]: Decimal(line["quantity"]) - left.get(ids.get(line["line"], ""), Decimal(0))
            for line in payload["lines"]}  # fmt: skip
    _check(reference, rest, ids, left)
    waiting = next((shipment for shipment in found if shipment["state"] in OPEN), None)
    if waiting is None:
        if any(amount > 0 for amount in rest.values()) or not found:
            raise Rejected(f"{reference} has left in full already: it cannot be changed", system=session.role)
        return Carried(str(found[0]["id"]), found[0]["number"], ids)
    await _rewrite(models, waiting, {ids[line]: amount for line, amount in rest.items() if line in ids})
    there = {move["line_id"] for move in waiting["outgoing_moves"]}
    for line in payload["lines"]:
        first, amount = ids.get(line["line"]), rest[line["line"]]
        if first not in there and amount > 0:
            await add_line(models, waiting["id"], {**line, "quantity": amount}, first)
    await models.press(OUTGOING, "wait", waiting["id"])
    now = [shipment for shipment in await shipments_of(models, reference) if shipment["state"] != "cancelled"]
    return Carried(str(now[0]["id"]), now[0]["number"], await line_ids(models, now))


def _left(found: list[dict[str, Any]]) -> Amounts:
    amounts: Amounts = {}
    for shipment in found:
        if shipment["state"] not in OPEN:
            for move in shipment["outgoing_moves"]:
                amounts[move["line_id"]] = amounts.get(move["line_id"], Decimal(0)) + plain(Decimal(move["quantity"]))
    return amounts


def _check(reference: str, rest: Amounts, ids: Mapping[str, str], left: Amounts) -> None:
    ours = {theirs: line for line, theirs in ids.items()}
    dropped = [ours[theirs] for theirs, amount in left.items() if amount > 0 and ours.get(theirs) not in rest]
    short = [line for line, amount in rest.items() if amount < 0]
    if dropped or short:
        line = (dropped + short)[0]
        raise Rejected(f"line {line} of {reference} cannot be reduced: {left[ids[line]]:f} have left already")


async def _rewrite(models: Models, shipment: Record, wanted: Amounts) -> None:
    """Set the open moves to what is still to leave."""
    key = shipment["id"]
    if any(move["state"] == "assigned" for move in shipment["inventory_moves"]):
        await models.press(OUTGOING, "wait", key)
    if shipment["state"] != "draft":
        await models.press(OUTGOING, "draft", key)
    now = (await models.read(OUTGOING, [key], ("_timestamp",)))[0]
    changes: list[list[Any]] = []
    for move in shipment["outgoing_moves"]:
        amount = wanted.get(move["line_id"], Decimal(0))
        changes.append(["write", [move["id"]], {"quantity": amount}])
    await models.write(OUTGOING, key, {"outgoing_moves": changes}, seen=now["_timestamp"])
