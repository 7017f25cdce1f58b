"""Tryton's JSON; and every stock move says which line of an order it stands for.

What is shipped in parts is split into moves whose `origin` is the first one; that one carries the identity of the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from throughline.connectors.products.tryton_erp import codec

encode = codec.encode


def decode(value: Any) -> Any:
    """An answer with its classes read, and `line_id` added to every move."""
    return _with_lines(codec.decode(value))


def _with_lines(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_lines(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    read = {key: _with_lines(entry) for key, entry in value.items()}
    if {"origin", "quantity", "id"} <= read.keys():
        model, _, first = str(read["origin"] or "").partition(",")
        read["line_id"] = first if model == "stock.move" else str(read["id"])
    return read
