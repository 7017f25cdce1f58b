"""Tryton's session header, made of what its login gave us."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from throughline.connectors.contract import Connection


def session_header(connection: Connection, kept: Mapping[str, Any]) -> Mapping[str, str]:
    """`Authorization: Session base64(login:user id:token)`."""
    known = f"{connection.login}:{kept['uid']}:{kept['token']}"
    return {"authorization": f"Session {base64.b64encode(known.encode()).decode()}"}
