"""One client of the door: its login, then its requests in turn, each on its own connection to PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.pq import TransactionStatus

from include.plant.tds import wire
from include.plant.tds.refusals import LOGIN_FAILED, NO_SUCH_DATABASE, refusal
from include.plant.tds.requests import NotUnderstood, batch_of, call_of, login_of
from include.plant.tds.rows import Column, result
from include.plant.tds.translation import Known, Refused, Statement, bound, statements

Told = tuple[int, bytes]
_DOMAINS = """
select attribute.attrelid, attribute.attnum, kind.typname from pg_attribute as attribute
join pg_type as kind on kind.oid = attribute.atttypid and kind.typtype = 'd' where attribute.attrelid = any(%s)
"""


@dataclass(frozen=True)
class Door:
    """Who may come in, and which PostgreSQL database stands behind each name."""

    users: Mapping[str, str] = field(repr=False)
    databases: Mapping[str, str] = field(repr=False)
    """name -> dsn; the first is where a login without a name ends up"""


class Session:
    """One client."""

    def __init__(self, door: Door, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._door, self._reader, self._writer = door, reader, writer
        self._rows = 0
        self._domains: dict[tuple[int, int], str] = {}

    async def serve(self) -> None:
        """Until the client goes."""
        told = await wire.receive(self._reader)
        if told and told[0] == wire.Kind.PRELOGIN:
            await wire.answer(self._writer, wire.prelogin())
            told = await wire.receive(self._reader)
        if told is None or told[0] != wire.Kind.LOGIN:
            return
        dsn = await self._let_in(told[1])
        if dsn is None:
            return
        async with await AsyncConnection.connect(dsn, autocommit=True, application_name="tds-door") as self._store:
            await self._store.execute("set timezone = 'UTC'")
            await self._store.execute("select set_config('plant.database', %s, false)", [self._database])
            await self._requests()

    async def _let_in(self, body: bytes) -> str | None:
        login = login_of(body)
        name = login.database or next(iter(self._door.databases))
        if self._door.users.get(login.user) != login.password:
            return await self._turned_away(LOGIN_FAILED, f"Login failed for user '{login.user}'.", 14)
        if name not in self._door.databases:
            text = f'Cannot open database "{name}" requested by the login. The login failed.'
            return await self._turned_away(NO_SUCH_DATABASE, text, 11)
        self._database = name
        await wire.answer(self._writer, wire.welcome(name))
        return self._door.databases[name]

    async def _turned_away(self, number: int, text: str, severity: int) -> str | None:
        await wire.answer(self._writer, wire.message(number, text, severity) + wire.done(wire.FAILED))
        return None

    async def _requests(self) -> None:
        """Each request is carried out while we listen for the client to call it off."""
        listening = asyncio.ensure_future(wire.receive(self._reader))
        try:
            while (told := await listening) is not None:
                listening = asyncio.ensure_future(wire.receive(self._reader))
                await self._one_request(told, listening)
        finally:
            listening.cancel()

    async def _one_request(self, told: Told, listening: asyncio.Future[Told | None]) -> None:
        if told[0] == wire.Kind.ATTENTION:
            await wire.answer(self._writer, wire.done(wire.CANCELLED))
            return
        working = asyncio.ensure_future(self._answer_to(*told))
        awaited: set[asyncio.Future[Any]] = {working, listening}
        try:
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                await self._store.cancel_safe()
            body = await working
        finally:
            working.cancel()
        if not (listening.done() and _called_off(listening.result())):
            await wire.answer(self._writer, body)

    async def _answer_to(self, kind: int, body: bytes) -> bytes:
        told: list[bytes] = []
        try:
            await self._request(kind, body, told)
        except psycopg.Error as error:
            if self._store.closed:
                raise  # a killed session: SQL Server breaks the line too
            told += _failed(refusal(error))
        except Refused as refused:
            told += _failed(refused)
        except NotUnderstood as strange:
            told += _failed(Refused(40000, f"The plant's door does not know {strange}."))
        return b"".join(_more_to_come(told)) if told else wire.done()

    async def _request(self, kind: int, body: bytes, told: list[bytes]) -> None:
        if kind == wire.Kind.BATCH:
            await self._carry_out(batch_of(body), Known(self._open, self._rows), told)
        elif kind == wire.Kind.CALL:
            await self._call(body, told)
        else:
            raise NotUnderstood(f"a packet of type 0x{kind:02x}")

    async def _call(self, body: bytes, told: list[bytes]) -> None:
        call = call_of(body)
        if call.procedure != "sp_executesql":
            raise Refused(2812, f"Could not find stored procedure '{call.procedure}'.")
        values = call.parameters
        text, declared = values[0][1], values[1][1] if len(values) > 1 else ""
        await self._carry_out(text, Known(self._open, self._rows, bound(text, declared, values[2:])), told)

    async def _carry_out(self, batch: str, known: Known, told: list[bytes]) -> None:
        for statement in statements(batch, known):
            told.append(await self._one(statement))  # noqa: PERF401 - what came before a failure is told too

    async def _one(self, statement: Statement) -> bytes:
        if statement.verb in ("nothing", "begin", "end"):
            return await self._transaction(statement)
        async with self._store.cursor() as cursor:
            if not self._open or statement.verb == "setting":
                await cursor.execute(statement.text)
            else:
                async with self._store.transaction():  # an error ends the statement, not the transaction
                    await cursor.execute(statement.text)
            return await self._told(cursor)

    async def _told(self, cursor: AsyncCursor[Any]) -> bytes:
        if cursor.description is None:
            self._rows = max(cursor.rowcount, 0)
            return wire.done(wire.COUNTED, self._rows)
        columns, rows = await self._columns(cursor), await cursor.fetchall()
        self._rows = len(rows)
        return result(columns, rows) + wire.done(wire.COUNTED, len(rows))

    async def _transaction(self, statement: Statement) -> bytes:
        if statement.verb == "end" and not self._open and not statement.careful:
            word, number = statement.text.upper(), 3902 if statement.text == "commit" else 3903
            raise Refused(number, f"The {word} TRANSACTION request has no corresponding BEGIN TRANSACTION.")
        if statement.verb == "begin" and not self._open:
            await self._store.execute("begin")
        if statement.verb == "end" and self._open:
            await self._store.execute("commit" if statement.text == "commit" else "rollback")
        return wire.done()

    @property
    def _open(self) -> int:
        return int(self._store.info.transaction_status != TransactionStatus.IDLE)

    async def _columns(self, cursor: AsyncCursor[Any]) -> list[Column]:
        """A table's own column keeps its domain through any query around it; PostgreSQL tells where it came from."""
        told = cursor.pgresult
        assert told is not None and cursor.description is not None  # noqa: S101, PT018 - asked by the caller
        places = [(told.ftable(place), told.ftablecol(place)) for place in range(told.nfields)]
        if unknown := {table for table, _ in places if table and (table, 0) not in self._domains}:
            self._domains |= {(table, 0): "" for table in unknown}
            found = await (await self._store.execute(_DOMAINS, [list(unknown)])).fetchall()
            self._domains |= {(table, number): name for table, number, name in found}
        types = self._store.adapters.types
        return [
            Column(
                named.name, known.name if (known := types.get(named.type_code)) else "text",
                self._domains.get(place, ""), named.display_size or 0, named.precision or 0, named.scale or 0,
            )
            for named, place in zip(cursor.description, places, strict=True)
        ]  # fmt: skip


def _called_off(told: Told | None) -> bool:
    return told is None or told[0] == wire.Kind.ATTENTION


def _failed(refused: Refused) -> list[bytes]:
    return [wire.message(refused.number, str(refused), refused.severity) + wire.done(wire.FAILED)]


def _more_to_come(told: list[bytes]) -> list[bytes]:
    """Every statement's end but the last says that more follows."""
    at = -len(wire.done()) + 1
    return [*(part[:at] + bytes([part[at] | wire.MORE]) + part[at + 1 :] for part in told[:-1]), told[-1]]
