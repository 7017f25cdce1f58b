"""The self-made system of include/products/postgres_tables on a real PostgreSQL, read by a user who may only read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from throughline.connectors.contract import Captured, Connection
from throughline.connectors.mechanisms.sql.connector import SqlConnector
from throughline.connectors.mechanisms.sql.profile import SqlProfile
from throughline.connectors.registry import profile_of
from throughline.connectors.yaml_files import read_model
from throughline.secrecy import Masker

TABLES = Path(__file__).parents[4] / "include" / "products" / "postgres_tables" / "tables.sql"
READER = "plant_reader"


@pytest.fixture
def source(postgres_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """The system's own connection: its tables laid, every statement committed at once."""
    with psycopg.connect(postgres_dsn, autocommit=True) as owner:
        owner.execute(TABLES.read_text())
        owner.execute(
            f"do $$ begin if not exists (select from pg_roles where rolname = '{READER}')"
            f" then create role {READER} login password 'reads-only'; end if; end $$"
        )
        owner.execute(f"grant select on all tables in schema public to {READER}")
        yield owner
        owner.execute(f"drop owned by {READER}")


@pytest.fixture
def address(postgres_dsn: str) -> Connection:
    place = urlsplit(postgres_dsn)
    host = f"{place.hostname}:{place.port}"
    return Connection("legacy_connection", host, READER, "reads-only", {"database": place.path.strip("/")})


@pytest.fixture
def connect(source: psycopg.Connection[Any], address: Connection, tmp_path: Path) -> Callable[..., SqlConnector]:
    """A connector of the product as it lies in include/, or of a profile given as YAML."""

    def make(text: str | None = None, **limits: Any) -> SqlConnector:
        profile = profile_of("postgres_tables")
        assert isinstance(profile, SqlProfile)
        if text is not None:
            path = tmp_path / "profile.yaml"
            path.write_text(f"product: trial\ntitle: Trial\nmechanism: sql\ndialect: postgresql\nobjects:\n{text}")
            profile = read_model(path, SqlProfile)
        if limits:
            profile = profile.model_copy(update={"limits": profile.limits.model_copy(update=limits)})
        return SqlConnector(profile, "legacy", address, masker=Masker())

    return make


async def poll(connector: SqlConnector, document: str, cursor: Any = None, **window: Any) -> tuple[list[Captured], Any]:
    """All pages of one poll, and the cursor to read on from."""
    records: list[Captured] = []
    async for page in connector.changes(document, cursor, **window):
        records += page.records
        cursor = page.cursor
    return records, cursor


def order(source: psycopg.Connection[Any], number: str, *, lines: int = 0) -> int:
    """One order, with so many lines, in one transaction."""
    with source.transaction():
        row = source.execute(
            "insert into orders (order_no, customer_no) values (%s, 'C-1') returning id", [number]
        ).fetchone()
        assert row is not None
        for line in range(1, lines + 1):
            source.execute(
                "insert into order_lines (order_id, line_no, item_no, quantity, unit, price)"
                " values (%s, %s, 'FG-100', 1.50, 'pcs', 99.90)",
                [row[0], line],
            )
    return int(row[0])
