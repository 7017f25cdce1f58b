"""PostgreSQL as the connector knows a dialect."""

from __future__ import annotations

from typing import Any

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.sql.postgresql.session import PostgresSource
from throughline.connectors.mechanisms.sql.postgresql.statements import PostgresStatements
from throughline.connectors.mechanisms.sql.profile import SqlLimits, SqlObject
from throughline.connectors.mechanisms.sql.speech import Horizon, PositionOf


class PostgresSpeech:
    """Positions are ids of transactions."""

    position = "xid"

    def written(self, position: int) -> str:
        """In plain digits."""
        return str(position)

    def read(self, told: Any) -> int:
        """From plain digits."""
        return int(told)

    def position_of(self, kind: str, horizon: Horizon) -> PositionOf:
        """`xid8` is the full id; `xmin` its lower half, completed by the same reckoning as in `statements`."""
        last = horizon.following - 1

        def full(told: Any) -> int | None:
            if told is None or kind == "xid8":
                return None if told is None else int(told)
            return last - ((last - int(told)) & 0xFFFFFFFF)

        return full

    def statements(self, declared: SqlObject) -> PostgresStatements:
        """The statements of one kind of document."""
        return PostgresStatements(declared)

    def source(self, role: str, connection: Connection, limits: SqlLimits) -> PostgresSource:
        """The way to a database."""
        return PostgresSource(role, connection, limits)
