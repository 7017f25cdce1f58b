"""JSON without surprises: numbers stay exact, a key given twice or a NaN is refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")


class NotJson(ValueError):
    """These bytes are not JSON we would trust; the message says why."""


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twin = next(key for key in keys if keys.count(key) > 1)
        raise NotJson(f"the key {twin!r} is there twice")
    return found


def _refused(constant: str) -> Any:
    raise NotJson(f"{constant} is not a number")


_decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=_refused, object_pairs_hook=_without_twins)


def read_json(body: bytes | str) -> Any:
    """The value these bytes say, with every fraction as a `Decimal`."""
    try:
        text = body.decode("utf-8-sig") if isinstance(body, bytes) else body
        return _decoder.decode(text)
    except NotJson:
        raise
    except (ValueError, RecursionError) as error:
        raise NotJson(f"not JSON: {error}") from None


def write_json(value: Any) -> bytes:
    """The value as JSON; a `Decimal` is written as the number it is, a float is refused."""
    return _encoder.encode(value)
