"""A rowversion: eight bytes, the first the most significant; for us a whole number, for people `0x00000000000007D1`."""

from __future__ import annotations

from typing import Any

SIZE = 8


def written(number: int) -> str:
    """As SQL Server prints it."""
    return f"0x{number:016X}"


def number_of(told: Any) -> int:
    """From what SQL Server prints; ValueError for anything else."""
    if not isinstance(told, str) or not told.startswith("0x") or len(told) != 2 + 2 * SIZE:
        raise ValueError(f"{told!r} is no rowversion")
    return int(told, 16)


def packed(number: int) -> bytearray:
    """For a bound parameter. Never `bytes`: the driver would send eight bytes that happen to be letters as text."""
    return bytearray(number.to_bytes(SIZE, "big"))


def unpacked(raw: bytes) -> int:
    """From a column."""
    return int.from_bytes(raw, "big")
