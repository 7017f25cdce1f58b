"""Reads `airflow_settings.yaml`: connections, pools and variables in the form the Astro tools know.

A value may name what only this machine knows: `${THROUGHLINE_ERP_PASSWORD}`. Everything else is taken as written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from throughline.errors import Misconfigured

_NAMED = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
_CONNECTION = {f"conn_{word}" for word in ("id", "type", "host", "schema", "login", "password", "port", "uri", "extra")}
_ARGUMENTS = {"conn_id": "conn_id", "conn_type": "conn_type"}
"""The words Airflow keeps as they are; of the others (`conn_host`, …) it drops the first part."""
_POOL = {"pool_name", "pool_slot", "pool_description"}
_VARIABLE = {"variable_name", "variable_value"}


@dataclass(frozen=True)
class AirflowSettings:
    """What Airflow is to know, ready to be stored."""

    connections: Sequence[Mapping[str, Any]] = field(repr=False)
    pools: Sequence[Mapping[str, Any]]
    variables: Mapping[str, str] = field(repr=False)


def read_airflow_settings(path: Path, known: Mapping[str, str]) -> AirflowSettings:
    """Read the file and fill in what it names from `known`; anything odd is an error with its line."""
    try:
        content = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Misconfigured(f"this is not YAML ({error.problem})", where=f"{path.name}:{line}") from error
    except OSError as error:
        raise Misconfigured("the file cannot be read", where=str(path)) from error
    if not isinstance(content, dict) or not isinstance(content.get("airflow"), dict):
        raise Misconfigured("the file must begin with 'airflow:'", where=f"{path.name}:1")
    reader = _Reader(path, content["airflow"], known)
    return AirflowSettings(
        connections=[_connection(entry) for entry in reader.entries("connections", _CONNECTION, "conn_id")],
        pools=[_pool(entry, path) for entry in reader.entries("pools", _POOL, "pool_name")],
        variables={
            entry["variable_name"]: str(entry.get("variable_value", ""))
            for entry in reader.entries("variables", _VARIABLE, "variable_name")
        },
    )


@dataclass(frozen=True)
class _Reader:
    path: Path
    content: CommentedMap
    known: Mapping[str, str]

    def entries(self, section: str, words: set[str], naming: str) -> Sequence[dict[str, Any]]:
        """The entries of one section that have a name; the empty templates Astro leaves are passed over."""
        entries = []
        for entry in self.content.get(section) or []:
            where = f"{self.path.name}:{getattr(entry, 'lc', self.content.lc).line + 1}"
            if not isinstance(entry, dict):
                raise Misconfigured(f"an entry of '{section}' must be a mapping", where=where)
            if odd := set(entry) - words:
                raise Misconfigured(f"'{min(odd)}' is not known here; known: {', '.join(sorted(words))}", where=where)
            if entry.get(naming):
                entries.append({name: self._filled(value, where) for name, value in entry.items()})
        return entries

    def _filled(self, value: Any, where: str) -> Any:
        if isinstance(value, dict):
            return {str(name): self._filled(inner, where) for name, inner in value.items()}
        if not isinstance(value, str):
            return value

        def known(match: re.Match[str]) -> str:
            if match[1] not in self.known:
                raise Misconfigured(f"nothing is called {match[1]} here: set it in the environment", where=where)
            return self.known[match[1]]

        return _NAMED.sub(known, value)


def _connection(entry: Mapping[str, Any]) -> dict[str, Any]:
    named = {_ARGUMENTS.get(name, name.removeprefix("conn_")): value for name, value in entry.items()}
    given = {name: value for name, value in named.items() if value not in (None, "", {})}
    return {**given, **({"port": int(given["port"])} if "port" in given else {})}


def _pool(entry: Mapping[str, Any], path: Path) -> dict[str, Any]:
    slots = entry.get("pool_slot")
    if not isinstance(slots, int) or slots < 1:
        raise Misconfigured(f"pool '{entry['pool_name']}' needs a pool_slot of 1 or more", where=path.name)
    return {"name": entry["pool_name"], "slots": slots, "description": entry.get("pool_description") or ""}
