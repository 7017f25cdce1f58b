"""Kingdee's two signatures of every call (version 2.0 of its web API), as its own SDK 8.2.0 makes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.http.outgoing import Outgoing

_MASK = b"0054f397c6234378b09ca7d3e5debce7"


def sign(connection: Connection, outgoing: Outgoing, now: datetime, options: Mapping[str, Any]) -> None:
    """Add both signatures: of the address and the moment by the client, of who we are by the application."""
    stamp = str(int(now.timestamp()))
    client, secret = client_of(connection.login)
    extra = connection.extra
    data = f"{extra['acct_id']},{extra['user_name']},{options['language']},{extra.get('org_number', 0)}"
    path = quote(urlsplit(connection.host).path.rstrip("/") + outgoing.path).replace("/", "%2F")
    signed = f"POST\n{path}\n\nx-api-nonce:{stamp}\nx-api-timestamp:{stamp}\n"
    outgoing.headers |= {
        "X-Api-ClientID": client, "X-Api-Auth-Version": "2.0", "x-api-timestamp": stamp, "x-api-nonce": stamp,
        "x-api-signheaders": "x-api-timestamp,x-api-nonce", "X-Api-Signature": hex_mac(signed, secret),
        "X-Kd-Appkey": connection.login, "X-Kd-Appdata": base64.b64encode(data.encode()).decode(),
        "X-Kd-Signature": hex_mac(connection.login + data, connection.password),
    }  # fmt: skip


def client_of(app_id: str) -> tuple[str, str]:
    """The client's id and its secret, both of which the application's id hides (`<client>_<32 characters>`)."""
    client, _, hidden = app_id.partition("_")
    if len(hidden) != 32:
        return client, ""
    plain = bytes(byte ^ mask for byte, mask in zip(base64.b64decode(hidden), _MASK, strict=False))
    return client, base64.b64encode(plain).decode()


def hex_mac(text: str, key: str) -> str:
    """base64 of the hexadecimal digits of an HMAC-SHA256, as this vendor wants it."""
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest().encode()).decode()
