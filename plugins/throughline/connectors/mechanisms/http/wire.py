"""One request to one system and what its answer means: limits, time-outs, login, verdict.

Nothing is retried here but one thing: an answer that says our login is no longer good is followed by one new login and
the same request once more; the system refused the first, so nothing was carried out.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

import httpx

from throughline.connectors.contract import Connection
from throughline.connectors.exact_json import NotJson, read_json
from throughline.connectors.mechanisms.http.consequences import consequence
from throughline.connectors.mechanisms.http.failures import ROAD_FAILURES, road_failure
from throughline.connectors.mechanisms.http.outgoing import Outgoing, PreparedCall
from throughline.connectors.mechanisms.http.pace import Pace
from throughline.connectors.mechanisms.http.paths import MISSING
from throughline.connectors.mechanisms.http.profile import Limits
from throughline.connectors.mechanisms.http.verdicts import Answer, Verdict
from throughline.errors import InDoubt, Invalid, Misconfigured
from throughline.secrecy import Masker

_KEPT_ADDRESSES = 256
_HEADERS = {"accept": "application/json", "accept-encoding": "gzip, deflate", "user-agent": "throughline"}


class Wire:
    """The road to one system. One event loop, any number of concurrent requests."""

    def __init__(
        self, role: str, connection: Connection, limits: Limits, *, transport: httpx.AsyncBaseTransport,
        clock: Callable[[], datetime], randomness: Random, masker: Masker,
        decode: Callable[[Any], Any] | None = None,
    ) -> None:  # fmt: skip
        self.role = role
        self.connection = connection
        self.where = f"connection {connection.name}"
        self.clock = clock
        self.masker = masker
        self._limits = limits
        self._transport = transport
        self._randomness = randomness
        self._decode = decode
        self._pace = Pace(limits)
        self.host = _checked_host(connection, self.where)
        self._about = {
            "login": connection.login, "password": connection.password, "host": connection.host,
            "extra": connection.extra,
        }  # fmt: skip
        self._urls: dict[str, httpx.URL] = {}
        answer = limits.answer_seconds
        self._extensions = {
            "timeout": {
                "connect": limits.connect_seconds,
                "read": answer,
                "write": answer,
                "pool": limits.total_seconds,
            }
        }

    def scope(self, **values: Any) -> dict[str, Any]:
        """What the shapes of a call may refer to."""
        values["connection"] = self._about
        return values

    async def exchange(
        self, call: PreparedCall, scope: dict[str, Any], *, writes: bool, put: Callable[[Outgoing], None] | None = None
    ) -> tuple[Answer, Verdict]:
        """One request and the verdict on its answer; raises only for failures of the road."""
        self._add_moments(call, scope)
        outgoing = call.fill(scope)
        if put is not None:
            put(outgoing)
        request = self._request(outgoing)
        try:
            async with self._pace.turn(outgoing.path):
                answer = await self._carry(request)
        except ROAD_FAILURES as error:
            raise road_failure(error, writes=writes, system=self.role, where=self.where, path=outgoing.path) from None
        except _TooLong:
            kind = InDoubt if writes else Invalid
            most = self._limits.answer_bytes
            raise kind(
                f"{self.role} answered with more than {most} bytes", system=self.role, path=outgoing.path
            ) from None
        return answer, call.judge(answer)

    def failed(self, call: PreparedCall, answer: Answer, verdict: Verdict, *, writes: bool) -> Exception:
        """The error an answer that is not ok stands for."""
        details = {"call": call.name, "status": answer.status, "answer": self._shown(answer)}
        if verdict.message:
            verdict.message = self.masker.text(verdict.message)
        return consequence(verdict, system=self.role, where=self.where, writes=writes, details=details)

    def _shown(self, answer: Answer) -> str:
        return self.masker.text(answer.content[:500].decode("utf-8", "replace"))

    async def _carry(self, request: httpx.Request) -> Answer:
        async with asyncio.timeout(self._limits.total_seconds):
            response = await self._transport.handle_async_request(request)
            try:
                content = await self._read(response)
            finally:
                await response.aclose()
        try:
            body = read_json(content) if content else MISSING
            if self._decode is not None and body is not MISSING:
                body = self._decode(body)
        except (NotJson, ValueError):
            body = MISSING
        return Answer(response.status_code, response.headers, body, content)

    async def _read(self, response: httpx.Response) -> bytes:
        chunks, size = [], 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > self._limits.answer_bytes:
                raise _TooLong
            chunks.append(chunk)
        return b"".join(chunks)

    def _request(self, outgoing: Outgoing) -> httpx.Request:
        content = outgoing.content()
        target = outgoing.target()
        url = self._urls.get(target)
        if url is None:
            try:
                url = httpx.URL(self.host + target)
            except httpx.InvalidURL:
                raise Misconfigured("the host of this connection is not an address", where=self.where) from None
            if len(self._urls) >= _KEPT_ADDRESSES:
                self._urls.clear()
            self._urls[target] = url
        return httpx.Request(
            outgoing.method, url, headers={**_HEADERS, **outgoing.headers}, content=content,
            extensions=self._extensions,
        )  # fmt: skip

    def _add_moments(self, call: PreparedCall, scope: dict[str, Any]) -> None:
        if "uuid" in call.needs:
            scope["uuid"] = str(uuid.UUID(int=self._randomness.getrandbits(128), version=4))
        if "now" in call.needs or "now_ms" in call.needs:
            now = self.clock()
            scope["now"], scope["now_ms"] = now, int(now.timestamp() * 1000)


class _TooLong(Exception):
    """The answer is longer than we are willing to hold."""


def _checked_host(connection: Connection, where: str) -> str:
    if not connection.host.startswith(("http://", "https://")):
        raise Misconfigured("the host must begin with http:// or https://", where=where)
    return connection.host.rstrip("/")
