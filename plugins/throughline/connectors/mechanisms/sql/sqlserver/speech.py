"""SQL Server as the connector knows a dialect."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.sql.profile import SqlLimits, SqlObject
from throughline.connectors.mechanisms.sql.speech import Horizon, PositionOf
from throughline.connectors.mechanisms.sql.sqlserver.rowversions import number_of, written
from throughline.connectors.mechanisms.sql.sqlserver.session import SqlServerSource
from throughline.connectors.mechanisms.sql.sqlserver.statements import SqlServerStatements


class SqlServerSpeech:
    """Positions are rowversions."""

    position = "rowversion"

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)

    def written(self, position: int) -> str:
        """As SQL Server prints one: `0x00000000000007D1`."""
        return written(position)

    def read(self, told: Any) -> int:
        """From the same."""
        return number_of(told)

    def position_of(self, kind: str, horizon: Horizon) -> PositionOf:
        """A rowversion is its own position."""
        del kind, horizon
        return lambda told: None if told is None else number_of(told)

    def statements(self, declared: SqlObject) -> SqlServerStatements:
        """The statements of one kind of document."""
        return SqlServerStatements(declared, self._zone)

    def source(self, role: str, connection: Connection, limits: SqlLimits) -> SqlServerSource:
        """The way to a database."""
        return SqlServerSource(role, connection, limits)
