"""A real PostgreSQL for the simulator: started when nobody has one, a database a worker, emptied between schedules."""

from __future__ import annotations

import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from throughline.ledger import Ledger, migrate
from throughline.local_platform.embedded_postgres import EmbeddedPostgres

TEMPLATE = "throughline_faults_template"
BEGINNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
"""The moment every schedule begins."""


@dataclass(frozen=True)
class SocketPostgres(EmbeddedPostgres):
    """Reached through a socket in its own directory, which is quicker than the loopback network."""

    def dsn(self, database: str = "postgres") -> str:
        return f"postgresql:///{database}?user=postgres&host={self.directory}&port={self.port}"

    def command(self) -> list[str]:
        replaced = {"unix_socket_directories=": f"unix_socket_directories={self.directory}"}
        return [replaced.get(part, part) for part in super().command()]


@contextmanager
def server() -> Iterator[EmbeddedPostgres]:
    """A server that loses everything at its end, with the ledger's tables laid in a template."""
    with tempfile.TemporaryDirectory(prefix="throughline-faults-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)
        postgres = SocketPostgres(Path(directory) / "cluster", _free_port(), durable=False)
        process = postgres.start()
        try:
            deadline = time.monotonic() + 120
            while not postgres.ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((postgres.directory / "postgres.log").read_text())
                time.sleep(0.05)
            prepare(postgres)
            yield postgres
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prepare(postgres: EmbeddedPostgres) -> None:
    """Lay the ledger's tables once; workers copy them."""
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        for setting in (
            "synchronous_commit to off",
            "autovacuum to off",
            "wal_level to minimal",
            "max_wal_size to '1GB'",
        ):
            connection.execute(f"alter system set {setting}")
        connection.execute("select pg_reload_conf()")
    if postgres.create_database(TEMPLATE):
        migrate(postgres.dsn(TEMPLATE))
        ledger = Ledger(postgres.dsn(TEMPLATE), clock=lambda: BEGINNING)
        ledger.ensure_months()
        ledger.close()


class Database:
    """One worker's database; `keep` remembers a state by name, `restore` goes back to it."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.connection = psycopg.connect(dsn, autocommit=True)
        self._tables = dict(self.connection.execute(_TABLES).fetchall())
        self._ways_back: dict[str, str] = {}
        self._restored = 0
        self.keep("empty")

    def keep(self, state: str) -> None:
        """A schedule may begin with what is here now."""
        run = self.connection.execute
        kept = f"kept_{state}"
        run(f"drop schema if exists {kept} cascade; create schema {kept}")
        back = "set session_replication_role = replica; "
        for name, counted in self._tables.items():
            back += f"delete from {name}; "
            if run(f"select exists (select from {name})").fetchone() == (True,):
                run(f"create table {kept}.{name} as table {name}")
                back += f"insert into {name} select * from {kept}.{name}; "
            if counted:
                (highest,) = run(f"select coalesce(max(id), 0) + 1 from {name}").fetchone() or (1,)
                back += f"select setval(pg_get_serial_sequence('{name}', 'id'), {highest}, false); "
        self._ways_back[state] = back + "set session_replication_role = origin"

    def restore(self, state: str) -> None:
        """Forget what came after `keep`; now and then clear the dead rows away, because they slow the living."""
        self._restored += 1
        if self._restored % 100 == 0:
            self.connection.execute("vacuum")
        self.connection.execute(self._ways_back[state])

    def close(self) -> None:
        self.connection.close()


_TABLES = """
select c.relname, exists (select from pg_attribute a where a.attrelid = c.oid and a.attidentity <> '')
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind = 'r' order by 1
"""


def database_of(postgres: EmbeddedPostgres, worker: str) -> Database:
    name = f"faults_{worker}"
    postgres.create_database(name, template=TEMPLATE)
    return Database(postgres.dsn(name))
