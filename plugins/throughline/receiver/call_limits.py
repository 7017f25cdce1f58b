"""How often somebody may call: so many at once, then evenly; remembered for the most recent callers only."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

_REMEMBERED = 10_000


class CallLimit:
    """A bucket for each caller that holds `calls` and fills up again within `seconds`."""

    def __init__(self, calls: int, seconds: float, clock: Callable[[], datetime]) -> None:
        self._calls, self._seconds, self._clock = calls, seconds, clock
        self._buckets: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def wait(self, caller: str) -> int:
        """Take one call; 0 when it is allowed, otherwise the seconds to wait."""
        now = self._clock()
        left, since = self._buckets.get(caller, (float(self._calls), now))
        left = min(float(self._calls), left + max(0.0, (now - since).total_seconds()) * self._calls / self._seconds)
        allowed = left >= 1
        self._buckets[caller] = (left - 1 if allowed else left, now)
        self._buckets.move_to_end(caller)
        while len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        return 0 if allowed else max(1, round((1 - left) * self._seconds / self._calls))

    def spent(self, caller: str) -> bool:
        """Whether a caller has nothing left, without taking anything."""
        left, since = self._buckets.get(caller, (float(self._calls), self._clock()))
        passed = max(0.0, (self._clock() - since).total_seconds())
        return left + passed * self._calls / self._seconds < 1
