"""A PostgreSQL of the bench's own, durable as in production, gone when the bench ends."""

from __future__ import annotations

import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from throughline.ledger import migrate
from throughline.local_platform.embedded_postgres import EmbeddedPostgres


def free_port() -> int:
    """A loopback port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def scratch_ledger() -> Iterator[str]:
    """The address of an empty, migrated ledger."""
    with tempfile.TemporaryDirectory(prefix="throughline-bench-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)
        server = EmbeddedPostgres(Path(directory) / "cluster", free_port())
        process = server.start()
        try:
            while not server.ready():
                time.sleep(0.05)
            server.create_database("ledger")
            migrate(server.dsn("ledger"))
            yield server.dsn("ledger")
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
