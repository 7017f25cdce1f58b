"""What the task log says about a sweep: one line per document, the troubled ones with their reason."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from throughline.process.reports import Outcome, StepReport

TROUBLED = frozenset({"parked", "retrying", "waiting_for", "lost"})


def tell(log: logging.Logger, report: StepReport, seconds: float) -> dict[str, int]:
    """Write the lines and a sum; give the sums back for the task's return value."""
    for outcome in report.outcomes:
        level = logging.WARNING if outcome.state in TROUBLED else logging.INFO
        log.log(level, "%s", line(outcome))
    sums = ", ".join(f"{state} {count}" for state, count in sorted(report.counts.items())) or "nothing to do"
    log.info("%s: %s in %.2f s", report.step, sums, seconds)
    if report.waits_until:
        log.warning("the system is left alone until %s; the rest goes on then", f"{report.waits_until:%H:%M:%S} UTC")
    return report.counts


def line(outcome: Outcome) -> str:
    """One document: what became of it, its number there, and why when it did not go on."""
    item = f" · {outcome.item}" if outcome.item and outcome.item != outcome.key else ""
    number = f" → {outcome.number}" if outcome.number else ""
    reason = f": {outcome.reason}" if outcome.reason else ""
    return f"{outcome.state:<11} {outcome.key}{item}{number}{reason}"
