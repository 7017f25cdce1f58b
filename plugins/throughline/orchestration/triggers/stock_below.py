"""Waits in the triggerer until the stock of an item is low, asking the system itself every few seconds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from throughline.orchestration.triggers.pacing import Look, announce_through_failures


class StockBelowTrigger(BaseTrigger):  # type: ignore[misc]  # Airflow is not typed here
    """Fires once, with the quantity seen."""

    def __init__(self, *, system: str, item: str, threshold: str, site: str | None = None, every: float = 30.0) -> None:
        super().__init__()
        self.system, self.item, self.threshold, self.site, self.every = system, item, threshold, site, every

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What the triggerer needs to make this watcher again."""
        return f"{__name__}.StockBelowTrigger", {
            "system": self.system,
            "item": self.item,
            "threshold": self.threshold,
            "site": self.site,
            "every": self.every,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire when the stock is below the threshold."""
        async for seen in announce_through_failures(self._opened, every=self.every, again=self.every):
            (quantity,) = seen
            yield TriggerEvent({"item": self.item, "site": self.site, "quantity": str(quantity)})
            return

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Look]:
        from throughline.orchestration import composition, stock  # heavy: only a running trigger needs it

        words = composition.words_over(await composition.aopen_ledger())
        async with await composition.aopen_system(self.system) as connector:

            async def look() -> frozenset[Hashable]:
                seen = await stock.stock_on_hand(connector, words, self.system, self.item, self.site)
                return frozenset({seen.quantity}) if seen.quantity < Decimal(self.threshold) else frozenset()

            yield look
