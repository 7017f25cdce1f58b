"""How long to wait before trying again: any time between nothing and a limit that doubles, so that crowds disperse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random


@dataclass(frozen=True)
class Patience:
    """How often and how long a delivery is tried again before a person is asked."""

    first: float = 1.0
    longest: float = 300.0
    attempts: int = 12

    def pause(self, attempt: int, rng: Random, *, at_least: float | None = None) -> timedelta:
        """The pause after so many attempts; a wish of the target (Retry-After) is honoured and a little spread."""
        limit = min(self.longest, self.first * 2.0 ** min(attempt, 30))
        drawn = rng.uniform(0, limit)
        return timedelta(seconds=drawn if at_least is None else at_least + rng.uniform(0, min(1.0, limit)))
