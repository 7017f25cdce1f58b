"""`down`: what writes stops first, the database last, and nothing of the instance is left running."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psutil

from throughline.errors import Transient
from throughline.local_platform.alone import alone
from throughline.local_platform.settings import Settings
from throughline.local_platform.supervision import Supervisor
from throughline.local_platform.sweep import Left, end_all

ORDER = (
    ("day", "scheduler", "triggerer"),
    ("dag-processor", "api-server", "receiver"),
    ("proxy", "crm", "mes", "wms", "smtp", "tryton"),
    ("postgres", "warden"),
)
Tell = Callable[[str, float], None]


@dataclass(frozen=True)
class Stopped:
    """What `down` found: whether anything ran, and what had got away from the supervisor."""

    was_up: bool
    swept: Sequence[Left]
    seconds: float


def stop(settings: Settings, tell: Tell) -> Stopped:
    """Stop the instance; safe to repeat."""
    with alone(settings.state):
        return _stop(settings, tell)


def _stop(settings: Settings, tell: Tell) -> Stopped:
    begun = time.monotonic()
    supervisor = Supervisor(settings)
    was_up = supervisor.is_up()
    if was_up:
        for group in ORDER:
            _end(supervisor, group, tell)
        pid = supervisor.shutdown()
        _wait(lambda: not psutil.pid_exists(pid), 20)
    swept = end_all(settings)
    supervisor.socket.unlink(missing_ok=True)
    return Stopped(was_up, swept, time.monotonic() - begun)


def _end(supervisor: Supervisor, group: Sequence[str], tell: Tell) -> None:
    begun = time.monotonic()
    states = supervisor.states()
    living = [name for name in group if name in states and states[name].state not in {"STOPPED", "EXITED", "FATAL"}]
    for name in living:
        supervisor.end(name)
    _wait(lambda: all(supervisor.states()[name].pid is None for name in living), 40)
    if living:
        tell(f"Stopped: {', '.join(living)}", time.monotonic() - begun)


def _wait(done: Callable[[], bool], within: float) -> None:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if done():
                return
        except Transient:
            return
        time.sleep(0.1)
