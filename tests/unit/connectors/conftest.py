"""Real HTTP servers on loopback, and connectors made of a profile written in the test."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import uvicorn
from ruamel.yaml import YAML

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.http.connector import HttpConnector
from throughline.connectors.mechanisms.http.product_parts import ProductParts
from throughline.connectors.mechanisms.http.profile import Profile
from throughline.connectors.yaml_files import read_model
from throughline.secrecy import Masker

VERDICT = """
- {is: ok, when: [{at: code, equals: 0}]}
- {is: auth_lost, when: [{at: code, equals: 20016}]}
- {is: throttled, when: [{at: code, equals: 30002}], retry_after_at: pause}
- {is: duplicate, when: [{at: code, equals: 409}], code: code, message: says}
- {is: transient, when: [{status: 503}, {at: certain, equals: true}]}
- {is: absent, when: [{at: code, equals: 404}]}
- {is: rejected, when: [{at: code, exists: true}], code: code, message: says}
"""


class Clock:
    """A clock the test moves by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def serve() -> Iterator[Callable[[Any], str]]:
    """Starts an ASGI app on a free loopback port and gives its address."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def start(app: Any) -> str:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", timeout_keep_alive=30))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        running.append((server, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server, thread in running:
        server.should_exit = server.force_exit = True
        thread.join(5)


@pytest.fixture
def connect(tmp_path: Path, clock: Clock) -> Callable[..., HttpConnector]:
    """A connector of a product whose profile is given as YAML text for its objects, auth and so on."""

    def make(
        host: str, objects: str, *, top: str = "", verdict: str = VERDICT, extra: dict[str, Any] | None = None,
        signer: Any = None, codec: Any = None, verbs: Any = None, masker: Masker | None = None,
        shelf: Any = None, transport: Any = None,
    ) -> HttpConnector:  # fmt: skip
        path = tmp_path / "profile.yaml"
        path.write_text(
            f"product: trial\ntitle: Trial\nmechanism: http\ntest: {{path: /ping}}\n{top}\n"
            f"verdict:{_indented(verdict)}\nobjects:{_indented(objects)}\n"
        )
        parts = ProductParts(_module(signer), _module(codec), _module(verbs))
        connection = Connection("trial_connection", host, "the-login", "the-password-123", extra or {})
        return HttpConnector(read_model(path, Profile), parts, path, "trial", connection, clock=clock,
                             randomness=Random(7), masker=masker or Masker(), shelf=shelf,
                             transport=transport)  # fmt: skip

    return make


def _indented(text: str) -> str:
    return "".join(f"\n  {line}" for line in text.strip("\n").splitlines())


def _module(functions: dict[str, Any] | None) -> ModuleType | None:
    return None if functions is None else SimpleNamespace(**functions)  # type: ignore[return-value]


def yaml(text: str) -> Any:
    """A YAML text as plain values."""
    return YAML(typ="safe").load(text)
