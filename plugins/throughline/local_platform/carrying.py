"""Lets ready work be carried: by the Airflow of this machine when it runs, otherwise by a process made for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

from throughline.errors import Misconfigured, Transient
from throughline.local_platform.environment import component_environment, connection_variables
from throughline.local_platform.readiness import airflow_health
from throughline.local_platform.settings import Settings, load_settings

BY_HAND = "throughline.orchestration.sweep_by_hand"
LOOK_EVERY = 1.0
_MISCONFIGURED = 3


def carrier(*, here: bool = False, settings: Settings | None = None) -> Callable[[], None]:
    """What to do between two looks at work in the ledger: wait for Airflow, or carry it in a process of our own.

    With `here` it is carried by us even though Airflow may run: the ledger's leases keep both apart. Where this machine
    runs no instance of its own (the ledger is elsewhere), somebody else's Airflow is waited for.
    """
    found = settings or load_settings()
    if here or (found is not None and not _airflow_runs(found)):
        return lambda: _sweep(found)
    return lambda: time.sleep(LOOK_EVERY)


def _airflow_runs(settings: Settings) -> bool:
    health = airflow_health(settings.ui)
    return all(health.get(part) == "healthy" for part in ("scheduler", "triggerer"))


def _sweep(settings: Settings | None) -> None:
    """One round: sweeps until nothing is ready, in a process with the environment Airflow's tasks have."""
    environment = dict(os.environ) if settings is None else _environment(settings)
    done = subprocess.run([sys.executable, "-m", BY_HAND], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        kind = Misconfigured if done.returncode == _MISCONFIGURED else Transient
        raise kind(f"the work could not be carried here: {said}")
    time.sleep(LOOK_EVERY)


def _environment(settings: Settings) -> Mapping[str, str]:
    own = component_environment(settings)
    return {**own, **connection_variables(settings), "AIRFLOW_CONN_LEDGER": own["THROUGHLINE_LEDGER_DSN"]}
