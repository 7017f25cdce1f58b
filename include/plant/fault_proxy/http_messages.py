"""HTTP/1.1 messages as bytes: where one ends, and nothing more."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

_MOST = 64 * 1024 * 1024


@dataclass(frozen=True)
class Message:
    """One request or answer, byte for byte as it came."""

    head: bytes
    body: bytes

    @property
    def start(self) -> list[str]:
        """The words of the first line."""
        return self.head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)

    @property
    def raw(self) -> bytes:
        """All of it."""
        return self.head + self.body


async def read_message(
    reader: asyncio.StreamReader, *, answers: str = "", writer: asyncio.StreamWriter | None = None
) -> Message | None:
    """The next whole message, or None when the other side closed before one began.

    Args:
        reader: where it comes from.
        answers: for an answer, the method it answers: one to HEAD has no body.
        writer: where a client is told to go on that waits for a word before it sends a long body.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as ended:
        if ended.partial.strip():
            raise
        return None
    if answers and head.split(b" ", 2)[1].startswith(b"1"):  # 100 Continue: the answer follows
        return await read_message(reader, answers=answers)
    if writer and b"100-continue" in head.lower():
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return Message(head, await _body(reader, head, answers))


async def _body(reader: asyncio.StreamReader, head: bytes, answers: str) -> bytes:
    fields = _fields(head)
    if answers == "HEAD" or (answers and head.split(b" ", 2)[1][:3] in (b"204", b"304")):
        return b""
    if "chunked" in fields.get("transfer-encoding", "").lower():
        return await _chunks(reader)
    if "content-length" in fields:
        return await reader.readexactly(min(int(fields["content-length"]), _MOST))
    return await reader.read(_MOST) if answers else b""


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        parts += [line, await reader.readexactly(size + 2)]
        if size == 0:
            return b"".join(parts)


def _fields(head: bytes) -> dict[str, str]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}


def made_answer(status: int, reason: str, body: bytes, *, kind: str = "text/plain", more: str = "") -> bytes:
    """An answer of our own."""
    head = f"HTTP/1.1 {status} {reason}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{more}\r\n"
    return head.encode("latin-1") + body
