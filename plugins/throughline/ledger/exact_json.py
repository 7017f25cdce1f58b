"""JSON that keeps every number as it was written, and one spelling per content so that equal contents hash alike."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from throughline.errors import Invalid

_MARK = secrets.token_hex(16)
"""Brackets a number on its way through the C encoder, which has no exact numbers; no document can know it."""
_OPENING, _CLOSING = f'"{_MARK}<', f'>{_MARK}"'
_DECODER = json.JSONDecoder(parse_float=Decimal)
"""Made once: building it costs as much as reading a small document."""
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def dumps(value: Any) -> str:
    """The one exact spelling of a JSON value: keys sorted, numbers digit for digit, no NaN, no NUL character."""
    try:
        text = json.dumps(
            value, ensure_ascii=False, sort_keys=True, allow_nan=False, separators=(",", ":"), default=_beyond_json
        )
        text.encode()
    except (TypeError, ValueError) as problem:
        raise Invalid(f"The content is not JSON: {problem}.") from problem
    if "\\u0000" in text and _NUL.search(text):
        raise Invalid("The content holds a NUL character, which no text field may have: remove it at the source.")
    return text.replace(_OPENING, "").replace(_CLOSING, "") if _MARK in text else text


def _beyond_json(value: Any) -> str:
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise Invalid(f"{value} is not a number a document may hold: mend it at the source.")
        return f"{_MARK}<{value}>{_MARK}"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)  # type: ignore[return-value]  # the encoder goes on with whatever we answer
    raise TypeError(f"{type(value).__name__} has no JSON form")


def loads(text: str | bytes) -> Any:
    """Read JSON with every fraction as an exact decimal."""
    return _DECODER.decode(text if isinstance(text, str) else text.decode())


def content_hash(value: Any) -> str:
    """The fingerprint of a content: equal whatever the order of its keys."""
    return hash_of(dumps(value))


def hash_of(text: str) -> str:
    """The fingerprint of a text already in its one spelling."""
    return hashlib.sha256(text.encode()).hexdigest()
