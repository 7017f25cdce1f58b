"""How many of an item lie at a site, asked of the system itself. Only reads."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from throughline.canonical import StockLevel
from throughline.errors import Misconfigured, ThroughlineError

if TYPE_CHECKING:
    from throughline.connectors.contract import Connector
    from throughline.process.surroundings import Reading, Words

KIND = "stock_level"


@dataclass(frozen=True)
class Stock:
    """What lies there, in the item's own unit; `told` is False when the system has no line for it."""

    quantity: Decimal
    unit: str | None
    told: bool


async def stock_on_hand(connector: Connector, words: Words, role: str, item: str, site: str | None) -> Stock:
    """Ask the system now; lines of the same item are added up. What it has no line for, it has none of."""
    raw = [record.raw async for page in connector.changes(KIND, None) for record in page.records]
    read = await asyncio.to_thread(words.read, role, KIND, raw)
    levels = [level for reading in read for level in _levels(reading) if _is(level, item, site)]
    if not levels and (trouble := next((error for error in read if isinstance(error, ThroughlineError)), None)):
        raise trouble
    units = {level.on_hand.unit for level in levels}
    if len(units) > 1:
        raise Misconfigured(f"{role} tells the stock of {item} in {', '.join(sorted(units))}: one unit is needed")
    quantity = sum((level.on_hand.value for level in levels), Decimal(0))
    return Stock(quantity, next(iter(units), None), bool(levels))


def _levels(reading: Reading | ThroughlineError) -> list[StockLevel]:
    if isinstance(reading, ThroughlineError) or not isinstance(reading.document, StockLevel):
        return []
    return [reading.document]


def _is(level: StockLevel, item: str, site: str | None) -> bool:
    return item in (level.item, level.item.split(":", 2)[2]) and site in (None, level.site)
