"""FLUX's signature: md5 of secret+data+secret as hex, base64, upper case, and URL-encoded once more by itself."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import quote


def sign(secret: str, data: str) -> str:
    """The value of the form field `sign` (the form encodes its `%3D` a second time)."""
    digest = hashlib.md5(f"{secret}{data}{secret}".encode(), usedforsecurity=False).hexdigest()
    return quote(base64.b64encode(digest.encode()).decode().upper(), safe="")


def signed_by(secret: str, data: str, given: str) -> bool:
    """Whether this is the signature of exactly this text; one that was not URL-encoded is wrong."""
    return hmac.compare_digest(sign(secret, data).encode(), given.encode())
