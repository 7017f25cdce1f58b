"""Does many things at once, each as soon as what it needs is done, and tells how long each took."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

Tell = Callable[[str, float], None]
_PATIENCE = 20.0


@dataclass(frozen=True)
class Stage:
    """One thing to do; `act` returns when it is done, and raises when it cannot be. Without a title it is not told."""

    name: str
    title: str
    needs: tuple[str, ...]
    act: Callable[[threading.Event], None]


def carry_out(stages: Sequence[Stage], tell: Tell) -> None:
    """Do all stages; the first failure stops what has not begun and is raised once the rest has ended.

    Args:
        stages: in any order; a need that is no stage of this call counts as done.
        tell: called with each finished stage's title and the seconds it took, and when nothing ends for long.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=max(1, len(stages))) as pool:
        try:
            _Course(stages, tell, lambda stage: pool.submit(_timed, stage, stop)).run()
        finally:
            stop.set()


class _Course:
    """Who waits, who is being done, who is done."""

    def __init__(self, stages: Sequence[Stage], tell: Tell, begin: Callable[[Stage], Future[float]]) -> None:
        self._given = {stage.name for stage in stages}
        self._waiting = list(stages)
        self._done: set[str] = set()
        self._doing: dict[Future[float], Stage] = {}
        self._tell = tell
        self._begin = begin

    def run(self) -> None:
        while self._waiting or self._doing:
            ready = [one for one in self._waiting if set(one.needs) & self._given <= self._done]
            self._waiting = [one for one in self._waiting if one not in ready]
            self._doing |= {self._begin(one): one for one in ready}
            if not self._doing:
                raise ValueError(f"these wait for each other: {', '.join(one.name for one in self._waiting)}")
            self._await()

    def _await(self) -> None:
        ended = wait(self._doing, timeout=_PATIENCE, return_when=FIRST_COMPLETED).done
        if not ended:
            titles = ", ".join(stage.title for stage in self._doing.values() if stage.title)
            self._tell(f"… still at: {titles}", _PATIENCE)
        for future in ended:
            stage = self._doing.pop(future)
            seconds = future.result()
            self._done.add(stage.name)
            if stage.title:
                self._tell(stage.title, seconds)


def _timed(stage: Stage, stop: threading.Event) -> float:
    begun = time.monotonic()
    stage.act(stop)
    return time.monotonic() - begun
