"""Reads a connection where Airflow itself would look first: the environment variable `AIRFLOW_CONN_<NAME>`.

For processes of the hub that run without Airflow, such as the receiver. Both of Airflow's ways to write it are read:
JSON, and an address such as `http://login:password@host:port/?extra=…`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from throughline.connectors.contract import Connection
from throughline.connectors.exact_json import NotJson, read_json
from throughline.errors import Misconfigured
from throughline.secrecy import shared


def connection_from_environment(name: str, environment: Mapping[str, str]) -> Connection:
    """The connection of this name, its secrets unprintable from now on; `Misconfigured` naming the variable."""
    variable = f"AIRFLOW_CONN_{name.upper()}"
    text = environment.get(variable, "").strip()
    if not text:
        raise Misconfigured(f"there is no connection {name} here: set this variable", where=variable)
    told = _from_json(text, variable) if text.startswith("{") else _from_address(text)
    extra = told.pop("extra")
    connection = Connection(name, **told, extra=extra)
    shared.learn(connection.password, *(value for value in extra.values() if _looks_secret(value)))
    return connection


def with_database(extra: Mapping[str, Any], schema: object) -> dict[str, Any]:
    """What Airflow calls a connection's schema is the name of a database; our connectors look for it in `extra`."""
    return {**({"database": schema} if schema else {}), **extra}


def _looks_secret(value: Any) -> bool:
    return isinstance(value, str) and len(value) >= 12


def _from_json(text: str, variable: str) -> dict[str, Any]:
    try:
        told = read_json(text)
        extra = told.get("extra") or {}
        extra = read_json(extra) if isinstance(extra, str) else extra
    except (NotJson, AttributeError) as wrong:
        raise Misconfigured(f"this is not a connection in JSON: {wrong}", where=variable) from None
    host, port = str(told.get("host") or ""), told.get("port")
    if port and ":" not in host.rpartition("//")[2]:
        host = f"{host}:{port}"
    extra = with_database(extra, told.get("schema"))
    return {"host": host, "login": told.get("login") or "", "password": told.get("password") or "", "extra": extra}


def _database(parts: SplitResult) -> str:
    """The name of the database in an address of a database; a web address has a path there."""
    return "" if parts.scheme in ("http", "https") else unquote(parts.path.strip("/"))


def _from_address(text: str) -> dict[str, Any]:
    parts = urlsplit(text)
    extra: dict[str, Any] = dict(parse_qsl(parts.query))
    inside = extra.pop("__extra__", "") or ""
    scheme = parts.scheme if parts.scheme in ("http", "https") else "http"
    port = f":{parts.port}" if parts.port else ""
    return {
        "host": f"{scheme}://{parts.hostname or ''}{port}", "login": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "extra": with_database({**extra, **(read_json(inside) if inside else {})}, _database(parts)),
    }  # fmt: skip
