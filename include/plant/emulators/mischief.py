"""Carries out faults on a call: late answers, lost answers, broken connections, pages that are no answer."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from include.plant.emulators.fault_rules import FaultRule

_LOGIN_PAGE = "<!DOCTYPE html><html><head><title>登录</title></head><body><form>用户名</form></body></html>"
_GIVES_UP_WITHIN = 600.0

CarryOut = Callable[[], Response]


class Mischief:
    """One method per kind of fault; each gets the request and a way to really carry the call out."""

    def __init__(self, throttled: CarryOut, hold_seconds: Callable[[], float]) -> None:
        self._throttled = throttled
        self._hold_seconds = hold_seconds
        self._to_come: set[asyncio.Task[None]] = set()

    async def apply(self, rule: FaultRule, request: Request, carry_out: CarryOut) -> Response:
        """Do what the rule says instead of a plain answer."""
        method: Callable[[FaultRule, Request, CarryOut], Awaitable[Response]] = getattr(self, f"_{rule.kind}")
        return await method(rule, request, carry_out)

    def waiting(self) -> int:
        """How many calls will still be carried out although their client gave up."""
        return len(self._to_come)

    async def _timeout_before(self, rule: FaultRule, request: Request, _: CarryOut) -> Response:
        await self._hold(rule, request)
        return cut(request)

    async def _timeout_after(self, rule: FaultRule, request: Request, carry_out: CarryOut) -> Response:
        carry_out()
        await self._hold(rule, request)
        return cut(request)

    async def _late(self, rule: FaultRule, request: Request, carry_out: CarryOut) -> Response:
        async def later() -> None:
            await asyncio.sleep(5.0 if rule.seconds is None else rule.seconds)
            carry_out()

        await gone(request, _GIVES_UP_WITHIN)
        task = asyncio.create_task(later())
        self._to_come.add(task)
        task.add_done_callback(self._to_come.discard)
        return cut(request)

    async def _error_5xx(self, rule: FaultRule, _: Request, __: CarryOut) -> Response:
        return Response(b"upstream error", rule.status, _retry_after(rule))

    async def _error_5xx_after(self, rule: FaultRule, _: Request, carry_out: CarryOut) -> Response:
        carry_out()
        return Response(b"upstream error", rule.status, _retry_after(rule))

    async def _rate_limited(self, rule: FaultRule, _: Request, __: CarryOut) -> Response:
        answer = self._throttled() if rule.style == "vendor" else Response(b"too many requests", 429)
        answer.headers.update(_retry_after(rule))
        return answer

    async def _slow(self, rule: FaultRule, _: Request, carry_out: CarryOut) -> Response:
        await asyncio.sleep(1.0 if rule.seconds is None else rule.seconds)
        return carry_out()

    async def _reset(self, _: FaultRule, request: Request, __: CarryOut) -> Response:
        return cut(request, reset=True)

    async def _reset_after(self, _: FaultRule, request: Request, carry_out: CarryOut) -> Response:
        carry_out()
        return cut(request, reset=True)

    async def _html_200(self, _: FaultRule, __: Request, ___: CarryOut) -> Response:
        return HTMLResponse(_LOGIN_PAGE)

    async def _hold(self, rule: FaultRule, request: Request) -> None:
        await gone(request, self._hold_seconds() if rule.seconds is None else rule.seconds)


async def gone(request: Request, seconds: float) -> None:
    """Wait until the client gives up, at most so long."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                pass


def cut(request: Request, *, reset: bool = False) -> Response:
    """Close the connection without a word; with `reset` as a machine that died does (RST)."""
    transport: Any = request.scope["plant.transport"]
    if reset and not transport.is_closing():
        # a second handle on the same socket: closing it leaves the connection alone, but the option stays
        with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as handle:
            handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    return Response(status_code=499)


def _retry_after(rule: FaultRule) -> dict[str, str]:
    return {} if rule.retry_after is None else {"retry-after": f"{rule.retry_after:g}"}
