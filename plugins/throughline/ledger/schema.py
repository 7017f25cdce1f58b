"""Bring a database to the ledger's newest shape, whoever else is trying at the same moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

_ONE_AT_A_TIME = 7_206_001
"""The advisory lock migrations and new months take, so that two starting processes do not collide."""
_WEEK = timedelta(days=7)
_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(dsn: str) -> None:
    """Lay or update the ledger's tables; harmless when they are up to date, safe when called twice at once."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine, pool

    def connect() -> Any:
        return psycopg.connect(dsn)

    engine = create_engine("postgresql+psycopg://", creator=connect, poolclass=pool.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({_ONE_AT_A_TIME})")
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def ensure_months(connection: psycopg.Connection[Any], now: datetime, *, ahead: int = 2) -> None:
    """Make the payload partitions of this month and the next ones; what came before its month lies in the default."""
    connection.execute("select pg_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(ahead + 1):
        following = (first.replace(day=28) + _WEEK).replace(day=1)
        _ensure_month(connection, first, following)
        first = following


def _ensure_month(connection: psycopg.Connection[Any], first: datetime, following: datetime) -> None:
    name = f"payloads_{first:%Y_%m}"
    there = connection.execute("select to_regclass(%s) is not null", [name]).fetchone()
    early = connection.execute(
        "select exists (select from payloads_default where captured_at >= %s and captured_at < %s)", [first, following]
    ).fetchone()
    if there == (True,) or early == (True,):
        return
    connection.execute("select make_payload_month(%s, %s)", [first, following])
