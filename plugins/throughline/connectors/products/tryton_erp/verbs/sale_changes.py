"""A sale changes or ends while it is under way. Each operation says what should be, so doing it again changes nothing.

The sale is amended first: that clears its open deliveries. Then productions follow downwards: those that have not begun
are made smaller or given up, those under way end at what has come. They never follow upwards: others decide that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from throughline.connectors.contract import Carried
from throughline.connectors.mechanisms.http.verbs import Session
from throughline.connectors.products.tryton_erp.codec import numeric
from throughline.connectors.products.tryton_erp.verbs import deliveries, reductions
from throughline.connectors.products.tryton_erp.verbs.models import Models, Record
from throughline.connectors.products.tryton_erp.verbs.productions import in_base
from throughline.connectors.products.tryton_erp.verbs.sales import (
    FIELDS,
    NEXT,
    SALE,
    bring_into_progress,
    carried,
    line_values,
    the_sale,
)
from throughline.errors import Rejected

AMENDMENT = "sale.amendment"
_CHANGED, _CANCELLED = "changed by Throughline", "cancelled by Throughline"


@dataclass(frozen=True)
class Target:
    """What a line of the sale should say."""

    line: Record
    quantity: Decimal
    unit: int
    unit_price: Decimal
    base: Decimal

    def reached(self) -> bool:
        """Whether it says so already."""
        now = self.line
        same_price = Decimal(now["unit_price"]) == self.unit_price
        return bool(now["quantity"] == self.quantity and now["unit"]["id"] == self.unit and same_price)


async def change_sale(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """Make the sale's lines say what the order says now."""
    del key
    models = Models(session)
    sale = await the_sale(models, reference)
    wanted = {line["note"]: line for line in await line_values(models, list(payload["lines"]))}
    if sale["state"] in NEXT:
        return await _rewrite(models, sale, wanted)
    targets = await _targets(models, sale, wanted)
    if sale["state"] != "processing" and not all(target.reached() for target in targets):
        raise Rejected(f"sale {sale['number']} is {sale['state']}: it cannot be changed any more", system=session.role)
    return await _reach(models, sale, targets, _CHANGED)


async def cancel_sale(session: Session, payload: Mapping[str, Any], *, reference: str, key: str) -> Carried:
    """End the sale: what has not left will not leave, what has not been made will not be made."""
    del payload, key
    models = Models(session)
    sale = await the_sale(models, reference)
    if sale["state"] in ("draft", "quotation", "confirmed"):
        if sale["state"] == "confirmed":
            await models.press(SALE, "draft", sale["id"])
        await models.press(SALE, "cancel", sale["id"])
    elif sale["state"] in ("processing", "done"):
        targets = [_end_of(line) for line in sale["lines"]]
        left_in_full = all(target.base == in_base(target.line) > 0 for target in targets)
        if left_in_full and not await _amendments(models, sale, _CANCELLED, "validated"):
            raise Rejected(f"sale {sale['number']} has left in full: what remains is a return", system=session.role)
        return await _reach(models, sale, targets, _CANCELLED)
    return carried(await models.one(SALE, sale["id"], FIELDS))


def _end_of(line: Record) -> Target:
    left = shipped(line)
    factor = Decimal(line["unit"]["factor"])
    return Target(line, left / factor, line["unit"]["id"], Decimal(line["unit_price"]), left)


def shipped(line: Record) -> Decimal:
    """How much of a line has left, in the item's own unit."""
    return sum((in_base(move) for move in line["moves"] if move["state"] == "done"), Decimal(0))


async def _targets(models: Models, sale: Record, wanted: Mapping[str, Any]) -> list[Target]:
    added = sorted(set(wanted) - {line["note"] for line in sale["lines"]})
    if added:
        raise Rejected(f"sale {sale['number']} is in progress: it cannot get the new line {added[0]}")
    units = await models.search("product.uom", [["id", "in", [line["unit"] for line in wanted.values()]]], ("factor",))
    factors = {unit["id"]: Decimal(unit["factor"]) for unit in units}
    targets = [_target(line, wanted.get(line["note"]), factors) for line in sale["lines"]]
    for target in targets:
        if target.base < shipped(target.line):
            raise Rejected(
                f"line {target.line['note']} of sale {sale['number']} cannot become {target.base:f}: "
                f"{shipped(target.line):f} have left already"
            )
    return targets


def _target(line: Record, values: Record | None, factors: Mapping[int, Decimal]) -> Target:
    if values is None:
        return Target(line, Decimal(0), line["unit"]["id"], Decimal(line["unit_price"]), Decimal(0))
    if values["product"] != line["product"]:
        raise Rejected(f"line {line['note']} is in progress: its item cannot change")
    quantity, price = Decimal(values["quantity"]), Decimal(values["unit_price"]["decimal"])
    return Target(line, quantity, values["unit"], price, quantity * factors[values["unit"]])


async def _reach(models: Models, sale: Record, targets: list[Target], why: str) -> Carried:
    differing = [target for target in targets if not target.reached()]
    if differing:
        await _amend(models, sale, differing, why)
    for target in targets:
        await reductions.reduce_to(models, target.line["id"], target.base)
    return carried(await models.one(SALE, sale["id"], FIELDS))


async def _amendments(models: Models, sale: Record, why: str, state: str) -> list[dict[str, Any]]:
    domain = [["sale", "=", sale["id"]], ["state", "=", state], ["description", "=", why]]
    return await models.search(AMENDMENT, domain, ("state",))


async def _amend(models: Models, sale: Record, targets: list[Target], why: str) -> None:
    """One amendment with every line that differs; one of ours that was begun and left is replaced."""
    left = await _amendments(models, sale, why, "draft")
    if left:
        await models.press(AMENDMENT, "delete", *(amendment["id"] for amendment in left))
    for delivery in (await models.one(SALE, sale["id"], ("shipments",)))["shipments"]:
        await deliveries.reset(models, delivery)
    lines = [
        {"action": "line", "line": target.line["id"], "product": target.line["product"],
         "quantity": target.quantity, "unit": target.unit, "unit_price": numeric(target.unit_price)}
        for target in targets
    ]  # fmt: skip
    made = await models.create(
        AMENDMENT, {"sale": sale["id"], "date": models.session.now().date(), "description": why,
                    "lines": [["create", lines]]},
    )  # fmt: skip
    await models.press(AMENDMENT, "validate_amendment", made)


async def _rewrite(models: Models, sale: dict[str, Any], wanted: Mapping[str, Any]) -> Carried:
    """A sale that is not in progress yet gets new lines and goes on."""
    if sale["state"] != "draft":
        await models.press(SALE, "draft", sale["id"])
    known = {line["note"]: line["id"] for line in sale["lines"]}
    gone = [key for note, key in known.items() if note not in wanted]
    changes: list[list[Any]] = [["delete", gone]] if gone else []
    changes += [["write", [known[note]], values] for note, values in wanted.items() if note in known]
    changes.append(["create", [values for note, values in wanted.items() if note not in known]])
    await models.write(SALE, sale["id"], {"lines": changes})
    return await bring_into_progress(models, await models.one(SALE, sale["id"], FIELDS))
