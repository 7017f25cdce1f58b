"""One Tryton server process for all its databases: configuration, command, and whether it answers."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from include.plant.tryton.databases import PlantDatabases
from include.plant.tryton.environment import PlantEnvironment

HUB, PEOPLE = "hub", "people"

_CONFIG = """\
[database]
uri = {uri}
[web]
listen = 127.0.0.1:{port}
[session]
timeout = {session_seconds}
[request]
timeout = {request_seconds}
"""


@dataclass(frozen=True)
class TrytonServer:
    """The plant's Tryton: everything of it lies under `home`, its data in PostgreSQL.

    `request_seconds` is the longest one request may run; whoever doubts a write waits that long before asking again.
    """

    home: Path
    postgres_url: str
    port: int
    databases: tuple[str, ...] = ("erp",)
    request_seconds: int = 20
    session_seconds: int = 86_400
    run: Path | None = None
    """Where configuration and log lie, when not under `home` (several servers may share one home)."""

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def plant_environment(self) -> PlantEnvironment:
        """The virtual environment it runs in."""
        return PlantEnvironment(self.home.resolve() / "venv")

    @property
    def config_file(self) -> Path:
        """Its configuration."""
        return (self.run or self.home / "tryton").resolve() / "trytond.cfg"

    @property
    def plant_databases(self) -> PlantDatabases:
        """Its databases."""
        return PlantDatabases(
            self.postgres_url, self.plant_environment, self.config_file, self.home.resolve() / "cache"
        )

    def prepare(self, *, hub_password: str, people_password: str | None = None, renew: bool = False) -> dict[str, str]:
        """Make whatever is missing and set the passwords of `hub` and `people`; says for each database what it took."""
        with _alone(self.home):
            self.plant_environment.prepare()
            self._write_config()
            ensure = self.plant_databases.ensure
            with ThreadPoolExecutor(len(self.databases)) as both:
                took = dict(zip(self.databases, both.map(lambda kind: ensure(kind, renew=renew), self.databases),
                                strict=True))  # fmt: skip
            for name in self.databases:
                passwords = {HUB: hub_password, PEOPLE: people_password or hub_password}
                self.plant_databases.set_passwords(name, passwords)
        return took

    def command(self) -> list[str]:
        """The foreground command a supervisor runs."""
        environment = self.plant_environment
        databases = ["-d", *self.databases]
        return [str(environment.python), str(environment.trytond), "-c", str(self.config_file), *databases]

    def environment(self) -> dict[str, str]:
        """Variables the command wants besides the usual ones."""
        return {"PYTHONUNBUFFERED": "1", "PYTHONPATH": "", "TZ": "Asia/Shanghai"}

    def start(self) -> subprocess.Popen[bytes]:
        """Start it as a child of this process, for tests; its log is beside its configuration."""
        with (self.config_file.parent / "trytond.log").open("ab") as log:
            environment = {**os.environ, **self.environment()}
            return subprocess.Popen(self.command(), stdout=log, stderr=log, env=environment, start_new_session=True)

    def ready(self) -> bool:
        """Whether it answers now; it listens only once all its databases are loaded."""
        body = json.dumps({"id": 0, "method": "common.server.version", "params": []}).encode()
        request = urllib.request.Request(f"{self.address}/rpc/", body, {"Content-Type": "application/json"})  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - our own loopback address
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _write_config(self) -> None:
        self.config_file.parent.mkdir(parents=True, exist_ok=True)
        text = _CONFIG.format(
            uri=self.plant_databases.uri(), port=self.port, session_seconds=self.session_seconds,
            request_seconds=self.request_seconds,
        )  # fmt: skip
        self.config_file.touch(mode=0o600)
        self.config_file.write_text(text)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One preparation at a time, also across processes."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "tryton.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
