"""What a client sends: its login, a batch of T-SQL, or a call of a procedure with typed parameters."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any

_BY_NAME, _EXECUTESQL = 0xFFFF, 10


@dataclass(frozen=True)
class Login:
    """Who wants in, and to which database."""

    user: str
    password: str = field(repr=False)
    database: str


@dataclass(frozen=True)
class Call:
    """A procedure by name, and its parameters in order: name (may be empty) and value."""

    procedure: str
    parameters: tuple[tuple[str, Any], ...]


class NotUnderstood(Exception):
    """A request this door does not know."""


def login_of(body: bytes) -> Login:
    """The parts of LOGIN7 that matter here; the password's bytes are swapped and masked on the wire."""

    def part(at: int) -> bytes:
        offset, length = struct.unpack_from("<HH", body, at)
        return body[offset : offset + 2 * length]

    password = bytes(((byte ^ 0xA5) >> 4) | (((byte ^ 0xA5) << 4) & 0xF0) for byte in part(44))
    return Login(part(40).decode("utf-16-le"), password.decode("utf-16-le"), part(68).decode("utf-16-le"))


def batch_of(body: bytes) -> str:
    """The text of a batch, behind its headers."""
    return body[_behind_headers(body) :].decode("utf-16-le")


def call_of(body: bytes) -> Call:
    """A remote procedure call by name, or of sp_executesql by its number."""
    at = _behind_headers(body)
    (length,) = struct.unpack_from("<H", body, at)
    if length == _BY_NAME:
        (number,) = struct.unpack_from("<H", body, at + 2)
        if number != _EXECUTESQL:
            raise NotUnderstood(f"the procedure with number {number}")
        name, at = "sp_executesql", at + 4
    else:
        name, at = body[at + 2 : at + 2 + 2 * length].decode("utf-16-le"), at + 2 + 2 * length
    reading = _Reading(body, at + 2)
    parameters = []
    while reading.at < len(body):
        parameters.append(reading.parameter())
    return Call(name.rpartition(".")[2].strip("[]").lower(), tuple(parameters))


def _behind_headers(body: bytes) -> int:
    return int(struct.unpack_from("<I", body)[0])


class _Reading:
    """Parameters one after the other."""

    def __init__(self, body: bytes, at: int) -> None:
        self._body, self.at = body, at

    def _take(self, count: int) -> bytes:
        taken = self._body[self.at : self.at + count]
        self.at += count
        return taken

    def parameter(self) -> tuple[str, Any]:
        name = self._take(2 * self._take(1)[0]).decode("utf-16-le")
        self._take(1)  # whether it is for output
        return name, self._value(self._take(1)[0])

    def _value(self, kind: int) -> Any:
        if kind in (0xE7, 0xEF, 0xA7, 0xAF):
            return self._text("utf-16-le" if kind in (0xE7, 0xEF) else "gbk")
        if kind in (0xAD, 0xA5):
            self._take(2)
            return self._long(2)
        if kind == 0x38:
            return int.from_bytes(self._take(4), "little", signed=True)
        if kind in (0x26, 0x68, 0x6D):
            self._take(1)
            raw = self._take(self._take(1)[0])
            return None if not raw else _number(kind, raw)
        if kind in (0x6A, 0x6C):
            return self._decimal()
        raise NotUnderstood(f"a parameter of type 0x{kind:02x}")

    def _text(self, encoding: str) -> str | None:
        most = struct.unpack("<H", self._take(2))[0]
        self._take(5)
        raw = self._chunks() if most == 0xFFFF else self._long(2)
        return None if raw is None else raw.decode(encoding)

    def _long(self, width: int) -> bytes | None:
        length = int.from_bytes(self._take(width), "little")
        return None if length == 0xFFFF else self._take(length)

    def _chunks(self) -> bytes | None:
        if self._take(8) == b"\xff" * 8:
            return None
        whole = b""
        while length := int.from_bytes(self._take(4), "little"):
            whole += self._take(length)
        return whole

    def _decimal(self) -> Decimal | None:
        _, _, scale = self._take(3)
        raw = self._take(self._take(1)[0])
        if not raw:
            return None
        number = int.from_bytes(raw[1:], "little")
        return Decimal(number if raw[0] else -number).scaleb(-scale, Context(prec=100))


def _number(kind: int, raw: bytes) -> int | float:
    if kind == 0x6D:
        return float(struct.unpack("<d" if len(raw) == 8 else "<f", raw)[0])
    return int.from_bytes(raw, "little", signed=len(raw) > 1)
