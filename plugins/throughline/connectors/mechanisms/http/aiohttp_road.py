"""The road over real sockets: aiohttp's client, whose parser is compiled; a fifth of httpx's CPU a call.

One request is one attempt: aiohttp repeats GET, PUT and DELETE by itself when a kept connection turns out to be closed,
and a write may never be repeated unseen. No cookies, no redirects, nothing from the environment.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping
from urllib.parse import quote

import aiohttp
from yarl import URL

from throughline.connectors.mechanisms.http.profile import Limits
from throughline.connectors.mechanisms.http.road import Said, TooLong

_PLAIN = re.compile(r"[!-~]*")
_RESERVED = "".join(chr(code) for code in range(0x21, 0x7F))
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t -~]*")


class Interrupted(aiohttp.ClientConnectionError):
    """The connection broke after the request was, or may have been, sent."""


class HeaderRefused(aiohttp.ClientError):
    """A header holds what no header may; nothing was sent."""


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request and let no failure through that aiohttp would answer by sending it again."""
    try:
        return await send(request)
    except aiohttp.ClientConnectorError:
        raise  # never connected; aiohttp does not repeat these
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as broken:
        raise Interrupted(str(broken)) from broken


async def _hear_of_closed_connections() -> None:
    """Two turns of the loop: one asks the sockets, one closes those that were hung up; none of them is used again."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


class AiohttpRoad:
    """A road from this machine straight to the system."""

    def __init__(self, host: str, limits: Limits, trust: ssl.SSLContext | None = None) -> None:
        self._host = host
        self._limits = limits
        self._trust = trust or True
        self._session: aiohttp.ClientSession | None = None

    async def carry(self, method: str, target: str, headers: Mapping[str, str], content: bytes) -> Said:
        """The answer to one request."""
        session = self._session or self._begin()
        for name, value in headers.items():
            if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
                raise HeaderRefused("a header holds what no header may")
        await _hear_of_closed_connections()
        async with asyncio.timeout(self._limits.total_seconds):
            response = await session.request(
                method, self._address(target), headers=headers, data=content or None, allow_redirects=False
            )
            try:
                said = Said(response.status, list(response.raw_headers), await self._read(response.content))
            except BaseException:
                response.close()
                raise
            response.release()
            return said

    async def open(self) -> None:
        """Get ready; connections are made when they are needed."""
        self._begin()

    async def close(self) -> None:
        """Let all connections go."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _begin(self) -> aiohttp.ClientSession:
        limits = self._limits
        connector = aiohttp.TCPConnector(limit=0, ssl=self._trust, keepalive_timeout=limits.keep_alive_seconds)
        timeout = aiohttp.ClientTimeout(total=None, connect=limits.connect_seconds, sock_read=limits.answer_seconds)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar(), middlewares=(_once,),
            skip_auto_headers=("content-type",),
        )  # fmt: skip
        return self._session

    def _address(self, target: str) -> URL:
        """The address as it is, not spelled anew: a signature may cover it; only what no address may hold is quoted."""
        if not _PLAIN.fullmatch(target):
            target = quote(target, safe=_RESERVED)
        return URL(self._host + target, encoded=True)

    async def _read(self, content: aiohttp.StreamReader) -> bytes:
        chunks, size = [], 0
        while chunk := await content.readany():
            size += len(chunk)
            if size > self._limits.answer_bytes:
                raise TooLong
            chunks.append(chunk)
        return b"".join(chunks)
