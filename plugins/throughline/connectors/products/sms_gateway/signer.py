"""The gateway's way: the text as UCS-2 in hex, and HMAC-SHA256 over account, number, text and moment."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.http.outgoing import Outgoing
from throughline.errors import Invalid

ONE, EACH, MOST_PARTS = 70, 67, 8
"""A message has 70 characters, or parts of 67 that find each other by a header; nobody pays for more than eight."""


def signature(secret: str, account: str, mobile: str, content: str, timestamp: str) -> str:
    """The value of `sign`."""
    told = "\n".join((account, mobile, content, timestamp))
    return hmac.new(secret.encode(), told.encode(), hashlib.sha256).hexdigest()


def parts_of(text: str) -> int:
    """Into how many parts a text is cut."""
    return 1 if len(text) <= ONE else -(-len(text) // EACH)


def as_ucs2(text: str) -> str:
    """The text as UCS-2 in hex; what two bytes cannot hold, or is too long, is refused before it costs anything."""
    strange = next((letter for letter in text if ord(letter) > 0xFFFF or 0xD800 <= ord(letter) < 0xE000), None)
    if strange is not None:
        raise Invalid(f"a short message cannot hold the character U+{ord(strange):X}", field="text")
    if parts_of(text) > MOST_PARTS:
        raise Invalid(f"a short message of {len(text)} characters would have {parts_of(text)} parts", field="text")
    return text.encode("utf-16-be").hex()


def sign(connection: Connection, outgoing: Outgoing, now: datetime, options: Mapping[str, Any]) -> None:
    """Write the text in UCS-2, add when this is, and sign."""
    del options
    body: dict[str, Any] = outgoing.body
    if "content" in body:
        body["content"] = as_ucs2(str(body["content"]))
        body["parts"] = parts_of(bytes.fromhex(body["content"]).decode("utf-16-be"))
    body["timestamp"] = str(int(now.timestamp()))
    body["sign"] = signature(
        connection.password,
        str(body["account"]),
        str(body.get("mobile", "")),
        body.get("content", ""),
        body["timestamp"],
    )
