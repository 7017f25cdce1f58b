"""Goods leave: so much of a sale's open delivery is issued; what stays open becomes the next delivery by itself.

A delivery carries the warehouse's shipment number as its reference. It is written together with the quantities that
left, in one transaction that fails if anybody changed the delivery meanwhile; then the buttons follow, each by state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from throughline.connectors.contract import Carried
from throughline.connectors.mechanisms.http.verbs import Session
from throughline.connectors.products.tryton_erp.verbs.models import Models, Record
from throughline.connectors.products.tryton_erp.verbs.productions import in_base, in_unit_of
from throughline.connectors.products.tryton_erp.verbs.sales import FIELDS as SALE_FIELDS
from throughline.connectors.products.tryton_erp.verbs.sales import SALE
from throughline.errors import NotYet, Rejected

DELIVERY = "stock.shipment.out"
FIELDS = ("number", "reference", "state", "_timestamp", "inventory_moves.state", "outgoing_moves.origin",
          "outgoing_moves.quantity", "outgoing_moves.state", "outgoing_moves.unit.factor")  # fmt: skip
OPEN = ("draft", "waiting", "assigned")
_NEXT = {
    "draft": "wait",
    "waiting": "assign_try",
    "assigned": "pick",
    "picked": "pack",
    "packed": "do",
    "shipped": "do",
}
Amounts = dict[str, Decimal]


async def issue(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Issue what left the warehouse, by the lines of the sale it belongs to."""
    del key
    models = Models(session)
    sale = await models.one(SALE, int(payload["sale"]), ("reference", "lines.note", "shipments"))
    deliveries = await models.read(DELIVERY, sorted(sale["shipments"]), FIELDS)
    left = _wanted(sale, payload)
    for delivery in deliveries:
        if delivery["reference"] == reference:
            _take(left, delivery)
    _refuse_to_overtake_production(deliveries, left, session, reference)
    for delivery in deliveries:
        if not delivery["reference"] and delivery["state"] in OPEN and any(left.values()):
            await _fit(models, delivery["id"], left, reference, payload)
    short = {line: amount for line, amount in left.items() if amount > 0}
    if short:
        await _wait_or_refuse(models, int(payload["sale"]), short)
    return await _see_through(models, reference)


def _refuse_to_overtake_production(
    deliveries: Sequence[Record], left: Amounts, session: Session, reference: str
) -> None:
    """Goods made to order are `staging` until their first receipt is booked: that booking is on its way, so wait.

    Asked before anything is written. Nobody can take a move out of `staging` from outside (the button is refused).
    """
    moves = [move for delivery in deliveries if not delivery["reference"] for move in delivery["outgoing_moves"]]
    if any(move["state"] == "staging" and left.get(move["origin"], Decimal(0)) > 0 for move in moves):
        raise NotYet(
            f"{session.role} still waits for the goods of {reference} to be made: their receipt is not booked yet",
            system=session.role,
        )


async def _wait_or_refuse(models: Models, number: int, short: Amounts) -> None:
    """What is still open on the sale gets its next delivery in a moment; what is not open there is refused."""
    sale = await models.one(SALE, number, SALE_FIELDS)
    still = {
        f"sale.line,{line['id']}": in_base(line) - sum(in_base(m) for m in line["moves"] if m["state"] == "done")
        for line in sale["lines"]
    }
    what = ", ".join(f"{amount:f} of {line}" for line, amount in short.items())
    role = models.session.role
    if all(still.get(line, Decimal(0)) >= amount for line, amount in short.items()):
        raise NotYet(f"{role} has not made the next delivery of {sale['reference']} yet, for {what}", system=role)
    raise Rejected(f"{role} has no open delivery of {sale['reference']} for {what}", system=role)


async def find_issue(session: Session, reference: str) -> Carried | None:
    """The delivery with the warehouse's number, once it has left by the books."""
    models = Models(session)
    found = await models.search(DELIVERY, [["reference", "=", reference]], FIELDS)
    if not found or any(delivery["state"] in _NEXT for delivery in found):
        return None
    return _carried(found)


async def reset(models: Models, delivery: int) -> None:
    """Give back what is set aside for a delivery, so that it can be changed."""
    now = await models.one(DELIVERY, delivery, FIELDS)
    if now["state"] in OPEN and any(move["state"] == "assigned" for move in now["inventory_moves"]):
        await models.press(DELIVERY, "wait", delivery)


async def _fit(models: Models, delivery: int, left: Amounts, reference: str, payload: Mapping[str, Any]) -> None:
    """Make an open delivery say exactly what left, under the warehouse's number."""
    await reset(models, delivery)
    now = await models.one(DELIVERY, delivery, FIELDS)
    if now["state"] != "draft":
        await models.press(DELIVERY, "draft", delivery)
        now = await models.one(DELIVERY, delivery, FIELDS)
    kept, dropped = _split(now, left)
    if not kept:
        return
    values: dict[str, Any] = {
        "reference": reference,
        "outgoing_moves": [["write", [move["id"]], {"quantity": in_unit_of(move, amount)}] for move, amount in kept],
    }
    if dropped:
        values["outgoing_moves"].append(["delete", dropped])
    if payload.get("shipped_on"):
        values["effective_date"] = date.fromisoformat(payload["shipped_on"])
    await models.write(DELIVERY, delivery, values, seen=now["_timestamp"])


def _split(delivery: Record, left: Amounts) -> tuple[list[tuple[Record, Decimal]], list[int]]:
    """The moves that left, each with how much, and those that did not; takes them off what is left to issue."""
    kept: list[tuple[Record, Decimal]] = []
    dropped = []
    for move in delivery["outgoing_moves"]:
        amount = min(left.get(move["origin"], Decimal(0)), in_base(move))
        if amount > 0:
            left[move["origin"]] -= amount
            kept.append((move, amount))
        else:
            dropped.append(move["id"])
    return kept, dropped


async def _see_through(models: Models, reference: str) -> Carried:
    found = await models.search(DELIVERY, [["reference", "=", reference]], FIELDS)
    for delivery in found:
        state = delivery["state"]
        while state in _NEXT:
            await models.press(DELIVERY, _NEXT[state], delivery["id"])
            before, state = state, (await models.one(DELIVERY, delivery["id"], ("state",)))["state"]
            if state == before:
                raise NotYet(
                    f"{models.session.role} has too little in stock to issue {reference}: "
                    "a receipt may still be on its way", system=models.session.role,
                )  # fmt: skip
    return _carried(found)


def _wanted(sale: Record, payload: Mapping[str, Any]) -> Amounts:
    lines = {line["note"]: f"sale.line,{line['id']}" for line in sale["lines"]}
    amounts: Amounts = {}
    for line in payload["lines"]:
        ours = str(line["line"]).rpartition("#")[2]
        if ours not in lines:
            raise Rejected(f"sale {sale['reference']} has no line {ours}")
        amounts[lines[ours]] = amounts.get(lines[ours], Decimal(0)) + Decimal(line["quantity"])
    return amounts


def _take(left: Amounts, delivery: Record) -> None:
    for move in delivery["outgoing_moves"]:
        if move["origin"] in left and move["state"] != "cancelled":
            left[move["origin"]] -= in_base(move)


def _carried(found: list[dict[str, Any]]) -> Carried:
    return Carried(str(found[0]["id"]), found[0]["number"], {}, {"deliveries": [each["id"] for each in found]})
