"""Less is wanted: productions of a sale's line are made smaller, given up, or ended at what came, youngest first."""

from __future__ import annotations

from decimal import Decimal

from throughline.connectors.products.tryton_erp.verbs.models import Models, Record
from throughline.connectors.products.tryton_erp.verbs.productions import (
    FIELDS,
    NOT_BEGUN,
    PRODUCTION,
    explode,
    in_base,
    in_unit_of,
    open_output,
    planned,
    received,
    release,
    still_open,
)


async def reduce_to(models: Models, line: int, wanted: Decimal) -> None:
    """Let the productions of this line bring no more than wanted, as far as that is still possible."""
    domain = [["origin", "=", f"sale.line,{line}"], ["state", "!=", "cancelled"]]
    found = await models.search(PRODUCTION, domain, FIELDS)
    excess = sum(map(planned, found), Decimal(0)) - wanted
    for production in reversed(found):
        if excess > 0:
            excess -= await _reduce(models, production, excess)
    for production in found:
        now = await models.one(PRODUCTION, production["id"], ("state",))
        if now["state"] in ("request", "draft"):
            await release(models, production["id"])


async def _reduce(models: Models, production: Record, excess: Decimal) -> Decimal:
    """Take at most `excess` off one production; says how much that was."""
    taken = min(excess, still_open(production))
    if production["state"] == "done" or taken <= 0:
        return Decimal(0)
    if taken == planned(production):
        await models.press(PRODUCTION, "cancel", production["id"])
    elif production["state"] in NOT_BEGUN:
        await _shrink(models, production, planned(production) - taken)
    else:
        await _shorten(models, production, taken)
    return taken


async def _shrink(models: Models, production: Record, quantity: Decimal) -> None:
    """Plan one that has not begun anew, with its parts."""
    key = production["id"]
    if production["state"] == "assigned":
        await models.press(PRODUCTION, "wait", key)
    if production["state"] in ("assigned", "waiting"):
        await models.press(PRODUCTION, "draft", key)
    await models.write(PRODUCTION, key, {"quantity": quantity / Decimal(production["unit"]["factor"])})
    await explode(models, key)
    await release(models, key)


async def _shorten(models: Models, production: Record, taken: Decimal) -> None:
    """Expect less of one under way; if nothing more is to come, it is done."""
    waiting = open_output(production)
    if waiting is None:
        return
    rest = in_unit_of(waiting, in_base(waiting) - taken)
    values = {"outputs": [["write", [waiting["id"]], {"quantity": rest}]]}
    await models.write(PRODUCTION, production["id"], values, seen=production["_timestamp"])
    if rest == 0 and received(production) > 0:
        await models.press(PRODUCTION, "do", production["id"])
