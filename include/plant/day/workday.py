"""The loop of the day: every area looks at its system, works, and bears with it when it is down."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

Work = Callable[[float], list[str]]
Say = Callable[[str], None]

_LONGEST_REST = 5.0


class Area:
    """One part of the plant; when its system does not answer, it rests a little longer each time."""

    def __init__(self, name: str, work: Work, say: Say) -> None:
        self._name, self._work, self._say = name, work, say
        self._rests_until = 0.0
        self._failures = 0

    def turn(self, now: float) -> None:
        """Do what is due, if the area is not resting."""
        if now < self._rests_until:
            return
        try:
            done = self._work(now)
        except Exception as trouble:  # noqa: BLE001 - whatever ails one system, the rest of the plant works on
            self._rest(now, trouble)
            return
        self._recover()
        for sentence in done:
            self._say(f"{self._name}: {sentence}")

    def _rest(self, now: float, trouble: Exception) -> None:
        self._failures += 1
        self._rests_until = now + min(0.3 * 2 ** min(self._failures, 10), _LONGEST_REST)
        if self._failures == 1:
            self._say(f"{self._name}: no answer, will try again ({type(trouble).__name__}: {trouble})")

    def _recover(self) -> None:
        if self._failures:
            self._say(f"{self._name}: back at work")
        self._failures = 0


def run(areas: Iterable[Area], poll_seconds: float, goes_on: Callable[[], bool] = lambda: True) -> None:
    """Turn from area to area until told to stop."""
    listed: list[Any] = list(areas)
    while goes_on():
        now = time.monotonic()
        for area in listed:
            area.turn(now)
        time.sleep(poll_seconds)
