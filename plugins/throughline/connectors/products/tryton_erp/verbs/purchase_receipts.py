"""Goods of a supplier come in: so much of a purchase's open deliveries; what is still to come stays open by itself.

A delivery carries the receipt's number as its reference. It is made together with the quantities that came, in one
transaction; then it is received and put away, each by its state.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from throughline.connectors.contract import Carried
from throughline.connectors.mechanisms.http.verbs import Session
from throughline.connectors.products.tryton_erp.verbs.models import Models, Record
from throughline.connectors.products.tryton_erp.verbs.productions import in_base, in_unit_of
from throughline.errors import NotYet, Rejected

DELIVERY, MOVE = "stock.shipment.in", "stock.move"
_MORE_CAME = "check_move_quantity"
_NEXT = {"draft": "receive", "received": "do"}
_FIELDS = ("number", "reference", "state")
_MOVES = ("origin", "quantity", "unit.factor", "state", "shipment")


async def receive_purchase(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Receive what came, by the purchase lines it came for; more than is open of a line is received all the same."""
    del key
    models = Models(session)
    found = await _delivery(models, reference)
    if found is None:
        await _make(models, payload, reference)
        found = await _delivery(models, reference)
    if found is None:
        raise NotYet(f"{session.role} does not show delivery {reference} yet", system=session.role)
    while found["state"] in _NEXT:
        await _press(models, _NEXT[found["state"]], found["id"])
        found = await models.one(DELIVERY, found["id"], _FIELDS)
    return Carried(str(found["id"]), found["number"])


async def _press(models: Models, button: str, delivery: int) -> None:
    """Press a button; that more came than was ordered is known and clicked away: what to make of it, the match says."""
    try:
        await models.press(DELIVERY, button, delivery)
    except Rejected as warned:
        name = warned.message.rpartition(" ")[2]
        if warned.code != "UserWarning" or not name.endswith(f".{_MORE_CAME}"):
            raise
        await models.skip_warning(name)
        await _press(models, button, delivery)


async def find_purchase_receipt(session: Session, reference: str) -> Carried | None:
    """The delivery with our receipt's number, once it is put away."""
    found = await _delivery(Models(session), reference)
    return Carried(str(found["id"]), found["number"]) if found is not None and found["state"] == "done" else None


async def _delivery(models: Models, reference: str) -> dict[str, Any] | None:
    found = await models.search(DELIVERY, [["reference", "=", reference], ["state", "!=", "cancelled"]], _FIELDS)
    return found[0] if found else None


async def _make(models: Models, payload: Mapping[str, Any], reference: str) -> None:
    wanted = _by_line(payload)
    lines = await models.read(
        "purchase.line", sorted(wanted), ("purchase.party", "purchase.warehouse", "purchase.state")
    )
    parties = {line["purchase"]["party"] for line in lines}
    if len(parties) != 1:
        raise Rejected(f"receipt {reference} is of {len(parties)} suppliers", system=models.session.role)
    moves = [await _open_move(models, line, reference) for line in sorted(wanted)]
    warehouse = await models.one("stock.location", _key(lines[0]["purchase"]["warehouse"]),
                                 ("input_location", "storage_location"))  # fmt: skip
    party = await models.one("party.party", _key(parties.pop()), ("addresses",))
    sizes = [["write", [move["id"]], {"quantity": in_unit_of(move, amount)}]
             for move, (_, amount) in zip(moves, sorted(wanted.items()), strict=True)]  # fmt: skip
    values: dict[str, Any] = {
        "supplier": party["id"], "contact_address": party["addresses"][0] if party["addresses"] else None,
        "warehouse": warehouse["id"], "warehouse_input": warehouse["input_location"],
        "warehouse_storage": warehouse["storage_location"], "reference": reference,
        "incoming_moves": [["add", [move["id"] for move in moves]], *sizes],
    }  # fmt: skip
    if payload.get("received_on"):
        values["effective_date"] = date.fromisoformat(payload["received_on"])
    await models.create(DELIVERY, values)


async def _open_move(models: Models, line: int, reference: str) -> Record:
    """The move that stands for what is still to come of a purchase line."""
    domain = [["origin", "=", f"purchase.line,{line}"], ["state", "=", "draft"], ["shipment", "=", None]]
    found = await models.search(MOVE, domain, _MOVES)
    if not found:
        raise Rejected(f"nothing of purchase line {line} is open for receipt {reference}", system=models.session.role)
    return max(found, key=in_base)


def _by_line(payload: Mapping[str, Any]) -> dict[int, Decimal]:
    amounts: dict[int, Decimal] = {}
    for line in payload["lines"]:
        key = int(line["line"])
        amounts[key] = amounts.get(key, Decimal(0)) + Decimal(line["quantity"])
    return amounts


def _key(value: Any) -> int:
    """The id of a record that may stand where its id was."""
    return int(value["id"] if isinstance(value, Mapping) else value)
