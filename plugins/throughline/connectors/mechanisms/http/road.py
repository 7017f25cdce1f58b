"""How bytes get to a system and back: a small interface, kept by aiohttp's client and by any httpx transport."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx

from throughline.connectors.mechanisms.http.profile import Limits


@dataclass(slots=True)
class Said:
    """What came back, before anybody judges it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    content: bytes


class TooLong(Exception):
    """The answer is longer than we are willing to hold."""


class Road(Protocol):
    """Carries one request, once, and brings its answer, or raises its library's exceptions.

    `failures` says what each of them means.
    """

    async def carry(self, method: str, target: str, headers: Mapping[str, str], content: bytes) -> Said:
        """The answer to one request; `target` is path and query below the host."""
        ...

    async def open(self) -> None:
        """Get ready."""
        ...

    async def close(self) -> None:
        """Let all connections go."""
        ...


class TransportRoad:
    """A road over any httpx transport: through a proxy, or into a test.

    It is httpx without its client: no cookies, redirects or environment to reckon with.
    """

    def __init__(self, host: str, transport: httpx.AsyncBaseTransport, limits: Limits) -> None:
        self._host = host
        self._transport = transport
        self._most = limits.answer_bytes
        self._total = limits.total_seconds
        answer = limits.answer_seconds
        timeout = {"connect": limits.connect_seconds, "read": answer, "write": answer, "pool": limits.total_seconds}
        self._extensions = {"timeout": timeout}

    async def carry(self, method: str, target: str, headers: Mapping[str, str], content: bytes) -> Said:
        """The answer to one request."""
        url = self._host + target
        try:
            given = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
        except UnicodeEncodeError:
            raise httpx.LocalProtocolError("a header holds what no header may") from None
        request = httpx.Request(method, url, headers=given, content=content, extensions=self._extensions)
        async with asyncio.timeout(self._total):
            response = await self._transport.handle_async_request(request)
            try:
                return Said(response.status_code, response.headers.raw, await self._read(response))
            finally:
                await response.aclose()

    async def _read(self, response: httpx.Response) -> bytes:
        chunks, size = [], 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > self._most:
                raise TooLong
            chunks.append(chunk)
        return b"".join(chunks)

    async def open(self) -> None:
        """Open the transport."""
        await self._transport.__aenter__()

    async def close(self) -> None:
        """Close the transport."""
        await self._transport.__aexit__(None, None, None)
