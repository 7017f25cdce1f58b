"""Listens to the supervisor: counts unexpected ends, clears away what a killed component left, and gives none up.

Airflow's scheduler, killed outright, leaves its workers running; the next scheduler would share the machine with them.
They are in the dead process's group, so they are ended with it. The ledger makes sure that no work is lost or doubled.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path

from supervisor import childutils

from throughline.errors import Transient
from throughline.local_platform.settings import load_settings, state_directory, write_private

RESTARTS = "restarts.json"


def restarts(state: Path) -> dict[str, int]:
    """How often each component ended by itself since the platform was started."""
    try:
        return {str(name): int(times) for name, times in json.loads((state / RESTARTS).read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return {}


def forget(state: Path) -> None:
    """Count from nothing again."""
    (state / RESTARTS).unlink(missing_ok=True)


def attend(state: Path, name: str, pid: int) -> None:
    """One component ended by itself: count it, end the rest of its process group."""
    counted = restarts(state)
    write_private(state / RESTARTS, json.dumps({**counted, name: counted.get(name, 0) + 1}))
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def begin_anew(state: Path, name: str) -> None:
    """The supervisor has given a component up after some attempts: a database may be away for longer than that."""
    from throughline.local_platform.supervision import Supervisor  # heavy, and seldom needed

    settings = load_settings(state)
    if settings is not None:
        with contextlib.suppress(Transient):  # the supervisor itself is going
            Supervisor(settings).run(name)


def listen() -> None:
    """Answer the supervisor's events until it goes."""
    while True:
        try:
            event, payload = childutils.listener.wait(sys.stdin, sys.stdout)
        except KeyError:  # an empty line instead of a header: the supervisor is gone
            return
        told, _ = childutils.eventdata(f"{payload}\n")
        if event["eventname"] == "PROCESS_STATE_FATAL":
            begin_anew(state_directory(), told["processname"])
        elif told["expected"] == "0" or told["from_state"] == "RUNNING":
            attend(state_directory(), told["processname"], int(told["pid"]))
        childutils.listener.ok(sys.stdout)


if __name__ == "__main__":
    listen()
