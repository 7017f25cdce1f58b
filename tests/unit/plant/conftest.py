"""Emulators for tests: real processes on free ports, killed and restarted as a test wishes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Emulator:
    """One emulator process and the way to its control desk."""

    def __init__(self, product: str, state: Path, *arguments: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "include.plant.emulators", product, "--port", str(self.port),
                         "--state", str(state), *arguments]  # fmt: skip
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        deadline = time.monotonic() + 30
        while True:
            try:
                httpx.get(self.url + "/_plant/state?counts=1", trust_env=False)
            except httpx.TransportError:
                assert self.process.poll() is None, "the emulator ended by itself"
                assert time.monotonic() < deadline, "the emulator did not answer within 30 s"
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """As a power switch: kill -9."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    def act(self, do: str, **wish: object) -> httpx.Response:
        return httpx.post(self.url + "/_plant/act", json={"do": do, **wish}, trust_env=False)

    def faults(self, *rules: dict) -> None:
        answer = httpx.post(self.url + "/_plant/faults", json={"rules": list(rules)}, trust_env=False)
        assert answer.status_code == 200, answer.text

    def documents(self, kind: str) -> list[dict]:
        told = httpx.get(self.url + "/_plant/state", params={"kind": kind}, trust_env=False).json()
        return told["documents"].get(kind, [])

    def calls(self) -> dict[str, int]:
        return httpx.get(self.url + "/_plant/state?counts=1", trust_env=False).json()["calls"]

    def reset(self) -> None:
        httpx.post(self.url + "/_plant/reset", trust_env=False).raise_for_status()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Emulator]]:
    """Start an emulator of the test's own; options are given as `name=value`."""
    started: list[Emulator] = []

    def begin(product: str, *arguments: str, **options: object) -> Emulator:
        flags = [flag for name, value in options.items() for flag in ("--option", f"{name}={value}")]
        started.append(Emulator(product, tmp_path / f"{product}.db", *arguments, *flags))
        return started[-1]

    yield begin
    for emulator in started:
        emulator.stop()


def shared(product: str) -> Callable[..., Iterator[Emulator]]:
    @pytest.fixture(scope="module", name=f"{product}_process")
    def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
        emulator = Emulator(product, tmp_path_factory.mktemp(product) / "state.db")
        yield emulator
        emulator.stop()

    return running


fxiaoke_process, black_lake_process, flux_process = shared("fxiaoke"), shared("black_lake"), shared("flux")


@pytest.fixture
def crm(fxiaoke_process: Emulator) -> Emulator:
    """The CRM on its first day."""
    fxiaoke_process.reset()
    return fxiaoke_process


@pytest.fixture
def mes(black_lake_process: Emulator) -> Emulator:
    """The MES on its first day."""
    black_lake_process.reset()
    return black_lake_process


@pytest.fixture
def wms(flux_process: Emulator) -> Emulator:
    """The warehouse on its first day."""
    flux_process.reset()
    return flux_process


OK = '{"Response":{"return":{"returnCode":"0000","returnFlag":"1","returnDesc":"ok"}}}'


class Receiver:
    """Stands for the hub's door: keeps what FLUX tells, answers as the test wants."""

    def __init__(self) -> None:
        self.heard: list[dict[str, str]] = []
        self.answers: list[tuple[int, str]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                status, text = receiver.answers.pop(0) if receiver.answers else (200, OK)
                receiver.heard.append({"path": self.path, **dict(parse_qsl(body, keep_blank_values=True))})
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/inbound/wms"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait_for(self, count: int, seconds: float = 10) -> list[dict[str, str]]:
        deadline = time.monotonic() + seconds
        while len(self.heard) < count:
            assert time.monotonic() < deadline, f"heard {len(self.heard)} of {count}"
            time.sleep(0.02)
        return self.heard


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()
