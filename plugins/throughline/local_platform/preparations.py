"""What must be there before a component starts: databases, tables, the ERP's master data, a warm Airflow API."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from throughline.errors import ThroughlineError, Transient
from throughline.local_platform.components import postgres
from throughline.local_platform.environment import component_environment
from throughline.local_platform.plant import write_day_file
from throughline.local_platform.readiness import answers, last_words
from throughline.local_platform.settings import Settings
from throughline.local_platform.stages import Stage


def preparations(settings: Settings) -> Sequence[Stage]:
    """In any order: each says what it needs."""
    server = postgres(settings)

    def databases(_: threading.Event) -> None:
        for database in ("airflow", "ledger"):
            server.create_database(database)

    return (
        Stage("cluster", "", (), lambda _: server.prepare()),
        Stage("day_file", "", (), lambda _: write_day_file(settings)),
        Stage("databases", "Databases", ("postgres",), databases),
        Stage("ledger", "Ledger's tables", ("databases",), Job(settings, "ledger_setup")),
        Stage(
            "airflow_database",
            "Airflow's tables, login and connections",
            ("databases",),
            Job(settings, "airflow_setup"),
        ),
        Stage("tryton_database", "Tryton's database and master data", ("postgres",), Job(settings, "plant_setup")),
        Stage("warm", "Airflow's API is warm", ("api-server", "dag-processor"), WarmUp(settings.ui)),
    )


@dataclass(frozen=True)
class Job:
    """A preparation in a process of its own, so that several use both cores; its words go to a log of its own."""

    settings: Settings
    module: str

    def __call__(self, stop: threading.Event) -> None:
        """Run it to its end; end it when something else has failed."""
        log = self.settings.logs / f"{self.module}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                (sys.executable, "-m", f"throughline.local_platform.{self.module}"),
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                cwd=self.settings.project, env=component_environment(self.settings),
            )  # fmt: skip
        while process.poll() is None:
            if stop.wait(0.2):
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise Transient(f"{self.module} was given up because something else failed")
        if process.returncode:
            raise ThroughlineError(f"{self.module} failed: {last_words(log)}")


@dataclass(frozen=True)
class WarmUp:
    """The first call into the task API builds it and takes seconds: make that call before the first task does."""

    ui: str
    within: float = 180.0

    def __call__(self, stop: threading.Event) -> None:
        """Call until it answers."""
        answered = answers(f"{self.ui}/execution/health", within=self.within)
        deadline = time.monotonic() + self.within
        while not answered():
            if stop.wait(0.3) or time.monotonic() > deadline:
                raise Transient("Airflow's task API did not answer: see api-server.log")
