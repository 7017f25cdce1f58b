"""The task that keeps one system's documents up to date in the ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from throughline.errors import Misconfigured

if TYPE_CHECKING:
    from airflow.sdk import Context

MESSAGES = "messages"
Window = tuple[datetime | None, datetime | None]


class CaptureOperator(BaseOperator):  # type: ignore[misc]  # Airflow is not typed here
    """Read what changed in a system, keep it in the ledger, and let the processes it concerns go on.

    Reads on from the watermark. In a backfill, or when the run was started with `since` or `until`, that window is read
    again before; what the ledger knows already changes nothing. (While a backfill has runs waiting, Airflow 3.3.2 makes
    no asset-triggered ones: so each of its runs does the ordinary work too.)

    Args:
        role: the system, by its role.
        documents: kinds of documents; all that the system captures when absent.
        options: `outlets` are cut down to the documents that brought something new.
    """

    ui_color = "#e0f7fa"
    template_fields = ("role",)
    outlets: list[Any]

    def __init__(self, *, role: str, documents: list[str] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.role = role
        self.documents = documents

    def execute(self, context: Context) -> dict[str, int]:
        """Capture, understand, follow up."""
        from throughline.orchestration.composition import opened_hub  # heavy: only a running task needs it

        since, until = window_of(context)
        told = []
        with opened_hub() as hub:
            if since or until:
                self.log.info("reading again from %s until %s", since or "the beginning", until or "now")
                told.append(hub.capture(self.role, self.documents, since=since, until=until, run_id=context["run_id"]))
            told.append(hub.capture(self.role, self.documents, run_id=context["run_id"]))
            understood = hub.understand()
        return self._concluded(told, understood)

    def _concluded(self, told: list[Any], understood: Any) -> dict[str, int]:
        reports = [entry for captured in told for entry in captured.items()]
        for document, report in reports:
            self.log.info("%s: %d told, %d new", document, report.told, report.new)
        fresh = {document for document, report in reports if report.new}
        if MESSAGES not in fresh:  # what a message was about is known only when it has been translated
            self.outlets = [outlet for outlet in self.outlets if outlet.name.partition("/")[2] in fresh]
        return self._told(understood, sum(report.new for _, report in reports))

    def _told(self, understood: Any, new: int) -> dict[str, int]:
        counts = {
            "new": new,
            "translated": understood.translated,
            "waiting": understood.waiting,
            "held": understood.held,
            "parked": understood.parked,
            "started": understood.started,
            "advanced": understood.advanced,
        }
        self.log.info("%s", ", ".join(f"{name} {count}" for name, count in counts.items()))
        return counts


def window_of(context: Context) -> Window:
    """The window to read again, or (None, None) to read on from the watermark."""
    params = context["params"]
    since, until = _moment(params.get("since"), "since"), _moment(params.get("until"), "until")
    if since or until:
        return since, until
    run_type = context["dag_run"].run_type
    if getattr(run_type, "value", run_type) == "backfill":  # an enumeration in a task, a text elsewhere
        return _plain(context["data_interval_start"]), _plain(context["data_interval_end"])
    return None, None


def _plain(moment: datetime) -> datetime:
    """Airflow's moments are pendulum's, which do not mix with others in arithmetic."""
    return datetime.fromtimestamp(moment.timestamp(), UTC)


def _moment(text: str | None, name: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Misconfigured(f"'{text}' is not a moment", where=f"the run's `{name}`") from None
    if moment.tzinfo is None:
        raise Misconfigured(f"'{text}' does not say in which time zone", where=f"the run's `{name}`")
    return moment
