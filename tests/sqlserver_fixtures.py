"""A Yonyou U8 account set on a SQL Server that is none: the TDS door of the plant before a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pymssql
import pytest

from include.plant.tds.server import U8, lay, running
from include.plant.tds.session import Door
from tests.conftest import free_port
from throughline.connectors.contract import Captured, Connection
from throughline.connectors.mechanisms.sql.connector import SqlConnector
from throughline.connectors.mechanisms.sql.profile import SqlProfile
from throughline.connectors.registry import profile_of
from throughline.connectors.yaml_files import read_model
from throughline.secrecy import Masker

DATABASE, LOGIN, PASSWORD = "UFDATA_001_2026", "hub", "只读-reads-only"


@dataclass(frozen=True)
class AccountSet:
    """The account set: by its door, as the hub sees it, and from behind, as U8's own people write it."""

    dsn: str
    port: int

    def address(self, **changed: Any) -> Connection:
        extra = {"database": changed.pop("database", DATABASE), **changed.pop("extra", {})}
        told = {"host": f"127.0.0.1:{self.port}", "login": LOGIN, "password": PASSWORD, **changed}
        return Connection("u8_connection", extra=extra, **told)

    def driver(self, **changed: Any) -> Any:
        told = {"user": LOGIN, "password": PASSWORD, "database": DATABASE, "autocommit": True, "timeout": 20, **changed}
        return pymssql.connect("127.0.0.1", port=str(self.port), login_timeout=20, **told)

    def ask(self, statement: str, values: Any = None, **changed: Any) -> list[dict[str, Any]]:
        with self.driver(**changed) as connection:
            cursor = connection.cursor(as_dict=True)
            cursor.execute(statement, values) if values is not None else cursor.execute(statement)
            return list(cursor.fetchall())


@pytest.fixture
def account_set(postgres_dsn: str) -> Iterator[AccountSet]:
    """An empty account set, open to the hub's login."""
    lay(postgres_dsn, DATABASE, U8)
    port = free_port()
    with running(Door({LOGIN: PASSWORD}, {DATABASE: postgres_dsn}), port):
        yield AccountSet(postgres_dsn, port)


@pytest.fixture
def people(account_set: AccountSet) -> Iterator[psycopg.Connection[Any]]:
    """U8's own people; every statement is committed at once."""
    with psycopg.connect(account_set.dsn, autocommit=True) as owner:
        yield owner


@pytest.fixture
def connect(account_set: AccountSet, tmp_path: Path) -> Callable[..., SqlConnector]:
    """A connector of the product, or of objects given as YAML."""

    def make(text: str | None = None, address: Connection | None = None, **limits: Any) -> SqlConnector:
        profile = sql_server_profile(tmp_path, text) if text is not None else profile_of("yonyou_u8")
        assert isinstance(profile, SqlProfile)
        limits = {"connect_seconds": 20, "answer_seconds": 20, **limits}
        profile = profile.model_copy(update={"limits": profile.limits.model_copy(update=limits)})
        return SqlConnector(profile, "u8", address or account_set.address(), masker=Masker())

    return make


def sql_server_profile(folder: Path, text: str) -> SqlProfile:
    """A profile of these objects."""
    path = folder / "profile.yaml"
    path.write_text(
        "product: trial\ntitle: Trial\nmechanism: sql\ndialect: sqlserver\nzone: Asia/Shanghai\nobjects:\n" + text
    )
    return read_model(path, SqlProfile)


async def poll(connector: SqlConnector, document: str, cursor: Any = None, **window: Any) -> tuple[list[Captured], Any]:
    """All pages of one poll, and the cursor to read on from."""
    records: list[Captured] = []
    async for page in connector.changes(document, cursor, **window):
        records += page.records
        cursor = page.cursor
    return records, cursor


def key_in(people: psycopg.Connection[Any], key: int, *, lines: int = 0, code: str = "") -> None:
    """One sales order of so many lines, in one transaction."""
    with people.transaction():
        people.execute(
            'insert into "SO_SOMain" ("ID", "cSOCode", "dDate", "cCusCode")'
            " values (%s, %s, '2026-11-23', 'C-1001')",
            [key, code or f"XS{key:05}"],
        )
        for line in range(1, lines + 1):
            people.execute(
                'insert into "SO_SODetails"'
                ' ("AutoID", "ID", "iSOsID", "iRowNo", "cInvCode", "iQuantity", "iTaxUnitPrice")'
                " values (%(id)s, %(order)s, %(id)s, %(row)s, 'FG-100', 1.5, 99.9)",
                {"id": key * 100 + line, "order": key, "row": line},
            )
