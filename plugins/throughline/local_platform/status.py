"""`status`: what runs, since when, how often it had to be started again, and whether it answers."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from throughline.local_platform.components import Component, components
from throughline.local_platform.settings import Settings
from throughline.local_platform.supervision import Running, Supervisor
from throughline.local_platform.warden import restarts


@dataclass(frozen=True)
class Condition:
    """One component as a person wants to see it."""

    name: str
    title: str
    state: str
    healthy: bool
    pid: int | None
    seconds: int
    restarts: int
    port: int | None


def conditions(settings: Settings) -> Sequence[Condition]:
    """Every component of the instance; all are `STOPPED` when nothing is running."""
    supervisor = Supervisor(settings)
    states = supervisor.states() if supervisor.is_up() else {}
    counted = restarts(settings.state)

    def condition(component: Component) -> Condition:
        running = states.get(component.name, Running(component.name, "STOPPED", None, 0))
        healthy = running.state in {"STARTING", "RUNNING"} and component.ready()
        return Condition(
            component.name, component.title, running.state, healthy, running.pid, int(running.seconds),
            counted.get(component.name, 0), component.port,
        )  # fmt: skip

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(condition, components(settings)))
