"""The task that reads everything a system has, to take in what was missed and to find what was deleted."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from throughline.orchestration.hub import Hub
    from throughline.process.snapshots import SnapshotReport


class SnapshotOperator(BaseOperator):  # type: ignore[misc]  # Airflow is not typed here
    """Read everything of each kind of document that its profile fences by W3; one kind's failure spares the others.

    A reading that was interrupted is taken up where it was. What would delete too much waits in the parking lot.

    Args:
        role: the system, by its role.
        documents: kinds of documents; all that are fenced by W3 when absent.
    """

    ui_color = "#e8eaf6"
    template_fields = ("role",)

    def __init__(self, *, role: str, documents: list[str] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.role = role
        self.documents = documents

    def execute(self, context: Context) -> dict[str, Any]:
        """Read, compare, mark; then let what was found go its way."""
        from throughline.connectors.landscape import whole_kinds  # heavy: only a running task needs it
        from throughline.orchestration.composition import opened_hub

        told: dict[str, Any] = {}
        failures: list[Exception] = []
        with opened_hub() as hub:
            kinds = self.documents or whole_kinds(hub.landscape.system(self.role))
            if not kinds:
                self.log.info("nothing of %s is read whole: no profile fence of it says W3", self.role)
            for document in kinds:
                try:
                    told[document] = self._tell(take_snapshot(hub, self.role, document, context["run_id"]))
                except Exception as error:
                    self.log.exception("%s could not be read whole", document)
                    failures.append(error)
            hub.understand()
        if failures:
            raise failures[0]
        return told

    def _tell(self, report: SnapshotReport) -> dict[str, Any]:
        tell = self.log.warning if report.outcome in ("stopped", "incomplete") else self.log.info
        tell(
            "%s: %s; %d read, %d stored, %d missing, %d deleted. %s", report.document, report.outcome, report.read,
            report.stored, report.missing, report.deleted, report.reason,
        )  # fmt: skip
        return asdict(report)


def take_snapshot(hub: Hub, role: str, document: str, run_id: str) -> SnapshotReport:
    """One reading of everything of one kind."""
    from throughline.process.snapshots import Snapshot

    hub.connect(role)  # a wrong connection shows here, and is looked up outside the event loop
    brake = hub.landscape.system(role).snapshot.stop_at
    return asyncio.run(Snapshot(hub.engine.ledger, hub.connect, role, document, brake, run_id).take())
