"""How long to wait before trying again: any time between nothing and a limit that doubles, so that crowds disperse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random

FIRST_PAUSE, LONGEST_PAUSE = 60.0, 600.0
"""What is set up wrongly is left alone for a minute, then twice as long each time, up to ten minutes (in seconds)."""


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


def growing(attempt: int, *, first: float, longest: float) -> timedelta:
    """A pause that doubles with every attempt up to a limit, for what only somebody else's doing can end."""
    return timedelta(seconds=min(longest, first * 2.0 ** min(max(attempt - 1, 0), 30)))
