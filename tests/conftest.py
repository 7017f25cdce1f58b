"""What every test may ask for: a real PostgreSQL of its own, started once per run on a free loopback port."""

from __future__ import annotations

import itertools
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from throughline.local_platform.embedded_postgres import EmbeddedPostgres

_numbers = itertools.count(1)


def free_port() -> int:
    """A loopback port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests over the real ERP share one worker and so one ERP; tests over real Airflow share another."""
    for item in items:
        if item.get_closest_marker("airflow"):
            item.add_marker(pytest.mark.xdist_group("airflow"))
        elif item.get_closest_marker("plant"):
            item.add_marker(pytest.mark.xdist_group("plant"))


@contextmanager
def running_postgres() -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server on a free port, not durable."""
    with tempfile.TemporaryDirectory(prefix="throughline-pg-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)
        server = EmbeddedPostgres(Path(directory) / "cluster", free_port(), durable=False)
        process = server.start()
        try:
            deadline = time.monotonic() + 60
            while not server.ready():
                assert process.poll() is None, (server.directory / "postgres.log").read_text()
                assert time.monotonic() < deadline, "PostgreSQL did not start within 60 s"
                time.sleep(0.05)
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The PostgreSQL server of this test run; it lives as long as the run."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def postgres_dsn(postgres: EmbeddedPostgres) -> Iterator[str]:
    """An empty database of the test's own."""
    name = f"test_{next(_numbers)}"
    postgres.create_database(name)
    yield postgres.dsn(name)
    postgres.drop_database(name)
