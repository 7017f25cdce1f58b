"""Does many things at once, each as soon as what it needs is done, and tells how long each took."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

Tell = Callable[[str, float], None]


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
        tell: called with each finished stage's title and the seconds it took.
    """
    given = {stage.name for stage in stages}
    waiting = list(stages)
    done: set[str] = set()
    doing: dict[Future[float], Stage] = {}
    stop = threading.Event()
    with ThreadPoolExecutor(max_workers=max(1, len(stages))) as pool:
        try:
            while waiting or doing:
                ready = [one for one in waiting if set(one.needs) & given <= done]
                waiting = [one for one in waiting if one not in ready]
                doing |= {pool.submit(_timed, one, stop): one for one in ready}
                if not doing:
                    raise ValueError(f"these wait for each other: {', '.join(one.name for one in waiting)}")
                for future in wait(doing, return_when=FIRST_COMPLETED).done:
                    stage = doing.pop(future)
                    seconds = future.result()
                    done.add(stage.name)
                    if stage.title:
                        tell(stage.title, seconds)
        finally:
            stop.set()


def _timed(stage: Stage, stop: threading.Event) -> float:
    begun = time.monotonic()
    stage.act(stop)
    return time.monotonic() - begun
