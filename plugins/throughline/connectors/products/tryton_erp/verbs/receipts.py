"""Finished goods arrive: so much of a production is completed, and the production remembers by which receipt.

A production's reference lists its receipts as `number=here/in all` (`GR-7=4/10`). It is written together with the
output it stands for, in one transaction that fails if anybody changed the production meanwhile; so a receipt that is
booked twice, or again after a crash anywhere, is booked once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from throughline.connectors.contract import Carried
from throughline.connectors.mechanisms.http.verbs import Session
from throughline.connectors.products.tryton_erp.codec import numeric
from throughline.connectors.products.tryton_erp.verbs import productions
from throughline.connectors.products.tryton_erp.verbs.models import Models, Record
from throughline.connectors.products.tryton_erp.verbs.productions import FIELDS, MOVE, PRODUCTION
from throughline.errors import Invalid

_COPIED = ("product", "unit", "from_location", "to_location", "company", "currency", "unit_price")
_UNPLANNED = ("bom", "unit", "warehouse", "location", "company", "type", "planned_date", "planned_start_date")
_OPEN = [["state", "in", [*productions.NOT_BEGUN, "running"]]]


async def receive(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Complete so much of the named production; what goes beyond it, or names none, of those made for nobody else."""
    del key
    models = Models(session)
    wanted = _by_product(payload)
    total = sum(wanted.values())
    for product, amount in wanted.items():
        left = amount - sum(here for here, _ in await _booked(models, reference, product))
        for production in await _candidates(models, product, _named(payload)):
            if left > 0:
                left -= await _book(models, production, left, f"{reference}={{}}/{total:f}", payload)
        if left > 0:
            made = await _unplanned(models, product, left)
            await _book(models, made, left, f"{reference}={{}}/{total:f}", payload)
    return await _settle(models, reference)


async def find_receipt(session: Session, reference: str) -> Carried | None:
    """The production that carries this receipt, once all of it is booked and in stock."""
    models = Models(session)
    found = await _booked(models, reference)
    unfinished = [production for _, production in found if _pending(production) or _complete(production)]
    if not found or unfinished or sum(here for here, _ in found) < _total(found[0][1], reference):
        return None
    return _carried([production for _, production in found])


async def _settle(models: Models, reference: str) -> Carried:
    """Do what is booked but not done yet: the receipt's outputs, and every production that is complete."""
    found = [production for _, production in await _booked(models, reference)]
    if not found:
        raise Invalid("a receipt of nothing cannot be booked", field="lines")
    for production in found:
        pending = _pending(production)
        if pending:
            await models.press(MOVE, "do", *pending)
        if _complete(production):
            await models.press(PRODUCTION, "do", production["id"])
    return _carried(found)


async def _candidates(models: Models, product: int, named: str) -> list[dict[str, Any]]:
    """The open productions in question: the goods of one order never complete the production of another."""
    found = await models.search(PRODUCTION, [["product", "=", product], *_OPEN], FIELDS)
    if named:
        found = [production for production in found if production["number"] == named or not production["origin"]]
    return sorted(found, key=lambda production: (production["number"] != named, production["id"]))


def _named(payload: Mapping[str, Any]) -> str:
    """The number of the work order the receipt is for, when it says so."""
    kind, _, number = str(payload.get("notice") or "").rpartition(":")
    return number if kind.startswith("work_order:") else ""


async def _book(models: Models, production: Record, left: Decimal, token: str, payload: Mapping[str, Any]) -> Decimal:
    """Book as much as this production still waits for; says how much that was."""
    here = min(left, productions.still_open(production))
    if here <= 0:
        return Decimal(0)
    await productions.begin(models, production["id"])
    now = await models.one(PRODUCTION, production["id"], FIELDS)
    waiting = productions.open_output(now)
    if waiting is None:
        return Decimal(0)
    piece = (await models.read(MOVE, [waiting["id"]], _COPIED))[0]
    piece.pop("id")
    factor = Decimal(waiting["unit"]["factor"])
    piece |= {
        "quantity": here / factor,
        "unit_price": None if piece["unit_price"] is None else numeric(piece["unit_price"]),
        "effective_date": date.fromisoformat(payload["received_on"]) if payload.get("received_on") else None,
    }
    piece["effective_date"] = piece["effective_date"] or models.session.now().date()
    values = {
        "reference": ", ".join(filter(None, [now["reference"], token.format(f"{here:f}")])),
        "outputs": [["write", [waiting["id"]], {"quantity": waiting["quantity"] - here / factor}], ["create", [piece]]],
    }
    await models.write(PRODUCTION, production["id"], values, seen=now["_timestamp"])
    return here


async def _unplanned(models: Models, product: int, amount: Decimal) -> dict[str, Any]:
    """Goods came that no open production explains: they were made, so a production of their own says so."""
    past = await models.search(PRODUCTION, [["product", "=", product]], _UNPLANNED, limit=1)
    unit = await models.one("product.product", product, ("default_uom", "producible"))
    if not past or not unit["producible"]:
        raise Invalid("the ERP never made this item, so it cannot complete a production of it", field="item")
    today = models.session.now().date()
    dates = {"planned_date": today, "planned_start_date": today}
    like = {field: past[0][field] for field in _UNPLANNED if not field.startswith("planned")}
    made = await models.create(
        PRODUCTION, {**like, **dates, "unit": unit["default_uom"], "product": product, "quantity": amount}
    )
    await productions.explode(models, made)
    return await models.one(PRODUCTION, made, FIELDS)


async def _booked(models: Models, reference: str, product: int | None = None) -> list[tuple[Decimal, dict[str, Any]]]:
    """How much of this receipt stands on which production."""
    domain: list[Any] = [["reference", "ilike", f"%{reference}=%"]]
    if product is not None:
        domain.append(["product", "=", product])
    found = await models.search(PRODUCTION, domain, FIELDS)
    return [(here, each) for each in found for number, here, _ in _tokens(each) if number == reference]


def _tokens(production: Record) -> list[tuple[str, Decimal, Decimal]]:
    tokens = []
    for word in (production["reference"] or "").split(", "):
        number, mark, amounts = word.rpartition("=")
        here, slash, total = amounts.partition("/")
        if mark and slash:
            tokens.append((number, Decimal(here), Decimal(total)))
    return tokens


def _total(production: Record, reference: str) -> Decimal:
    return next(total for number, _, total in _tokens(production) if number == reference)


def _pending(production: Record) -> list[int]:
    return [move["id"] for move in production["outputs"] if move["effective_date"] and move["state"] == "draft"]


def _complete(production: Record) -> bool:
    """Everything has come, and it is still open."""
    return bool(production["state"] == "running" and productions.still_open(production) <= 0)


def _carried(found: list[dict[str, Any]]) -> Carried:
    numbers = ", ".join(production["number"] for production in found)
    return Carried(str(found[0]["id"]), numbers, {}, {"productions": [production["id"] for production in found]})


def _by_product(payload: Mapping[str, Any]) -> dict[int, Decimal]:
    amounts: dict[int, Decimal] = {}
    for line in payload["lines"]:
        product = int(line["product"])
        amounts[product] = amounts.get(product, Decimal(0)) + Decimal(line["quantity"])
    return amounts
