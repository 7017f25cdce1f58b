"""The emulated systems of the plant, each started once on a free loopback port, and connectors to them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from include.plant.emulators.assembly import assemble
from include.plant.emulators.settings import Settings
from tests.contracts.specimens import SPECIMENS, Specimen
from throughline.connectors.contract import Connection, Connector
from throughline.connectors.registry import open_connector

SECRET = "the-plant-secret-for-contracts"


@dataclass
class Site:
    """One emulated system, reachable, with a way to step behind its counter."""

    specimen: Specimen
    host: str
    desk: httpx.Client

    def connection(self, *, password: str = SECRET, limits: dict[str, Any] | None = None) -> Connection:
        extra = {
            **self.specimen.extra,
            **self.specimen.about(self),
            "limits": {"rate": None, "answer_seconds": 1.0, **(limits or {})},
        }
        return Connection(f"{self.specimen.role}_connection", self.host, self.specimen.login, password, extra)

    def connector(self, **about: Any) -> Connector:
        return open_connector(self.specimen.product, self.specimen.role, self.connection(**about))

    def fault(self, kind: str, **more: Any) -> None:
        self.desk.post("/_plant/faults", json={"rules": [{"kind": kind, **more}]}).raise_for_status()

    def act(self, do: str, **more: Any) -> Any:
        answer = self.desk.post("/_plant/act", json={"do": do, **more})
        assert answer.is_success, answer.text
        return answer.json()

    def count(self, kind: str) -> int:
        return int(self.desk.get("/_plant/state?counts=1").json()["counts"].get(kind, 0))

    def calls(self) -> dict[str, int]:
        calls: dict[str, int] = self.desk.get("/_plant/state?counts=1").json()["calls"]
        return calls


@pytest.fixture(scope="session")
def start_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Specimen], Site]]:
    running: dict[str, tuple[Site, uvicorn.Server, threading.Thread]] = {}

    def start(specimen: Specimen) -> Site:
        if specimen.product not in running:
            listener = socket.socket()
            listener.bind(("127.0.0.1", 0))
            state: Path = tmp_path_factory.mktemp(specimen.product) / "state.sqlite"
            app = assemble(
                Settings(specimen.product, state, specimen.login, SECRET, token_calls_per_minute=1000, rate_calls=0)
            )
            server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_keep_alive=300))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
            thread.start()
            while not server.started:
                time.sleep(0.01)
            host = f"http://127.0.0.1:{listener.getsockname()[1]}"
            running[specimen.product] = (Site(specimen, host, httpx.Client(base_url=host)), server, thread)
        return running[specimen.product][0]

    yield start
    for site, server, thread in running.values():
        site.desk.close()
        server.should_exit = server.force_exit = True
        thread.join(5)


def fresh(start_site: Callable[[Specimen], Site], specimen: Specimen) -> Site:
    """An emulated system as on its first day."""
    started = start_site(specimen)
    started.desk.post("/_plant/reset").raise_for_status()
    return started


def those(wanted: Callable[[Specimen], Any]) -> dict[str, Any]:
    """The specimens a suite is about, as parameters of a fixture."""
    return {"params": [each for each in SPECIMENS if wanted(each)], "ids": lambda specimen: specimen.product}


@pytest.fixture(**those(lambda specimen: True))
def site(request: pytest.FixtureRequest, start_site: Callable[[Specimen], Site]) -> Site:
    """Every system in turn."""
    return fresh(start_site, request.param)


@pytest.fixture(**those(lambda specimen: specimen.polled))
def polled_site(request: pytest.FixtureRequest, start_site: Callable[[Specimen], Site]) -> Site:
    """Every system that is asked for changes in turn."""
    return fresh(start_site, request.param)


@pytest.fixture(**those(lambda specimen: specimen.has_token))
def token_site(request: pytest.FixtureRequest, start_site: Callable[[Specimen], Site]) -> Site:
    """Every system with a token in turn."""
    return fresh(start_site, request.param)
