"""Connections to a SQL Server source. The driver waits in the way of an event loop, so each has a thread of its own.

A long answer is read row by row on one connection while the lines of its headers are asked for on another: a connection
of this driver holds one answer at a time.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pymssql

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.sql.profile import SqlLimits
from throughline.connectors.mechanisms.sql.speech import Horizon, Row
from throughline.connectors.mechanisms.sql.sqlserver.failures import failures_of
from throughline.connectors.mechanisms.sql.sqlserver.rowversions import unpacked
from throughline.connectors.mechanisms.sql.sqlserver.statements import HORIZON, Asked
from throughline.connectors.mechanisms.sql.sqlserver.values import plain
from throughline.errors import Misconfigured

Done = TypeVar("Done")
_EXECUTE = "EXEC sp_executesql %(statement)s"


class Line:
    """One connection. Everything that is done with it, closing too, is done in the same thread and in turn."""

    def __init__(self, role: str, address: dict[str, Any]) -> None:
        self._role, self._address = role, address
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlserver")
        self._connection: Any = None

    async def open(self, patience: float) -> None:
        """Connect, and say how long we wait for others' locks."""
        with failures_of(self._role, connecting=True):
            self._connection = await self._do(lambda: pymssql.connect(**self._address))
        await self.execute(Asked("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"))
        await self.execute(Asked(f"SET LOCK_TIMEOUT {int(patience * 1000)}"))

    async def execute(self, asked: Asked) -> Any:
        """Carry a statement out; its cursor."""
        text, values = _called(asked)

        def work() -> Any:
            cursor = self._connection.cursor(as_dict=True)
            cursor.execute(text, values) if values else cursor.execute(text)
            return cursor

        with failures_of(self._role):
            return await self._do(work)

    async def fetch(self, cursor: Any, count: int | None = None) -> list[Row]:
        """The next rows of an answer, or all."""
        with failures_of(self._role):
            rows = await self._do(cursor.fetchall if count is None else lambda: cursor.fetchmany(count))
        return [{name: plain(value, name) for name, value in row.items()} for row in rows]

    async def raw(self, asked: Asked) -> list[Row]:
        """All rows of an answer as the driver gives them."""
        cursor = await self.execute(asked)
        with failures_of(self._role):
            rows: list[Row] = await self._do(cursor.fetchall)
        return rows

    def close(self) -> None:
        """Close it once whatever it is doing is over; nobody waits for that."""
        self._thread.submit(self._closed)
        self._thread.shutdown(wait=False)

    def _closed(self) -> None:
        if self._connection is not None:
            self._connection.close()

    async def _do(self, work: Callable[[], Done]) -> Done:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


class SqlServerSource:
    """The way to one database; a few connections are kept open between calls."""

    def __init__(self, role: str, connection: Connection, limits: SqlLimits) -> None:
        self._role, self._limits = role, limits
        self._address = _address(connection, limits)
        self._idle: list[Line] = []
        self._busy: set[Line] = set()

    @asynccontextmanager
    async def moment(self) -> AsyncIterator[Look]:
        """One look; when it fails its connections and the waiting ones are closed: the next begins with new ones."""
        taken: list[Line] = []
        try:
            yield Look(self, taken, self._role, self._limits)
        except BaseException:
            for line in (*self._idle, *(line for line in taken if line in self._busy)):
                line.close()
            self._idle.clear()
            raise
        else:
            self._idle += [line for line in taken if line in self._busy]
        finally:
            self._busy.difference_update(taken)

    async def line(self, taken: list[Line]) -> Line:
        """A connection for this look."""
        waiting = bool(self._idle)
        line = self._idle.pop() if waiting else Line(self._role, self._address)
        self._busy.add(line)
        taken.append(line)
        if not waiting:
            await line.open(self._limits.answer_seconds)
        return line

    def give_up(self, line: Line) -> None:
        """Close a connection whose answer nobody reads to its end."""
        self._busy.discard(line)
        line.close()

    async def close(self) -> None:
        """Close every connection, also those of readings that somebody gave up."""
        for line in (*self._idle, *self._busy):
            line.close()
        self._idle.clear()
        self._busy.clear()


class Look:
    """The source as its committed rows show it, statement by statement."""

    def __init__(self, source: SqlServerSource, taken: list[Line], role: str, limits: SqlLimits) -> None:
        self._source, self._taken, self._role, self._limits = source, taken, role, limits
        self._asking: Line | None = None

    async def horizon(self) -> Horizon:
        """How far rows can be trusted; asked first, and only of a database that itself is written."""
        line = await self._line()
        seen = (await line.raw(Asked(HORIZON)))[0]
        if seen["updateability"] == "READ_ONLY" and not seen["frozen"]:
            raise Misconfigured(
                "this is a copy of the database (a readable secondary), which does not know what is still open at the "
                "original: connect to the primary",
                where=f"system {self._role}",
            )
        source = f"{seen['broker']}/{seen['name']}/{seen['made'].isoformat()}"
        return Horizon(source, unpacked(seen["bound"]), unpacked(seen["last"]) + 1)

    async def rows(self, asked: Asked) -> list[Row]:
        """All rows of an answer that is known to be short."""
        line = await self._line()
        return await line.fetch(await line.execute(asked))

    async def pages(self, asked: Asked) -> AsyncGenerator[list[Row], None]:
        """The rows of a long answer, so many at a time, on a connection of its own."""
        line = await self._source.line(self._taken)
        finished = False
        try:
            cursor = await line.execute(asked)
            while page := await line.fetch(cursor, self._limits.rows):
                yield page
            finished = True
        finally:
            if finished:
                self._asking = self._asking or line
            else:
                self._source.give_up(line)

    async def _line(self) -> Line:
        if self._asking is None:
            self._asking = await self._source.line(self._taken)
        return self._asking


def _called(asked: Asked) -> tuple[str, dict[str, Any]]:
    """As a call of `sp_executesql`, for the driver to fill in; a statement without values goes as it stands."""
    if not asked.values:
        return asked.text, {}
    declared = ", ".join(f"@{name} {kind}" for name, kind in asked.types.items())
    given = ", ".join(f"@{name} = %({name})s" for name in asked.values)
    return f"{_EXECUTE}, %(declared)s, {given}", {"statement": asked.text, "declared": declared, **asked.values}


def _address(connection: Connection, limits: SqlLimits) -> dict[str, Any]:
    place = urlsplit(connection.host if "//" in connection.host else f"//{connection.host}")
    database = connection.extra.get("database") or place.path.strip("/")
    if not place.hostname or not database:
        raise Misconfigured("a database needs an address and its name (`database`)", where=connection.name)
    address = {
        "server": place.hostname, "port": str(place.port or 1433), "database": database, "user": connection.login,
        "password": connection.password, "login_timeout": math.ceil(limits.connect_seconds),
        "timeout": math.ceil(limits.answer_seconds), "charset": "UTF-8", "appname": "throughline", "autocommit": True,
    }  # fmt: skip
    asked = {name: connection.extra[name] for name in ("encryption", "tds_version") if connection.extra.get(name)}
    return {**address, **asked}
