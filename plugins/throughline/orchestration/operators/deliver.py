"""A task for anybody's DAG: deliver a document the hub knows to a system, once in effect."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from throughline.orchestration.retrying import POLICY

if TYPE_CHECKING:
    from airflow.sdk import Context

    from throughline.ledger.work_entries import Delivery
    from throughline.orchestration.single_delivery import Wish


class DeliverOperator(BaseOperator):  # type: ignore[misc]  # Airflow is not typed here
    """Deliver a document to a system through the ledger; running it again does nothing a second time.

    Args:
        number: any number or id of the document, in any system (template).
        system: the role to deliver to (template).
        operation: what to do there: create, change, cancel, … (template).
        document: the kind of document, when the number alone is not clear (template).
        source: the role whose version of the document is delivered; its owner's when absent (template).
        options: whatever an Airflow task takes. By itself it is tried again four times, as the error says.
    """

    ui_color = "#e3f2fd"
    template_fields: Sequence[str] = ("number", "system", "operation", "document", "source")

    def __init__(
        self, *, number: str, system: str, operation: str = "create", document: str | None = None,
        source: str | None = None, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(**{"retries": 4, "retry_policy": POLICY, **options})
        self.number, self.system, self.operation = number, system, operation
        self.document, self.source = document, source

    def execute(self, context: Context) -> dict[str, str | None]:  # noqa: ARG002 - Airflow's signature
        """Deliver, or learn that it was delivered before."""
        from throughline.orchestration.single_delivery import Wish  # heavy: only a running task needs it

        asker = f"{self.dag_id}.{self.task_id}"
        row = self._carry_out(Wish(asker, self.number, self.system, self.operation, self.document, self.source))
        self.log.info("%s of %s in %s: %s %s", row.operation, row.canonical_id, row.role, row.state, row.number or "")
        return {"canonical_id": row.canonical_id, "state": row.state, "their_id": row.their_id, "number": row.number}

    def _carry_out(self, wish: Wish) -> Delivery:
        from throughline.orchestration import composition, single_delivery  # heavy: only a running task needs it

        ledger = composition.open_ledger()
        connector, words = composition.open_system(wish.system), composition.words_over(ledger)

        async def once() -> Delivery:
            async with connector:
                return await single_delivery.deliver(ledger, connector, words, wish)

        return asyncio.run(once())
