"""What the doors for people need: who is who by token, how links are signed, and the desk behind them.

All of it is in the connection `people` (AIRFLOW_CONN_PEOPLE): its address is what links begin with, its password the
key that signs them, `extra.older_keys` those still accepted, `extra.tokens` a secret for each person who uses the API.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from throughline.connectors.connections import connection_from_environment
from throughline.connectors.contract import Connection
from throughline.errors import Misconfigured
from throughline.people.desk import Desk
from throughline.people.fresh import FreshDesk
from throughline.people.links import Links
from throughline.secrecy import shared

_VARIABLE = "AIRFLOW_CONN_PEOPLE"
_SHORTEST_TOKEN = 24


@dataclass(frozen=True)
class PeopleDoor:
    """The desk, and how people prove who they are."""

    desk: Callable[[], Desk]
    """the desk over the organisation as it is now"""
    links: Links | None
    tokens: Mapping[str, bytes] = field(repr=False)
    """person -> SHA-256 of their token"""

    def person_of(self, token: str) -> str | None:
        """Whose token this is; every one is compared, each in constant time."""
        given = hashlib.sha256(token.encode()).digest()
        found = [person for person, digest in self.tokens.items() if hmac.compare_digest(digest, given)]
        return found[0] if found else None


def people_door(environment: Mapping[str, str], folder: Path, clock: Callable[[], datetime]) -> PeopleDoor | None:
    """The doors for people, or None where no connection `people` is set: then they stay closed."""
    if not environment.get(_VARIABLE, "").strip():
        return None
    desk = FreshDesk(folder, clock)
    connection = connection_from_environment("people", environment)
    return PeopleDoor(desk, links_of(connection), _tokens(connection, desk()))


def links_of(connection: Connection, nonce: Callable[[], str] = lambda: secrets.token_urlsafe(18)) -> Links | None:
    """The signer of answer links; None where the connection has no key."""
    older = connection.extra.get("older_keys") or []
    keys = [key for key in (connection.password, *older) if key]
    shared.learn(*keys)
    return Links(connection.host, keys, nonce=nonce) if keys else None


def _tokens(connection: Connection, desk: Desk) -> dict[str, bytes]:
    told: Mapping[str, Any] = connection.extra.get("tokens") or {}
    for person, token in told.items():
        shared.learn(str(token))
        if person not in desk.organisation.people:
            raise Misconfigured(f"there is a token for {person}, who is not in people.yaml", where=_VARIABLE)
        if len(str(token)) < _SHORTEST_TOKEN:
            raise Misconfigured(f"the token of {person} needs {_SHORTEST_TOKEN} characters", where=_VARIABLE)
    if len(set(told.values())) < len(told):
        raise Misconfigured("two people have the same token", where=_VARIABLE)
    return {person: hashlib.sha256(str(token).encode()).digest() for person, token in told.items()}
