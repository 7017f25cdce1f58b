"""One connection to a system, asked one question at a time: asyncio for the bytes, httptools for HTTP/1.1."""

from __future__ import annotations

import asyncio
import select
import zlib
from typing import Any

import httptools
import httpx

from throughline.connectors.mechanisms.http.road import Said, TooLong

_ENDS = frozenset((b"content-length", b"transfer-encoding"))


class Conversation(asyncio.Protocol):
    """A connection. After a failure it is closed and never used again."""

    def __init__(self, loop: asyncio.AbstractEventLoop, most_bytes: int) -> None:
        self._loop = loop
        self._most = most_bytes
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Said] | None = None
        self._idle_limit = self._deadline = self._last_heard = 0.0
        self._has_end: bool = False
        self.idle_since = 0.0
        self.reusable = True

    # -- asked by the road -------------------------------------------------------------------------------------------

    async def ask(self, request: bytes, *, idle: float, total: float) -> Said:
        """Send a request and wait for its answer: at most `idle` seconds of silence, `total` seconds in all."""
        now = self._loop.time()
        self._begin()
        answer: asyncio.Future[Said] = self._loop.create_future()
        self._answer = answer
        self._last_heard, self._idle_limit, self._deadline = now, idle, now + total
        self._timer = self._loop.call_later(min(idle, total), self._check_time)
        try:
            self._send(request)
            return await answer
        except BaseException:
            self.abort()
            raise
        finally:
            self._timer.cancel()
            self._answer = None

    def usable(self, keep_alive: float) -> bool:
        """Whether this idle connection may be asked again: young enough, and with no farewell waiting to be read."""
        if self._transport is None or self._transport.is_closing() or not self.reusable:
            return False
        if self._loop.time() - self.idle_since >= keep_alive:
            return False
        waiting = select.poll()
        waiting.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not waiting.poll(0)

    def abort(self) -> None:
        """Close at once; what was not sent yet is not sent."""
        self.reusable = False
        if self._transport is not None:
            self._transport.abort()

    # -- called by asyncio -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_connection gives nothing else
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Some bytes of an answer; bytes nobody asked for end the connection."""
        if self._answer is None or self._answer.done():
            self.abort()
            return
        self._last_heard = self._loop.time()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as wrong:
            self._fail(httpx.RemoteProtocolError(f"this is not HTTP: {type(wrong).__name__}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side hung up: the end of an answer that announced no length, a failure otherwise."""
        self.reusable = False
        if self._answer is None:
            return
        if exc is not None:
            self._fail(httpx.ReadError(f"the connection broke ({type(exc).__name__})"))
        elif self._headers_done and not self._has_end:
            self._finish()
        else:
            self._fail(httpx.RemoteProtocolError("the connection was closed before the answer was complete"))

    # -- called by httptools -----------------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; of a second answer that nobody asked for, only that it came."""
        if self._answer is None or self._answer.done():
            self.reusable = False
            return
        name = name.lower()
        self._has_end = self._has_end or name in _ENDS
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """All headers are there."""
        self._headers_done = True

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._size += len(body)
        if self._size > self._most:
            self._fail(TooLong())
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """The answer is whole; a mere 'wait' (1xx) is not an answer yet."""
        if self._parser.get_status_code() // 100 == 1:
            self._forget()
            return
        # a server that just failed often hangs up without saying so: the next request had better not meet that
        failed = self._parser.get_status_code() >= 500
        self.reusable = self.reusable and not failed and bool(self._parser.should_keep_alive())
        self._finish()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _send(self, request: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise httpx.ConnectError("the connection was closed before anything was sent")
        self._transport.write(request)

    def _begin(self) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
        self._forget()

    def _forget(self) -> None:
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._size = 0
        self._headers_done = False
        self._has_end = False

    def _finish(self) -> None:
        if self._answer is None or self._answer.done():
            return
        try:
            content = decoded(b"".join(self._body), self._headers, self._most)
        except (httpx.DecodingError, TooLong) as wrong:
            self._fail(wrong)
            return
        self._answer.set_result(Said(self._parser.get_status_code(), self._headers, content))

    def _fail(self, error: Exception) -> None:
        self.reusable = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _check_time(self) -> None:
        now = self._loop.time()
        left = min(self._last_heard + self._idle_limit, self._deadline) - now
        if left > 0:
            self._timer = self._loop.call_later(left, self._check_time)
        else:
            self._fail(httpx.ReadTimeout("no answer in time"))


def decoded(body: bytes, headers: list[tuple[bytes, bytes]], most: int) -> bytes:
    """The body without its compression; one that would grow beyond `most` bytes is not unpacked to the end."""
    encoding = next((value.strip().lower() for name, value in headers if name == b"content-encoding"), b"")
    if not body or encoding in (b"", b"identity"):
        return body
    if encoding not in (b"gzip", b"x-gzip", b"deflate"):
        raise httpx.DecodingError("the answer is compressed in a way we did not offer")
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        plain = unpack.decompress(body, most + 1)
    except zlib.error:
        raise httpx.DecodingError("the answer says it is compressed and is not") from None
    if len(plain) > most:
        raise TooLong
    return plain
