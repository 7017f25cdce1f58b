"""TDS 7.x as bytes: packets, and the tokens of an answer that carry no rows (MS-TDS, sections 2.2.3 and 2.2.7)."""

from __future__ import annotations

import asyncio
import struct
from enum import IntEnum

PACKET = 4096
HEADER = struct.Struct(">BBHHBB")
COLLATION = bytes.fromhex("0408d00000")
"""Chinese_PRC_CI_AS: locale 0x0804, so text that is no Unicode travels in code page 936 (GBK)."""
TDS_74 = bytes.fromhex("74000004")
MORE, FAILED, COUNTED, CANCELLED = 0x01, 0x02, 0x10, 0x20


class Kind(IntEnum):
    """What a packet from the client carries."""

    BATCH = 0x01
    CALL = 0x03
    ATTENTION = 0x06
    LOGIN = 0x10
    PRELOGIN = 0x12


async def receive(reader: asyncio.StreamReader) -> tuple[int, bytes] | None:
    """One whole message and its kind; None when the client has gone."""
    body = b""
    while True:
        try:
            kind, status, length, *_ = HEADER.unpack(await reader.readexactly(HEADER.size))
            body += await reader.readexactly(length - HEADER.size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        if status & 1:
            return kind, body


async def answer(writer: asyncio.StreamWriter, body: bytes) -> None:
    """Send one whole message in packets of the agreed size."""
    room = PACKET - HEADER.size
    parts = [body[at : at + room] for at in range(0, len(body), room)] or [b""]
    for number, part in enumerate(parts, 1):
        last = number == len(parts)
        writer.write(HEADER.pack(4, int(last), len(part) + HEADER.size, 51, number % 256, 0) + part)
        await writer.drain()


def prelogin() -> bytes:
    """Our version, and that this door offers no encryption."""
    options = bytes.fromhex("00001a0006 0100200001 0200210001 0300220000 0400220001 ff")
    return options + bytes.fromhex("0f0007d00000 02 00 00")


def wide(text: str) -> bytes:
    """Text as it travels: UTF-16, little end first."""
    return text.encode("utf-16-le")


def short(text: str) -> bytes:
    """Text after its length in one byte."""
    return bytes([len(wide(text)) // 2]) + wide(text)


def _long(text: str) -> bytes:
    return struct.pack("<H", len(wide(text)) // 2) + wide(text)


def done(status: int = 0, rows: int = 0, token: int = 0xFD) -> bytes:
    """The end of one statement."""
    return struct.pack("<BHHQ", token, status, 0, rows)


def message(number: int, text: str, severity: int = 16) -> bytes:
    """An error as SQL Server tells it."""
    body = struct.pack("<IBB", number, 1, severity) + _long(text[:1000]) + short("plant") + short("")
    body += struct.pack("<I", 1)
    return struct.pack("<BH", 0xAA, len(body)) + body


def welcome(database: str) -> bytes:
    """The answer to a login: the database, its collation, the packet size and the server's name."""
    changes = (
        b"\x01" + short(database) + short("master"),
        b"\x07" + bytes([len(COLLATION)]) + COLLATION + b"\0",
        b"\x04" + short(str(PACKET)) + short(str(PACKET)),
    )
    acknowledged = b"\x01" + TDS_74 + short("Microsoft SQL Server") + bytes([15, 0, 7, 208])
    tokens = [struct.pack("<BH", 0xE3, len(change)) + change for change in changes]
    tokens.insert(2, struct.pack("<BH", 0xAD, len(acknowledged)) + acknowledged)
    return b"".join(tokens) + done()
