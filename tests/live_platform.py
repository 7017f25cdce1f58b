"""A whole platform as `make demo` starts it, for tests: real Airflow, real ERP, real sockets, asked from outside.

Nothing here reaches into the hub: the command line, Airflow's REST API, the CRM's and the ERP's own APIs.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
import psutil

from include.plant.emulators.clients import CrmPeople
from include.plant.tally import Tally
from throughline.local_platform.settings import Settings, load_settings

COMMAND = [str(Path(sys.executable).parent / "throughline")]
FLOW = "order_to_delivery"
PORTS = 30
"""How many ports an instance may use from its base on."""


class Platform:
    """One running instance with a state directory of its own."""

    def __init__(self, state: Path) -> None:
        self.environment = {**os.environ, "THROUGHLINE_STATE": str(state), "THROUGHLINE_PORT_BASE": str(free_block())}
        self.environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self.state = state

    def run(self, *arguments: str, ok: bool = True) -> str:
        """One command of the command line; what it printed."""
        done = subprocess.run([*COMMAND, *arguments], env=self.environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0 or not ok, f"{arguments}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def told(self, *arguments: str) -> Any:
        """The same, as the JSON it prints."""
        return json.loads(self.run(*arguments, "--json", ok=False))

    @property
    def settings(self) -> Settings:
        """What the instance knows of itself."""
        settings = load_settings(self.state)
        assert settings is not None
        return settings

    @cached_property
    def crm(self) -> CrmPeople:
        """One person for the whole run: the CRM hands out few tokens a minute."""
        return CrmPeople(f"http://127.0.0.1:{self.settings.ports['crm']}", secret=self.settings.secrets["crm_secret"])

    def order(self, item: str = "FG-100", quantity: str = "10", unit: str = "pcs") -> str:
        """Confirm an order in the CRM; its number."""
        line = {"item": item, "quantity": quantity, "unit": unit, "price": "1150.00"}
        return self.crm.place_order(customer="C-1001", lines=[line], confirm=True)

    def count(self, numbers: Sequence[str]) -> dict[str, int]:
        """What these orders led to, asked of CRM, ERP and the mail folder."""
        ports, secrets = self.settings.ports, self.settings.secrets
        return Tally(
            f"http://127.0.0.1:{ports['crm']}", secrets["crm_secret"], f"http://127.0.0.1:{ports['tryton']}",
            secrets["erp_password"], self.settings.mail,
        ).count(numbers)  # fmt: skip

    @contextmanager
    def airflow(self, *, logged_in: bool = True) -> Iterator[httpx.Client]:
        """Airflow's REST API."""
        with httpx.Client(base_url=self.settings.ui, timeout=60) as client:
            if logged_in:
                body = {"username": "admin", "password": self.settings.secrets["admin_password"]}
                token = client.post("/auth/token", json=body).raise_for_status().json()["access_token"]
                client.headers["authorization"] = f"Bearer {token}"
            yield client

    def component(self, word: str) -> psutil.Process:
        """The supervised process of a component, by what stands on its command line."""
        found = self.processes_named(word)
        assert found, f"no component {word}"
        return found[0]

    def processes_named(self, word: str) -> list[psutil.Process]:
        """The instance's processes with this word on their command line, the oldest first."""
        mark, found = self.settings.instance, []
        for process in psutil.process_iter(["cmdline", "environ", "create_time"]):
            about = process.info
            if (about["environ"] or {}).get("THROUGHLINE_INSTANCE") == mark and word in " ".join(
                about["cmdline"] or []
            ):
                found.append(process)
        return sorted(found, key=lambda process: process.info["create_time"])

    def processes(self, numbers: Sequence[str]) -> dict[str, str]:
        """The state of each order's process; an order that has none yet is absent."""
        keys = {f"sales_order:crm:{number}": number for number in numbers}
        told = self.told("processes", "--limit", "1000")
        assert isinstance(told, list), told
        return {keys[p["key"]]: p["state"] for p in told if p["key"] in keys}

    def arrived(self, numbers: Sequence[str]) -> bool:
        """Whether all of these have come to their end."""
        states = self.processes(numbers)
        return len(states) == len(numbers) and set(states.values()) == {"finished"}

    def arrive(self, numbers: Sequence[str], seconds: float = 240) -> None:
        """Wait until they have."""
        wait_for(
            lambda: self.arrived(numbers), seconds, lambda: f"{self.processes(numbers)} {self.run('parked', ok=False)}"
        )


@contextmanager
def running_platform(*options: str) -> Iterator[Platform]:
    """A platform in a folder of its own, up for as long as the block lasts; it leaves nothing running.

    The folder is not pytest's: that one's are tidied away by whatever other run begins meanwhile.
    """
    with tempfile.TemporaryDirectory(prefix="throughline-live-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # PostgreSQL runs as nobody and must reach its files
        yield from _up_and_down(Platform(Path(folder) / "state"), options)


def _up_and_down(platform: Platform, options: Sequence[str]) -> Iterator[Platform]:
    try:
        platform.run("up", *options)
        yield platform
    finally:
        platform.run("down")
    mark = platform.settings.instance
    left = [p.info for p in psutil.process_iter(["environ", "name"])
            if (p.info["environ"] or {}).get("THROUGHLINE_INSTANCE") == mark]  # fmt: skip
    assert not left, "down leaves nothing running"


def free_block() -> int:
    """A base port with enough free ports above it."""
    for base in range(26_000, 32_000, 40):
        probes = []
        try:
            for port in range(base, base + PORTS):
                probe = socket.socket()
                probes.append(probe)
                probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        else:
            return base
        finally:
            for probe in probes:
                probe.close()
    raise AssertionError("no block of free ports")


def wait_for(happened: Callable[[], bool], seconds: float, why: Callable[[], str], *, every: float = 1) -> float:
    """Wait for it; the seconds it took."""
    begun = time.monotonic()
    while not happened():
        assert time.monotonic() < begun + seconds, why()
        time.sleep(every)
    return time.monotonic() - begun
