"""From an Airflow connection to the address and secret a connector or the ledger takes."""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import quote

from airflow.sdk import BaseHook

from throughline.connectors.connections import with_database
from throughline.connectors.contract import Connection
from throughline.errors import Misconfigured
from throughline.secrecy import shared as masker

LEDGER = "ledger"
"""The Airflow connection of the hub's own database."""
_SECRET = re.compile(r"secret|token|password|code|key", re.IGNORECASE)


def credentials_of(connection: Any, name: str | None = None) -> Connection:
    """What an Airflow connection says, in the words of the connector contract; its secrets become unprintable."""
    extra = {key: value for key, value in connection.extra_dejson.items() if value not in (None, "")}
    masker.learn(connection.password, *(str(value) for key, value in extra.items() if _SECRET.search(key)))
    return Connection(
        name=name or connection.conn_id,
        host=_address(connection),
        login=connection.login or "",
        password=connection.password or "",
        extra=with_database(extra, connection.schema),
    )


def _address(connection: Any) -> str:
    host = (connection.host or "").rstrip("/")
    if not host:
        raise Misconfigured("the connection has no address", where=f"Airflow connection {connection.conn_id}")
    if connection.port and ":" not in host.rpartition("//")[2]:
        host = f"{host}:{connection.port}"
    return host


def dsn_of(connection: Any) -> str:
    """The address of a PostgreSQL database, password included: never print it."""
    masker.learn(connection.password)
    user = quote(connection.login or "postgres", safe="")
    secret = f":{quote(connection.password, safe='')}" if connection.password else ""
    host = connection.host or "127.0.0.1"
    return f"postgresql://{user}{secret}@{host}:{connection.port or 5432}/{connection.schema or 'throughline'}"


def audit_secret(name: str = LEDGER) -> str:
    """What the audit's heads are signed with: `audit_secret` of the ledger's connection, or the variable."""
    from throughline.ledger.audit_heads import SECRET  # psycopg comes with it: not while DAG files are read

    found = find(name).extra_dejson.get("audit_secret") or os.environ.get(SECRET)
    if not found:
        raise Misconfigured(
            f"there is no secret to sign the audit's head with: give the connection an `audit_secret`, or set {SECRET}",
            where=f"Airflow connection {name}",
        )
    masker.learn(str(found))
    return str(found)


def find(name: str) -> Any:
    """The Airflow connection of this name."""
    return BaseHook.get_connection(name)


async def afind(name: str) -> Any:
    """The same inside a trigger, where a blocking look-up would stop every other trigger."""
    return await BaseHook.aget_connection(name)
