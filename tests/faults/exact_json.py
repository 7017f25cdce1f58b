"""JSON as the simulated systems speak it: every number exact, both ways."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

_EXACT = re.compile(r'"#exact:([-0-9.]+)#"')


def _told(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"#exact:{value:f}#"
    raise TypeError(type(value).__name__)


def write(value: Any) -> bytes:
    """Decimals as JSON numbers, digit for digit."""
    return _EXACT.sub(r"\1", json.dumps(value, ensure_ascii=False, default=_told)).encode()


def read(content: bytes) -> Any:
    return json.loads(content, parse_float=Decimal) if content else {}
