"""The way from the hub's connectors to the simulated systems: an httpx transport whose weather the seed decides."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from tests.faults import exact_json
from tests.faults.history import History
from tests.faults.machines import Killed, Machine
from tests.faults.weather import Gust, Weather

Serve = Callable[[str, str, str, dict[str, Any]], dict[str, Any]]
"""(kind, operation, authorization, body) -> the answer's JSON"""
READS = ("find", "changed", "token", "ping")
HTML = b"<!doctype html><html><body><h1>Sign in</h1></body></html>"
READ_TIMEOUT = 10.0


class Road(httpx.AsyncBaseTransport):
    """One connector's way to one system."""

    def __init__(
        self, role: str, serve: Serve, machine: Machine, weather: Weather, history: History,
        tier_of: Callable[[str], str], lied: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._lied = lied
        self._role, self._serve, self._machine = role, serve, machine
        self._weather, self._history, self._tier_of = weather, history, tier_of

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        kind, _, operation = request.url.path.strip("/").partition("/")
        writes = operation not in READS and kind not in READS
        body = exact_json.read(request.content)
        gust = self._weather.gust(
            writes=writes, tier=self._tier_of(f"{kind}.{operation}"), polls=operation == "changed"
        )
        about = f"{self._role} {kind} {operation} {body.get('reference', '')}".rstrip()
        self._machine.point("call", about=about)
        if writes or gust.kind != "fine":
            self._history.note(self._machine.name, "calls", about=about, gust=gust.kind)
        if gust.kind == "unreachable":
            await asyncio.sleep(gust.travels)
            raise httpx.ConnectError("unreachable")
        told = asyncio.get_running_loop().create_future()
        self._send(gust, kind, operation, request.headers.get("authorization", ""), body, told)
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                response = await told
        except TimeoutError:
            raise httpx.ReadTimeout("no answer") from None
        self._machine.point("answered", about=about)
        if gust.kind == "cut off":
            raise httpx.ReadError("the connection broke")
        return response  # type: ignore[no-any-return]

    def _send(
        self, gust: Gust, kind: str, operation: str, who: str, body: dict[str, Any], told: asyncio.Future[Any]
    ) -> None:
        """What is sent goes its own way, whatever becomes of the sender."""
        loop = asyncio.get_running_loop()

        def arrive() -> None:
            if self._machine.dead and gust.kind == "fine":
                self._history.note(
                    self._role, "hears the dead", about=f"{kind} {operation} {body.get('reference', '')}"
                )
            response = self._answer(gust, kind, operation, who, body)
            if response is not None:
                loop.call_later(gust.returns, _tell, told, response)

        if gust.kind != "lost before":
            loop.call_later(gust.travels, arrive)

    def _answer(self, gust: Gust, kind: str, operation: str, who: str, body: dict[str, Any]) -> httpx.Response | None:
        refused = _without_effect(gust)
        if refused is not None:
            if gust.wait:
                about = f"{self._role} {kind} {operation} {body.get('reference', '')}".rstrip()
                self._history.note(self._role, "asks to wait", about=about, seconds=gust.wait)
            return refused
        answer = self._serve(kind, operation, who, body)
        if gust.kind in ("lost after", "late"):
            return None
        if gust.kind == "error after":
            return httpx.Response(500, content=b'{"fault": "the server broke"}')
        if gust.kind == "page after":
            return httpx.Response(200, content=HTML, headers={"content-type": "text/html"})
        if gust.kind == "empty page":
            self._lied(kind)
            return httpx.Response(200, content=b'{"code":0,"data":{"list":[],"total":0}}')
        return httpx.Response(200, content=exact_json.write(answer))


def _without_effect(gust: Gust) -> httpx.Response | None:
    if gust.kind == "throttled":
        return httpx.Response(429, headers={"retry-after": f"{gust.wait:g}"}, content=b"slow down")
    if gust.kind == "throttled by body":
        return httpx.Response(200, content=exact_json.write({"code": 429, "message": "slow down", "wait": gust.wait}))
    if gust.kind == "busy":
        return httpx.Response(200, content=b'{"code":503,"message":"busy"}')
    if gust.kind == "error before":
        return httpx.Response(500, content=b'{"fault": "the server broke"}')
    if gust.kind == "page":
        return httpx.Response(200, content=HTML, headers={"content-type": "text/html"})
    return None


def _tell(told: asyncio.Future[Any], response: httpx.Response) -> None:
    if not told.done():
        told.set_result(response)


__all__ = ["Killed", "Road"]
