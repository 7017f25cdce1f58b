"""So many calls in so many seconds, for each API by itself."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable


class CallLimits:
    """Remembers recent calls of each API and says when one is too many."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._recent: dict[str, deque[float]] = defaultdict(deque)

    def admits(self, name: str, calls: int, seconds: float) -> bool:
        """Whether one more call fits; a call that is admitted counts. No limit when `calls` is 0."""
        if calls <= 0:
            return True
        now, recent = self._clock(), self._recent[name]
        while recent and recent[0] <= now - seconds:
            recent.popleft()
        if len(recent) >= calls:
            return False
        recent.append(now)
        return True

    def clear(self) -> None:
        """Forget all calls."""
        self._recent.clear()
