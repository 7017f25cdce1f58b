"""What a worker tells about what it did: one line per document, and the sums."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Outcome:
    """How one document fared in one step."""

    key: str
    item: str
    state: str
    """done, skipped, retrying, waiting_for, parked, or lost (another worker holds it now)"""
    reason: str = ""
    number: str = ""


@dataclass
class StepReport:
    """What one worker did for one step."""

    flow: str
    step: str
    outcomes: list[Outcome] = field(default_factory=list)
    waits_until: datetime | None = None
    """when the system's breaker lets the rest go on"""

    @property
    def counts(self) -> dict[str, int]:
        """How many documents ended in which state."""
        return dict(Counter(outcome.state for outcome in self.outcomes))

    @property
    def moved(self) -> int:
        """How many documents went on."""
        return sum(outcome.state in ("done", "skipped") for outcome in self.outcomes)


@dataclass
class IntakeReport:
    """What one round of intake did."""

    told: int = 0
    new: int = 0
    translated: int = 0
    waiting: int = 0
    held: int = 0
    """what only a broken file keeps from being read"""
    parked: int = 0
    ignored: int = 0
    started: int = 0
    advanced: int = 0

    def __add__(self, other: IntakeReport) -> IntakeReport:
        return IntakeReport(**{name: getattr(self, name) + getattr(other, name) for name in vars(self)})
