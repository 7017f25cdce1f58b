"""携客云's signature: md5 over four values and the secret, put into the body beside the business part."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.http.outgoing import Outgoing


def sign(connection: Connection, outgoing: Outgoing, now: datetime, options: Mapping[str, Any]) -> None:
    """Add `commonParam`: who calls for which company, when, and the signature."""
    del options
    seconds = int(now.timestamp())
    company = str(connection.extra["company_code"])
    known = {
        "appKey": connection.login,
        "operateCompanyCode": str(connection.extra.get("operate_company_code") or company),
        "ownerCompanyCode": company,
        "timestamps": seconds,
    }
    sign = signature(known, connection.password)
    outgoing.body = {"commonParam": {**known, "timestamp": seconds * 1000, "sign": sign}, "body": outgoing.body or {}}


def signature(known: Mapping[str, Any], secret: str) -> str:
    """The four values in the order of their names, then the secret, joined by colons (md5 is the vendor's choice)."""
    text = ":".join(str(known[name]) for name in sorted(known)) + f":{secret}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
