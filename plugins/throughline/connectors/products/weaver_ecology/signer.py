"""e-cology's RSA: the application's secret and the user's id travel encrypted with the key it gave us (`spk`)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from throughline.connectors.contract import Connection
from throughline.errors import Misconfigured


def introduction(connection: Connection) -> Mapping[str, str]:
    """Headers of the call for a token."""
    return {"appid": connection.login, "secret": _sealed(connection, connection.password)}


def credential(connection: Connection, kept: Mapping[str, Any]) -> Mapping[str, str]:
    """Headers of every other call: the token, and on whose behalf we act. Never a cookie: that is another user."""
    user = _sealed(connection, str(connection.extra["user_id"]))
    return {"token": str(kept["token"]), "appid": connection.login, "userid": user}


def _sealed(connection: Connection, text: str) -> str:
    key = _key(str(connection.extra["spk"]))
    if key is None:
        raise Misconfigured("its extra's spk is no RSA public key", where=f"connection {connection.name}")
    return base64.b64encode(key.encrypt(text.encode(), padding.PKCS1v15())).decode()


@lru_cache(maxsize=16)
def _key(spk: str) -> RSAPublicKey | None:
    try:
        found = load_der_public_key(base64.b64decode(spk))
    except ValueError:
        return None
    return found if isinstance(found, RSAPublicKey) else None
