"""Feishu's signature: base64 of HMAC-SHA256 over nothing, keyed with "timestamp, line break, secret", in the body."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.http.outgoing import Outgoing


def signature(secret: str, timestamp: str) -> str:
    """The value of `sign` for this moment in seconds."""
    digest = hmac.new(f"{timestamp}\n{secret}".encode(), b"", hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def sign(connection: Connection, outgoing: Outgoing, now: datetime, options: Mapping[str, Any]) -> None:
    """Add when this is and the signature; whom to mention goes into the text, where no document can add to it."""
    del options
    timestamp = str(int(now.timestamp()))
    body: dict[str, Any] = outgoing.body
    mention = body.pop("mention", None)
    if mention is not None:
        text = str(body["content"]["text"]).replace("<", "＜")
        body["content"] = {"text": f'<at user_id="{_plain(str(mention))}"></at> {text}'}
    body |= {"timestamp": timestamp, "sign": signature(connection.password, timestamp)}


def _plain(user: str) -> str:
    """A user's id without anything that could end the mention."""
    return "".join(letter for letter in user if letter.isalnum() or letter in "_-.")
