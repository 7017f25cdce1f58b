"""Nightly chores over the ledger; each says in its log what it found and changes nothing a second time."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from throughline.orchestration.credentials import LEDGER, audit_secret

if TYPE_CHECKING:
    from airflow.sdk import Context

    from throughline.ledger import Ledger


class ChoreOperator(BaseOperator):  # type: ignore[misc]  # Airflow is not typed here
    """One chore; the subclasses say which."""

    ui_color = "#eceff1"

    def __init__(self, *, ledger_conn_id: str = LEDGER, **options: Any) -> None:
        super().__init__(**options)
        self.ledger_conn_id = ledger_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Do the chore."""
        from throughline.orchestration.composition import open_ledger  # heavy: only a running task needs it

        done = self.tidy(open_ledger(self.ledger_conn_id), context["params"])
        self.log.info("%s", done)
        return done

    def tidy(self, ledger: Ledger, params: Any) -> dict[str, Any]:
        """What the chore does; what it returns is logged and kept."""
        raise NotImplementedError


class EnsureMonthsOperator(ChoreOperator):
    """Make the partitions that hold next month's documents."""

    def tidy(self, ledger: Ledger, params: Any) -> dict[str, Any]:  # noqa: ARG002 - the chores share a shape
        """Harmless when they are there."""
        ledger.ensure_months()
        return {"months": "ready"}


class WakeWaitingOperator(ChoreOperator):
    """Let go on what waits for a name that is known by now, should its wake-up have been lost with a worker."""

    def tidy(self, ledger: Ledger, params: Any) -> dict[str, Any]:  # noqa: ARG002 - the chores share a shape
        """Normally finds nothing."""
        with ledger.transaction() as books:
            return {"woken": books.identities.wake()}


class RetentionOperator(ChoreOperator):
    """Let old contents and messages go, as `include/retention.yaml` says; hashes stay, and what is on its way."""

    def tidy(self, ledger: Ledger, params: Any) -> dict[str, Any]:  # noqa: ARG002 - the chores share a shape
        """Which months went, how many messages lost their bodies."""
        from throughline.orchestration.places import include_directory
        from throughline.process.retention_rules import retention_in

        rules = retention_in(include_directory())
        with ledger.transaction() as books:
            messages = books.retention.empty_messages(books.now - timedelta(days=rules.inbox_days))
            books.troubles.forget()
        with ledger.transaction() as books:
            months = books.retention.drop_contents(books.now - timedelta(days=rules.payload_days))
        return {"months": months, "messages": messages}


class AgeParkedOperator(ChoreOperator):
    """Say what has been parked for long, by cause, so that somebody mends it."""

    def tidy(self, ledger: Ledger, params: Any) -> dict[str, Any]:
        """One line per cause that is older than `parked_days`."""
        with ledger.transaction() as books:
            groups = books.parked.by_signature()
            oldest = books.now - timedelta(days=int(params["parked_days"]))
        long = [group for group in groups if group.oldest < oldest]
        for group in long:
            self.log.warning("%d parked since %s: %s", group.count, f"{group.oldest:%Y-%m-%d}", group.reason)
        return {"causes": len(groups), "old_causes": len(long), "old_cases": sum(group.count for group in long)}


class WitnessAuditOperator(ChoreOperator):
    """Read the whole audit, and keep its end outside the ledger, signed: a red task means that somebody touched it."""

    def tidy(self, ledger: Ledger, params: Any) -> dict[str, Any]:  # noqa: ARG002 - the chores share a shape
        """Where the head is kept, with the number and the seal of the last line."""
        from throughline.ledger.audit_heads import daily_files, heads_folder
        from throughline.ledger.audit_verification import keep_head, read_heads, verify_audit

        folder, secret = heads_folder(os.environ), audit_secret(self.ledger_conn_id)
        with ledger.transaction() as books:
            verified = verify_audit(books, read_heads(daily_files(folder), secret), self._tell)
        if not verified.whole:
            raise AirflowFailException(verified.sentence)
        with ledger.transaction() as books:
            path, head = keep_head(books, folder, secret)
        return {"line": head.line, "seal": head.seal, "kept": str(path)}

    def _tell(self, lines: int) -> None:
        self.log.info("%d lines …", lines)
