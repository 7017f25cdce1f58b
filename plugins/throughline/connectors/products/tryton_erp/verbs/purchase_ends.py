"""A purchase is taken back, or ended short: what has not come will not come. Repeating it finds nothing left to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from throughline.connectors.contract import Carried
from throughline.connectors.mechanisms.http.verbs import Session
from throughline.connectors.products.tryton_erp.verbs.models import Models
from throughline.connectors.products.tryton_erp.verbs.purchases import FIELDS, PURCHASE, carried, the_purchase
from throughline.errors import Rejected

LINE, MOVE = "purchase.line", "stock.move"
_ON_THE_WAY = ("draft", "staging")


async def cancel_purchase(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Take a purchase back of which nothing has come; what has come is sent back, or the rest ended by `close`."""
    del payload, key
    models = Models(session)
    purchase = await the_purchase(models, reference)
    if purchase["state"] == "processing" and any(move["state"] == "done" for move in await _moves(models, purchase)):
        raise Rejected(f"goods of purchase {reference} have come: it can only be ended short", system=session.role)
    return await _end(models, purchase)


async def close_purchase(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """End a purchase short: what is still to come is no longer expected."""
    del payload, key
    models = Models(session)
    return await _end(models, await the_purchase(models, reference))


async def _end(models: Models, purchase: Mapping[str, Any]) -> Carried:
    key, state = purchase["id"], purchase["state"]
    if state == "confirmed":
        await models.press(PURCHASE, "draft", key)
    if state in ("draft", "quotation", "confirmed"):
        await models.press(PURCHASE, "cancel", key)
    elif state == "processing":
        await _expect_no_more(models, purchase)
    return carried(await models.one(PURCHASE, key, FIELDS))


async def _expect_no_more(models: Models, purchase: Mapping[str, Any]) -> None:
    """Cancel the deliveries that are still to come, and say of each that it is not to be ordered again."""
    coming = [move["id"] for move in await _moves(models, purchase) if move["state"] in _ON_THE_WAY]
    if coming:
        await models.press(MOVE, "cancel", *coming)
    cancelled = {move["id"] for move in await _moves(models, purchase) if move["state"] == "cancelled"}
    for line in await models.read(LINE, [line["id"] for line in purchase["lines"]], ("moves", "moves_ignored")):
        ignored = sorted(cancelled.intersection(line["moves"]) - set(line["moves_ignored"]))
        if ignored:
            await models.write(LINE, line["id"], {"moves_ignored": [["add", ignored]]})
    await models.press(PURCHASE, "process", purchase["id"])


async def _moves(models: Models, purchase: Mapping[str, Any]) -> list[dict[str, Any]]:
    origins = [f"purchase.line,{line['id']}" for line in purchase["lines"]]
    return await models.search(MOVE, [["origin", "in", origins]], ("state",))
