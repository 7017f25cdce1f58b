"""`up`: everything starts as soon as what it needs is there; what runs already is left alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from throughline.errors import Misconfigured
from throughline.local_platform.alone import alone
from throughline.local_platform.components import Component, components
from throughline.local_platform.ports import refuse_taken
from throughline.local_platform.preparations import preparations
from throughline.local_platform.readiness import wait_until
from throughline.local_platform.settings import Settings, load_settings
from throughline.local_platform.stages import Stage, carry_out
from throughline.local_platform.supervision import UP, Supervisor
from throughline.local_platform.sweep import end_all
from throughline.local_platform.warden import forget

Tell = Callable[[str, float], None]
_TRIES = 12.0
"""Seconds during which a component that ends at once is tried again before `up` gives up."""


@dataclass(frozen=True)
class Started:
    """What `up` found and did."""

    already_up: bool
    mended: Sequence[str]
    swept: int
    seconds: float


def refuse_other_lines(faulty: int | None) -> None:
    """Bad lines cannot come or go while everything runs: what runs keeps the addresses it started with."""
    now = load_settings()
    if now is not None and faulty is not None and faulty != now.faulty and Supervisor(now).is_up():
        raise Misconfigured("the platform is up with other lines: `throughline down` first", where="--faulty")


def start(settings: Settings, tell: Tell) -> Started:
    """Start whatever does not run; `tell` hears of each thing that is done and the seconds it took."""
    with alone(settings.state):
        return _start(settings, tell)


def _start(settings: Settings, tell: Tell) -> Started:
    begun = time.monotonic()
    supervisor = Supervisor(settings)
    planned = components(settings)
    was_up = supervisor.is_up()
    swept = 0
    if not was_up:
        swept = len(end_all(settings))
        refuse_taken(settings.ports)
        forget(settings.state)
        supervisor.start(planned)
    else:
        supervisor.refresh(planned)
    states = supervisor.states()
    missing = [one for one in planned if one.name not in states or states[one.name].state not in UP]
    if was_up and not missing:
        return Started(True, (), 0, time.monotonic() - begun)
    stages = [*preparations(settings), *(_stage(supervisor, one) for one in planned)]
    carry_out(stages, tell)
    mended = tuple(one.title for one in missing) if was_up else ()
    return Started(was_up, mended, swept, time.monotonic() - begun)


def _stage(supervisor: Supervisor, component: Component) -> Stage:
    def act(stop: threading.Event) -> None:
        begun = time.monotonic()

        def alive() -> bool:
            state = supervisor.states()[component.name].state
            return state in {"STARTING", "RUNNING"} or (state == "BACKOFF" and time.monotonic() - begun < _TRIES)

        def settled() -> bool:
            return stop.is_set() or component.ready()

        supervisor.run(component.name)
        log = supervisor.settings.logs / f"{component.name}.log"
        wait_until(settled, what=component.title, alive=alive, within=component.within, log=log)

    return Stage(component.name, component.title, component.needs, act)
