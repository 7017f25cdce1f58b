"""Read-only transactions on a PostgreSQL source: each sees one moment of it, and may change nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from psycopg import AsyncConnection, IsolationLevel
from psycopg.rows import dict_row

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.sql.postgresql.failures import failures_of
from throughline.connectors.mechanisms.sql.postgresql.statements import HORIZON, Asked
from throughline.connectors.mechanisms.sql.postgresql.values import plain, read_exactly
from throughline.connectors.mechanisms.sql.profile import SqlLimits
from throughline.connectors.mechanisms.sql.speech import Horizon, Row
from throughline.errors import Misconfigured

IDLE_SECONDS = 600
"""After so long the source ends a transaction of a worker that froze, so that it does not hold up its vacuum."""


class PostgresSource:
    """The way to one database; a few connections are kept open between calls."""

    def __init__(self, role: str, connection: Connection, limits: SqlLimits) -> None:
        self._role, self._limits = role, limits
        self._address = _address(connection, limits)
        self._idle: list[AsyncConnection[Row]] = []
        self._busy: set[AsyncConnection[Row]] = set()

    @asynccontextmanager
    async def moment(self) -> AsyncIterator[Snapshot]:
        """One transaction over one snapshot of the source."""
        with failures_of(self._role):
            connection = self._idle.pop() if self._idle else await self._connect()
            self._busy.add(connection)
            try:
                yield Snapshot(connection, self._limits)
            except BaseException:
                await connection.close()
                raise
            else:
                await connection.rollback()  # nothing was changed; this only ends the snapshot
            finally:
                self._busy.discard(connection)
                if not connection.closed:
                    self._idle.append(connection)

    async def close(self) -> None:
        """Close every connection, also those of readings that somebody gave up."""
        for connection in (*self._idle, *self._busy):
            await connection.close()
        self._idle.clear()

    async def _connect(self) -> AsyncConnection[Row]:
        connection = await AsyncConnection.connect(**self._address, row_factory=dict_row)
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)
        read_exactly(connection)
        return connection


class Snapshot:
    """The source as one snapshot shows it."""

    def __init__(self, connection: AsyncConnection[Row], limits: SqlLimits) -> None:
        self._connection, self._limits = connection, limits
        self._readings = 0

    async def horizon(self) -> Horizon:
        """How far this snapshot can be trusted; asked first, so that it is the snapshot the rows come from."""
        cursor = await self._connection.execute(HORIZON, {"always": True})
        source, bound, following = (await cursor.fetchall())[0].values()
        return Horizon(str(source), int(bound), int(following))

    async def rows(self, asked: Asked) -> list[Row]:
        """All rows of an answer that is known to be short."""
        cursor = await self._connection.execute(*asked)
        return [_plain(row) for row in await cursor.fetchall()]

    async def pages(self, asked: Asked) -> AsyncGenerator[list[Row], None]:
        """The rows of a long answer, so many at a time."""
        self._readings += 1
        async with self._connection.cursor(name=f"reading_{self._readings}") as cursor:
            await cursor.execute(*asked)
            while page := await cursor.fetchmany(self._limits.rows):
                yield [_plain(row) for row in page]


def _plain(row: Row) -> Row:
    return {name: plain(value, name) for name, value in row.items()}


def _address(connection: Connection, limits: SqlLimits) -> dict[str, Any]:
    place = urlsplit(connection.host if "//" in connection.host else f"//{connection.host}")
    database = connection.extra.get("database") or place.path.strip("/")
    if not place.hostname or not database:
        raise Misconfigured("a database needs an address and its name (`database`)", where=connection.name)
    settings = {
        "statement_timeout": int(limits.answer_seconds * 1000), "lock_timeout": int(limits.answer_seconds * 1000),
        "idle_in_transaction_session_timeout": IDLE_SECONDS * 1000, "default_transaction_read_only": "on",
        "timezone": "UTC", "datestyle": "ISO", "intervalstyle": "iso_8601",
    }  # fmt: skip
    address = {
        "host": place.hostname, "port": place.port or 5432, "dbname": database, "user": connection.login,
        "password": connection.password, "connect_timeout": max(2, round(limits.connect_seconds)),
        "application_name": "throughline", "client_encoding": "utf8",
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
    }  # fmt: skip
    secure = {name: connection.extra[name] for name in ("sslmode", "sslrootcert") if connection.extra.get(name)}
    return {name: value for name, value in {**address, **secure}.items() if value not in ("", None)}
