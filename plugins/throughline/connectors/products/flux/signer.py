"""FLUX's signature: the data between two copies of the secret, md5 as hex, base64, upper case, URL-encoded."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.http.outgoing import Outgoing

ZONE = ZoneInfo("Asia/Shanghai")
TIME = "%Y-%m-%d %H:%M:%S"


def signature(secret: str, data: str, *, upper: bool = True) -> str:
    """The value of the field `sign` for this data (md5 is the vendor's choice, and all it offers)."""
    digest = hashlib.md5(f"{secret}{data}{secret}".encode(), usedforsecurity=False).hexdigest()
    text = base64.b64encode(digest.encode()).decode()
    return quote(text.upper() if upper else text, safe="")


def signed_by(connection: Connection, data: str, given: str, *, upper: bool = True) -> bool:
    """Whether `given` is the signature of exactly this data; compared in constant time."""
    expected = signature(connection.password, data, upper=bool(connection.extra.get("sign_upper", upper)))
    return hmac.compare_digest(expected.encode(), given.encode())


def sign(connection: Connection, outgoing: Outgoing, now: datetime, options: Mapping[str, Any]) -> None:
    """Add who we are, when this is, and the signature to an outgoing form."""
    upper = bool(connection.extra.get("sign_upper", options.get("upper", True)))
    fields: dict[str, str] = outgoing.body
    fields |= {
        "method": outgoing.message or "",
        "client_customerid": str(connection.extra["customer_id"]),
        "client_db": str(connection.extra["client_db"]),
        "apptoken": str(connection.extra["apptoken"]),
        "appkey": connection.login,
        "timestamp": now.astimezone(ZONE).strftime(TIME),
        "format": "json",
        "sign": signature(connection.password, fields["data"], upper=upper),
    }
