"""Productions: planned with a sale, completed piece by piece as the warehouse receives, made smaller, or given up.

A production that runs holds one open output for what is still to come, and one output for every receipt, dated the day
of the receipt. So the ERP's stock follows the warehouse's receipts exactly, within one production.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from throughline.connectors.products.tryton_erp.codec import numeric
from throughline.connectors.products.tryton_erp.verbs.models import Models, Record, plain

PRODUCTION, MOVE = "production", "stock.move"
FIELDS = ("number", "reference", "state", "quantity", "product", "origin", "_timestamp", "unit.factor",
          "outputs.quantity", "outputs.state", "outputs.effective_date", "outputs.product",
          "outputs.unit.factor")  # fmt: skip
NOT_BEGUN = ("request", "draft", "waiting", "assigned")
_MOVE_FIELDS = ("product", "unit", "quantity", "from_location", "to_location", "company", "currency", "unit_price")
_RELEASE = {"request": "draft", "draft": "wait"}
_BEGIN = {**_RELEASE, "assigned": "run"}


async def productions_of(models: Models, sale: Record) -> list[dict[str, Any]]:
    """The productions planned for a sale's lines, oldest first, without those given up."""
    origins = [f"sale.line,{line['id']}" for line in sale["lines"]]
    return await models.search(PRODUCTION, [["origin", "in", origins], ["state", "!=", "cancelled"]], FIELDS)


async def release(models: Models, production: int) -> None:
    """Plan it: it gets its number and its parts. Nothing happens to one that is planned already."""
    await _press_through(models, production, _RELEASE)


async def begin(models: Models, production: int) -> None:
    """Start it, which takes its parts from stock; forced, since its goods are here and so its parts were used."""
    for button in ("assign_try", "assign_force"):
        if await _press_through(models, production, _BEGIN) == "waiting":
            await models.press(PRODUCTION, button, production)
    await _press_through(models, production, _BEGIN)


async def _press_through(models: Models, production: int, buttons: Mapping[str, str]) -> str:
    state = ""
    while True:
        now = await models.one(PRODUCTION, production, FIELDS)
        if now["state"] == state or now["state"] not in buttons:
            return str(now["state"])
        state = str(now["state"])
        if state == "draft" and planned(now) != in_base(now):
            await explode(models, production)
        await models.press(PRODUCTION, buttons[state], production)


def in_base(record: Record) -> Decimal:
    """How many of the item's own unit a record (a production, a move, a sale's line) speaks of.

    A part of a carton is kept to six places there (5 of 12 pieces are 0.416667), so it is right to three here.
    """
    return plain(round(Decimal(record["quantity"]) * Decimal(record["unit"]["factor"]), 3))


def in_unit_of(record: Record, amount: Decimal) -> Decimal:
    """An amount of the item's own unit in the unit a record speaks of."""
    return plain(round(amount / Decimal(record["unit"]["factor"]), 6))


def planned(production: Record) -> Decimal:
    """What it brings in all: what came and what is still to come."""
    return sum(map(in_base, _outputs(production)), Decimal(0))


def received(production: Record) -> Decimal:
    """What came of it so far."""
    return sum((in_base(move) for move in _outputs(production) if move["effective_date"]), Decimal(0))


def still_open(production: Record) -> Decimal:
    """What is still to come of it."""
    return planned(production) - received(production)


def open_output(production: Record) -> Record | None:
    """The output that stands for what is still to come."""
    waiting = (move for move in _outputs(production) if move["state"] == "draft" and not move["effective_date"])
    return next(waiting, None)


def _outputs(production: Record) -> list[Record]:
    return [
        move for move in production["outputs"]
        if move["product"] == production["product"] and move["state"] != "cancelled"
    ]  # fmt: skip


async def explode(models: Models, production: int) -> None:
    """Let the ERP work the parts out anew from the bill of materials, as its own button does."""
    changes = (await models.press(PRODUCTION, "reset_bom", production))[0]
    values = {}
    for side in ("inputs", "outputs"):
        told = changes.get(side, {})
        values[side] = [
            ["delete", list(told.get("delete", []))],
            ["create", [_move(move) for _, move in told.get("add", [])]],
        ]
    await models.write(PRODUCTION, production, values)


def _move(told: Mapping[str, Any]) -> dict[str, Any]:
    values = {field: _key(told.get(field)) for field in _MOVE_FIELDS}
    price = told.get("unit_price")
    return {**values, "unit_price": None if price is None else numeric(price)}


def _key(value: Any) -> Any:
    """The id of a record that stands where its id was."""
    return value.get("id") if isinstance(value, Mapping) else value
