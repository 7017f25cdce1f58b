"""A sensor over a system's own stock: wait until there is less of an item than there should be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseSensorOperator
from airflow.sdk.exceptions import TaskDeferred

from throughline.errors import Misconfigured
from throughline.orchestration.triggers.stock_below import StockBelowTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context

    from throughline.orchestration.stock import Stock


class StockBelowSensor(BaseSensorOperator):  # type: ignore[misc]  # Airflow is not typed here
    """Wait until the stock of an item falls below a threshold, asking the system itself through its connector.

    Args:
        system: the role of the system that knows the stock, usually `wms` (template).
        item: the item's number, or its canonical id (template).
        threshold: fires when there is less than this, in the item's own unit; a text, to stay exact (template).
        site: only the stock of this site; all sites together when absent (template).
        every: seconds between two questions.
    """

    template_fields: Sequence[str] = ("system", "item", "threshold", "site")
    retries: int

    def __init__(
        self, *, system: str = "wms", item: str, threshold: str, site: str | None = None, every: float = 30.0,
        **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(**options)
        self.retries = max(1, self.retries)  # a trigger that fires at once can lose a race in the scheduler of 3.3.2
        self.system, self.item, self.site = system, item, site
        self.threshold = threshold
        self.every = every

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask once; wait in the triggerer only when there is enough."""
        least = self._least()
        stock = self._ask()
        self.log.info("%s: %s %s on hand, threshold %s", self.item, stock.quantity, stock.unit or "", least)
        if stock.quantity < least:
            return self.settle(context, {"item": self.item, "site": self.site, "quantity": str(stock.quantity)})
        trigger = StockBelowTrigger(
            system=self.system, item=self.item, threshold=str(least), site=self.site, every=self.every
        )
        raise TaskDeferred(trigger=trigger, method_name="settle", timeout=timedelta(seconds=self.timeout))

    def settle(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - Airflow's signature
        """Say what was seen."""
        self.log.info("only %s of %s left", event["quantity"], event["item"])
        return event

    def _least(self) -> Decimal:
        try:
            least = Decimal(self.threshold)
        except (InvalidOperation, TypeError):
            least = Decimal("NaN")
        if not least.is_finite():
            raise Misconfigured(f"'{self.threshold}' is not a quantity", where="the sensor's `threshold`")
        return least

    def _ask(self) -> Stock:
        from throughline.orchestration import composition, stock  # heavy: only a running task needs it

        words = composition.words_over(composition.open_ledger())
        connector = composition.open_system(self.system)

        async def once() -> Stock:
            async with connector:
                return await stock.stock_on_hand(connector, words, self.system, self.item, self.site)

        return asyncio.run(once())
