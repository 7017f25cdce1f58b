"""What happens to one call on its way: drawn from the seed, as long as the storm lasts."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True)
class Gust:
    """What becomes of one call. Times are seconds after it was made."""

    kind: str = "fine"
    travels: float = 0.05
    returns: float = 0.05
    wait: float = 0.0
    """what the target asks us to wait (429)"""


FINE = Gust()
WRITE_GUSTS = {
    "lost before": 3, "lost after": 5, "late": 4, "unreachable": 2, "throttled": 2, "throttled by body": 1, "busy": 2,
    "error before": 2, "error after": 3, "page": 1, "page after": 1, "cut off": 2, "slow": 2,
}  # fmt: skip
READ_GUSTS = {"lost before": 3, "unreachable": 2, "throttled": 2, "busy": 2, "error before": 2, "page": 2, "cut off": 2,
              "slow": 1}  # fmt: skip
POLL_GUSTS = {**READ_GUSTS, "empty page": 2}
LATEST = 58.0
"""When a write that was not answered may take effect at the latest; the profiles declare 60."""


class Weather:
    """One schedule's storms."""

    def __init__(self, rng: Random, *, roughness: float, budget: int) -> None:
        self._rng, self.roughness, self.left = rng, roughness, budget
        self._stormy = budget > 0
        self.forced: dict[int, str] = {}
        self.calls = 0

    def over(self) -> None:
        """From now on it is fine."""
        self.left, self._stormy = 0, False
        self.forced = {}

    def gust(self, *, writes: bool, tier: str, polls: bool = False) -> Gust:
        """What becomes of the next call."""
        self.calls += 1
        rng = self._rng
        travels, returns = rng.uniform(0.01, 0.4), rng.uniform(0.01, 0.4)
        forced = self.forced.pop(self.calls, None)
        if forced is None and not self._strikes(tier):
            return Gust("fine", travels, returns)
        table = WRITE_GUSTS if writes else POLL_GUSTS if polls else READ_GUSTS
        kind = forced or rng.choices(list(table), list(table.values()))[0]
        self.left -= 1
        if kind == "late":
            travels = rng.uniform(10.5, LATEST if tier == "T3" or rng.random() < 0.7 else 400.0)
        if kind == "slow":
            returns = rng.uniform(3, 8)
        wait = float(rng.choice([2, 5, 20, 45])) if kind.startswith("throttled") else 0.0
        return Gust(kind, travels, returns, wait)

    def _strikes(self, tier: str) -> bool:
        """Letters are few and come last, when the storms are spent: they get one of their own, often."""
        if tier == "T4" and self._stormy:
            return self._rng.random() < 0.4
        return self.left > 0 and self._rng.random() < self.roughness
