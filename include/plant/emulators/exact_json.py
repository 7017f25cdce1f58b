"""JSON that keeps every number exact: fractions are decimals, never floats."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)


def loads(text: str | bytes) -> Any:
    """The value a JSON text stands for, with decimals exact."""
    return json.loads(text, parse_float=Decimal)


def dumps(value: Any) -> str:
    """Compact JSON; a decimal is written as text, as these vendors write their amounts."""
    return _ENCODER.encode(value)
