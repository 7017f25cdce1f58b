"""What must be there before a component starts: databases, tables, the ERP's master data, a warm Airflow API."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from throughline.errors import ThroughlineError, Transient
from throughline.local_platform.components import postgres
from throughline.local_platform.environment import component_environment
from throughline.local_platform.readiness import answers, last_words
from throughline.local_platform.settings import Settings
from throughline.local_platform.stages import Stage


def preparations(settings: Settings) -> tuple[Stage, ...]:
    """In any order: each says what it needs."""

    def module(name: str, *arguments: str) -> Sequence[str]:
        return (sys.executable, "-m", f"throughline.local_platform.{name}", *arguments)

    def databases(_: threading.Event) -> None:
        server = postgres(settings)
        for database in ("airflow", "ledger"):
            server.create_database(database)

    def cluster(_: threading.Event) -> None:
        postgres(settings).prepare()

    return (
        Stage("cluster", "PostgreSQL's files", (), cluster),
        Stage("databases", "Databases", ("postgres",), databases),
        Stage("ledger", "Ledger's tables", ("databases",), _job(settings, "ledger_setup", module("ledger_setup"))),
        Stage(
            "airflow_database", "Airflow's tables, login and connections", ("databases",),
            _job(settings, "airflow_setup", module("airflow_setup")),
        ),
        Stage(
            "tryton_database", "Tryton's database and master data", ("postgres",),
            _job(settings, "tryton_setup", module("plant_setup")),
        ),
        Stage("warm", "Airflow's API is warm", ("api-server", "dag-processor"), _warm_up(settings)),
    )  # fmt: skip


def _job(settings: Settings, name: str, command: Sequence[str]) -> _Job:
    return _Job(settings, name, tuple(command))


class _Job:
    """A preparation in a process of its own, so that many use both cores; its words go to a log of its own."""

    def __init__(self, settings: Settings, name: str, command: Sequence[str]) -> None:
        self.settings = settings
        self.name = name
        self.command = command

    def __call__(self, stop: threading.Event) -> None:
        log = self.settings.logs / f"{self.name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                cwd=self.settings.project, env=component_environment(self.settings),
            )  # fmt: skip
        while process.poll() is None:
            if stop.wait(0.05):
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise Transient(f"{self.name} was given up because something else failed")
        if process.returncode:
            raise ThroughlineError(f"{self.name} failed: {last_words(log)}")


def _warm_up(settings: Settings) -> _WarmUp:
    return _WarmUp(settings.ui)


class _WarmUp:
    """The first call into the task API builds it and takes seconds: make that call before the first task does."""

    def __init__(self, ui: str) -> None:
        self.check = answers(f"{ui}/execution/health", within=120)

    def __call__(self, stop: threading.Event) -> None:
        deadline = time.monotonic() + 180
        while not self.check():
            if stop.wait(0.2) or time.monotonic() > deadline:
                raise Transient("Airflow's task API did not answer: see api-server.log")
