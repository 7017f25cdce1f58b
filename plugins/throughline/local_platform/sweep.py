"""Finds every process of an instance, however it got away, and ends it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from throughline.local_platform.components import postgres
from throughline.local_platform.environment import MARK
from throughline.local_platform.settings import Settings


@dataclass(frozen=True)
class Left:
    """A process that should not be there any more."""

    pid: int
    what: str


def processes_of(settings: Settings) -> Sequence[psutil.Process]:
    """Every living process that carries the instance's mark, and its PostgreSQL; not this process or its parents."""
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    data = str(postgres(settings).data)
    return [
        process
        for process in psutil.process_iter()
        if process.pid not in ours and (_marked(process, settings.instance) or _serves(process, data))
    ]


def _marked(process: psutil.Process, instance: str) -> bool:
    try:
        return process.environ().get(MARK) == instance
    except (psutil.Error, OSError):
        return False


def _serves(process: psutil.Process, data: str) -> bool:
    try:
        return data in process.cmdline()
    except (psutil.Error, OSError):
        return False


def end_all(settings: Settings, *, patience: float = 5.0) -> Sequence[Left]:
    """Ask all that are left to stop, then end them by force; tells which they were."""
    left = processes_of(settings)
    told = [Left(process.pid, _name(process)) for process in left]
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(left, timeout=patience)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(stubborn, timeout=patience)
    return told


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()[:4]) or process.name()
    except psutil.Error:
        return "a process that has just ended"
