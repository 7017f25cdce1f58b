"""Roundup's JSON: names with a dot become records, and the lines of a request, a JSON text there, become a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from throughline.connectors.exact_json import read_json, write_json

_LINES = "lines"


def decode(value: Any) -> Any:
    """An answer with `status.name` as a record and `lines` as a list."""
    if isinstance(value, list):
        return [decode(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    read: dict[str, Any] = {}
    for name, entry in value.items():
        first, dot, second = name.partition(".")
        if name.startswith("@") or not dot:
            read[name] = _lines(entry) if name == _LINES else decode(entry)
        else:
            read.setdefault(first, {})[second] = entry
    return read


def encode(value: Any) -> Any:
    """A request's body; the lines of a document as one JSON text."""
    if isinstance(value, Mapping) and isinstance(value.get(_LINES), list):
        return {**value, _LINES: write_json(value[_LINES]).decode()}
    return value


def _lines(text: Any) -> Any:
    return read_json(text.encode()) if isinstance(text, str) and text else []
