"""One client's connection over a bad line: each request gets the fault the plan chose for it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.plant.fault_proxy.http_messages import Message, made_answer, read_message

if TYPE_CHECKING:
    from include.plant.fault_proxy.proxy import Line

_LOGIN_PAGE = "<!DOCTYPE html><html><head><title>登录</title></head><body><form>用户名</form></body></html>".encode()
_OWN_ANSWERS = {
    "too_many": made_answer(429, "Too Many Requests", b"slow down", more="retry-after: 1\r\n"),
    "error_500": made_answer(500, "Internal Server Error", b"upstream error"),
    "error_503": made_answer(503, "Service Unavailable", b"upstream error"),
    "login_page": made_answer(200, "OK", _LOGIN_PAGE, kind="text/html; charset=utf-8"),
    "unauthorized": made_answer(401, "Unauthorized", b'{"error": "token expired"}', kind="application/json"),
}
_BAD_GATEWAY = made_answer(502, "Bad Gateway", b"upstream error")
LOST = (ConnectionError, asyncio.IncompleteReadError, TimeoutError)


@dataclass(frozen=True)
class Done:
    """How often the system got the request, what the client gets, and whether it is left waiting for nothing."""

    passed: int
    answer: bytes | None = None
    hold: bool = False


class HttpLine:
    """Reads requests one after the other; a method per fault carries it out."""

    def __init__(self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._line, self._reader, self._writer = line, reader, writer

    async def serve(self) -> None:
        """Until the client goes, or a fault ends the connection."""
        with suppress(*LOST):
            while (request := await read_message(self._reader, writer=self._writer)) is not None:
                if not await self._treat(request):
                    return

    async def _treat(self, request: Message) -> bool:
        """Whether the connection lives on."""
        method, target = request.start[:2]
        path = target.partition("?")[0]
        fault = self._line.plan.choose(f"{method} {path}", request.body)
        try:
            done = await self._strike(fault, request)
        except (OSError, *LOST):
            done = Done(0)
        self._line.plan.note(method, path, fault, done.passed, _status(done.answer))
        if done.hold:
            await self._until_gone(self._line.hold_seconds)
        if done.answer is None:
            return False
        self._writer.write(done.answer)
        await self._writer.drain()
        return fault != "cut_answer" and b"\r\nconnection: close" not in done.answer.lower()

    async def _strike(self, fault: str, request: Message) -> Done:
        if fault in _OWN_ANSWERS:
            return Done(0, _OWN_ANSWERS[fault])
        treat: Callable[[Message], Awaitable[Done]] = getattr(self, f"_{fault or 'well'}")
        return await treat(request)

    async def _well(self, request: Message) -> Done:
        return Done(1, await self._carried_out(request))

    async def _drop_request(self, _: Message) -> Done:
        return Done(0, hold=True)

    async def _drop_answer(self, request: Message) -> Done:
        await self._carried_out(request)
        return Done(1, hold=True)

    async def _late(self, request: Message) -> Done:
        self._line.later(lambda: self._carried_out(request))
        return Done(1, hold=True)

    async def _cut_request(self, request: Message) -> Done:
        _, writer = await self._line.connect()
        half = len(request.head) + len(request.body) // 2 if request.body else len(request.head) - 2
        writer.write(request.raw[:half])
        await writer.drain()
        writer.close()
        return Done(0)

    async def _cut_answer(self, request: Message) -> Done:
        answer = await self._carried_out(request)
        return Done(1, answer[: max(1, len(answer) * 2 // 3)])

    async def _reset(self, _: Message) -> Done:
        abort(self._writer)
        return Done(0)

    async def _reset_after(self, request: Message) -> Done:
        await self._carried_out(request)
        abort(self._writer)
        return Done(1)

    async def _error_502_after(self, request: Message) -> Done:
        await self._carried_out(request)
        return Done(1, _BAD_GATEWAY)

    async def _drip(self, request: Message) -> Done:
        answer = await self._carried_out(request)
        step = max(1, len(answer) // 10)
        while len(answer) > step:
            self._writer.write(answer[:step])
            await self._writer.drain()
            answer = answer[step:]
            await asyncio.sleep(self._line.drip_seconds / 10)
        return Done(1, answer)

    async def _duplicate(self, request: Message) -> Done:
        first = await self._carried_out(request)
        await self._carried_out(request)
        return Done(2, first)

    async def _carried_out(self, request: Message) -> bytes:
        """The system's own answer to it, on a connection of its own."""
        reader, writer = await self._line.connect()
        try:
            writer.write(request.raw)
            await writer.drain()
            answer = await read_message(reader, answers=request.start[0])
        finally:
            writer.close()
        if answer is None:
            raise ConnectionResetError("the system closed the connection without an answer")
        return answer.raw

    async def _until_gone(self, seconds: float) -> None:
        with suppress(*LOST):
            async with asyncio.timeout(seconds):
                while await self._reader.read(65536):
                    pass


def abort(writer: asyncio.StreamWriter) -> None:
    """Reset a connection, as a machine that died does."""
    handle: socket.socket = writer.get_extra_info("socket")
    handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _status(answer: bytes | None) -> int | None:
    parts = answer[:16].split(b" ") if answer else []
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else None
