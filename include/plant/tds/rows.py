"""Rows of PostgreSQL as the tokens of a SQL Server result: which type a column travels as, and each value as bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from typing import Any
from uuid import UUID

from include.plant.tds.wire import COLLATION, short, wide

Encode = Callable[[Any], bytes]
MOST_WIDE, MOST_NARROW = 4000, 8000
NULLABLE = 0x09
EXACTLY = Context(prec=100)


@dataclass(frozen=True)
class Column:
    """A column of an answer: PostgreSQL's type, and the domain it was declared with, where it is a table's own."""

    name: str
    base: str
    domain: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0


@dataclass(frozen=True)
class Travels:
    """How a column travels: its type on the wire, what stands for null, and its values."""

    announced: bytes
    null: bytes
    encode: Encode


def result(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> bytes:
    """COLMETADATA and a ROW token for each row."""
    kinds = [travels(column, [row[place] for row in rows]) for place, column in enumerate(columns)]
    told = [struct.pack("<BH", 0x81, len(columns))]
    for column, kind in zip(columns, kinds, strict=True):
        told.append(struct.pack("<IH", 0, NULLABLE) + kind.announced + short(column.name))
    for row in rows:
        told.append(b"\xd1")
        told += [kind.null if value is None else kind.encode(value) for kind, value in zip(kinds, row, strict=True)]
    return b"".join(told)


def travels(column: Column, values: Sequence[Any]) -> Travels:
    """The wire type of a column; its domain decides before its base type does."""
    if column.domain in _DOMAINS:
        return _DOMAINS[column.domain](column)
    if column.base == "numeric":
        return _decimal(column, values)
    if column.base == "bytea":
        return _binary(all(len(value) == 8 for value in values if value is not None))
    return _BASES.get(column.base, _wide)(column)


def _whole(size: int) -> Callable[[Column], Travels]:
    def of(_: Column) -> Travels:
        signed = size > 1
        return Travels(
            bytes([0x26, size]), b"\0", lambda v: bytes([size]) + int(v).to_bytes(size, "little", signed=signed)
        )

    return of


def _bit(_: Column) -> Travels:
    return Travels(b"\x68\x01", b"\0", lambda value: bytes([1, int(value)]))


def _float(_: Column) -> Travels:
    return Travels(b"\x6d\x08", b"\0", lambda value: b"\x08" + struct.pack("<d", value))


def _decimal(column: Column, values: Sequence[Any]) -> Travels:
    precision, scale = column.precision or 38, column.scale
    if not column.precision:
        scale = max([0, *(-int(value.as_tuple().exponent) for value in values if value is not None)])
    size = 4 if precision <= 9 else 8 if precision <= 19 else 12 if precision <= 28 else 16

    def encode(value: Decimal) -> bytes:
        digits = int(EXACTLY.scaleb(value.copy_abs(), scale))
        return bytes([size + 1, int(value >= 0)]) + digits.to_bytes(size, "little")

    return Travels(bytes([0x6A, size + 1, precision, scale]), b"\0", encode)


def _datetime(_: Column) -> Travels:
    """Days since 1900 and steps of 1/300 s."""

    def encode(value: datetime) -> bytes:
        days, ticks = value.toordinal() - date(1900, 1, 1).toordinal(), round(_since_midnight(value) * 300 / 1_000_000)
        return b"\x08" + struct.pack("<iI", *((days + 1, 0) if ticks == 86_400 * 300 else (days, ticks)))

    return Travels(b"\x6f\x08", b"\0", encode)


def _datetime2(_: Column) -> Travels:
    def encode(value: datetime) -> bytes:
        told = value.replace(tzinfo=None)
        return b"\x08" + (_since_midnight(told) * 10).to_bytes(5, "little") + _days(told)

    return Travels(b"\x2a\x07", b"\0", encode)


def _date(_: Column) -> Travels:
    return Travels(b"\x28", b"\0", lambda value: b"\x03" + _days(value))


def _days(value: date) -> bytes:
    return (value.toordinal() - 1).to_bytes(3, "little")


def _since_midnight(value: datetime) -> int:
    """Microseconds."""
    return (value - value.replace(hour=0, minute=0, second=0, microsecond=0)) // timedelta(microseconds=1)


def _uuid(_: Column) -> Travels:
    return Travels(b"\x24\x10", b"\0", lambda value: b"\x10" + UUID(str(value)).bytes_le)


def _binary(stamps: bool) -> Travels:
    """`binary(8)`, as a rowversion travels, or varbinary."""
    announced = b"\xad\x08\x00" if stamps else b"\xa5" + struct.pack("<H", MOST_NARROW)
    return Travels(announced, b"\xff\xff", lambda value: struct.pack("<H", len(value)) + bytes(value))


def _rowversion(_: Column) -> Travels:
    return _binary(stamps=True)


def _narrow(_: Column) -> Travels:
    """`varchar` in code page 936; what it does not have becomes a question mark, as when SQL Server stores it."""
    return _narrow_bytes(lambda value: str(value).encode("gbk", "replace"))


def _as_they_lie(_: Column) -> Travels:
    return _narrow_bytes(bytes)


def _narrow_bytes(spell: Callable[[Any], bytes]) -> Travels:
    def encode(value: Any) -> bytes:
        raw = spell(value)
        return struct.pack("<H", len(raw)) + raw

    return Travels(b"\xa7" + struct.pack("<H", MOST_NARROW) + COLLATION, b"\xff\xff", encode)


def _wide(column: Column) -> Travels:
    """`nvarchar(n)`, or `nvarchar(max)` in chunks where no length is declared."""
    if 0 < column.length <= MOST_WIDE:
        announced = b"\xe7" + struct.pack("<H", 2 * column.length) + COLLATION
        return Travels(announced, b"\xff\xff", lambda value: struct.pack("<H", len(wide(value))) + wide(value))

    def encode(value: Any) -> bytes:
        raw = wide(str(value))
        chunk = struct.pack("<I", len(raw)) + raw if raw else b""
        return struct.pack("<Q", len(raw)) + chunk + struct.pack("<I", 0)

    return Travels(b"\xe7\xff\xff" + COLLATION, b"\xff" * 8, encode)


_DOMAINS: dict[str, Callable[[Column], Travels]] = {
    "bit_flag": _bit, "tiny": _whole(1), "datetime": _datetime, "datetime2": _datetime2, "gbk": _narrow,
    "gbk_bytes": _as_they_lie, "rowversion": _rowversion,
}  # fmt: skip
_BASES: dict[str, Callable[[Column], Travels]] = {
    "int2": _whole(2), "int4": _whole(4), "int8": _whole(8), "bool": _bit, "float4": _float, "float8": _float,
    "timestamp": _datetime2, "timestamptz": _datetime2, "date": _date, "uuid": _uuid,
}  # fmt: skip
