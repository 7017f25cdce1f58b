"""Sensors over the ledger: a document has come as far as it should, an approval was given."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk import BaseSensorOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred

from throughline.orchestration import sightings
from throughline.orchestration.credentials import LEDGER
from throughline.orchestration.reaching import Reach, check_statuses
from throughline.orchestration.triggers.document_status import DocumentStatusTrigger

if TYPE_CHECKING:
    from airflow.sdk import Context


class DocumentStatusSensor(BaseSensorOperator):  # type: ignore[misc]  # Airflow is not typed here
    """Wait until a document reaches a status, whatever number it is known by; fails at once when it never will.

    Args:
        number: any number or id of the document, in any system (template).
        status: the status, or several of which one is enough (template). Statuses further along count as reached.
        document: the kind of document, when the number alone is not clear (template).
        system: the role whose word counts, when several systems tell of the document (template).
        ledger_conn_id: the Airflow connection of the ledger.
        every: seconds between two looks.
    """

    retries: int
    template_fields: Sequence[str] = ("number", "status", "document", "system")

    def __init__(
        self, *, number: str, status: str | Collection[str], document: str | None = None, system: str | None = None,
        ledger_conn_id: str = LEDGER, every: float = 2.0, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(**options)
        self.retries = max(1, self.retries)  # a trigger that fires at once can lose a race in the scheduler of 3.3.2
        self.number, self.document, self.system = number, document, system
        self.status = status
        self.ledger_conn_id, self.every = ledger_conn_id, every

    def execute(self, context: Context) -> dict[str, Any]:
        """Look once; wait in the triggerer only when the answer is not final."""
        from throughline.orchestration.composition import open_ledger  # heavy: only a running task needs it

        sought = self._sought()
        if sought.document and sought.field == "status":  # a number alone does not say which statuses there are
            check_statuses(sought.document, sought.wanted)
        sighting = sightings.sight(open_ledger(self.ledger_conn_id), sought)
        if sighting.reach is not Reach.NOT_YET:
            return self.settle(context, sighting.described())
        self.log.info("%s is %s; waiting for %s", self.number, sighting.status or "unknown", sorted(sought.wanted))
        trigger = DocumentStatusTrigger(sought=sought.described(), ledger_conn_id=self.ledger_conn_id, every=self.every)
        raise TaskDeferred(trigger=trigger, method_name="settle", timeout=timedelta(seconds=self.timeout))

    def settle(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - Airflow's signature
        """Judge what was seen."""
        if event["reach"] == Reach.NEVER:
            raise AirflowFailException(
                f"{self.number} is {event['status']} in {event['system']} and will never be {self.status}"
            )
        self.log.info("%s is %s in %s", self.number, event["status"], event["system"])
        return event

    def _sought(self) -> sightings.Sought:
        wanted = frozenset([self.status] if isinstance(self.status, str) else self.status)
        return sightings.Sought(self.number, wanted, self.document, self.system)


class ApprovalSensor(DocumentStatusSensor):
    """Wait until somebody decided about a document, and read the verdict: approved or refused, not just finished.

    Args:
        approved: values that mean yes (template).
        refused: values that mean no (template).
        field: where the document says so (`status` unless it keeps approvals elsewhere).
        on_refusal: what a no means for this task: `fail` it, `skip` what follows, or `return` the verdict.
        options: number, document, system and the rest of `DocumentStatusSensor`.
    """

    template_fields: Sequence[str] = ("number", "document", "system", "approved", "refused")

    def __init__(
        self, *, approved: Collection[str] = ("confirmed",), refused: Collection[str] = ("rejected", "cancelled"),
        field: str = "status", on_refusal: Literal["fail", "skip", "return"] = "fail", **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(status="", **options)
        self.approved = approved
        self.refused = refused
        self.field, self.on_refusal = field, on_refusal

    def settle(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Read the verdict."""
        self.status = ", ".join(self.approved)
        verdict = "refused" if event["status"] in self.refused else "approved"
        if event["reach"] == Reach.NEVER or verdict == "approved":
            return {**super().settle(context, event), "verdict": verdict}
        sentence = f"{self.number} was refused: it is {event['status']} in {event['system']}"
        self.log.info("%s", sentence)
        if self.on_refusal == "fail":
            raise AirflowFailException(sentence)
        if self.on_refusal == "skip":
            raise AirflowSkipException(sentence)
        return {**event, "verdict": verdict}

    def _sought(self) -> sightings.Sought:
        wanted = frozenset([*self.approved, *self.refused])
        return sightings.Sought(self.number, wanted, self.document, self.system, self.field)
