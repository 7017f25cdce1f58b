"""DingTalk's signature: base64 of HMAC-SHA256 over "timestamp, line break, secret", in the query."""

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
    """The value of `sign` for this moment in milliseconds; the query string escapes it."""
    digest = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def sign(connection: Connection, outgoing: Outgoing, now: datetime, options: Mapping[str, Any]) -> None:
    """Add when this is, and the signature."""
    del options
    timestamp = str(int(now.timestamp() * 1000))
    outgoing.query |= {"timestamp": timestamp, "sign": signature(connection.password, timestamp)}
