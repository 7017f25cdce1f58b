"""Rows of PostgreSQL as plain JSON values: every number exact, every moment as text, nothing turned into a float.

What the mapping cannot use (an infinite date, a NaN) stays as its text, so that only that one document is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.json import set_json_loads

from throughline.connectors.exact_json import read_json
from throughline.errors import Misconfigured


class _Text(Loader):
    """The value as PostgreSQL writes it."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode()


class _Moment(Loader):
    """`2026-11-23T08:00:00+00`: what every reader of ISO moments understands."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode().replace(" ", "T", 1)


class _Number(Loader):
    """A number digit for digit; what is none (NaN, Infinity) stays text."""

    def load(self, data: Buffer) -> Decimal | str:
        text = bytes(data).decode()
        number = Decimal(text)
        return number if number.is_finite() else text


_LOADERS: Mapping[str, type[Loader]] = {
    **dict.fromkeys(("timestamp", "timestamptz"), _Moment),
    **dict.fromkeys(("date", "time", "timetz", "interval", "xid", "xid8"), _Text),
    **dict.fromkeys(("numeric", "float4", "float8"), _Number),
}


def read_exactly(connection: AsyncConnection[Any]) -> None:
    """Make this connection read values as documents need them."""
    for name, loader in _LOADERS.items():
        connection.adapters.register_loader(name, loader)
    set_json_loads(read_json, connection)


def plain(value: Any, column: str) -> Any:
    """The value as JSON knows it; `Misconfigured` for a kind that has no plain form."""
    if value is None or isinstance(value, str | bool | int | Decimal):
        return value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, list):
        return [plain(part, column) for part in value]
    if isinstance(value, dict):
        return {name: plain(part, column) for name, part in value.items()}
    raise Misconfigured(
        f"column {column} holds a {type(value).__name__}, which has no plain form: cast it to text in the query"
    )
