"""Signed links that answer one task for one person: each expires, counts once, and is worthless when touched.

A link is `<payload>.<signature>`: the payload names task, person, content and expiry and carries a nonce; the signature
is HMAC-SHA256 over it. Several keys may be valid at once, so that changing one loses no links on their way.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from throughline.errors import Misconfigured

_SHORTEST_KEY = 32
_LONGEST = 1000
_DOMAIN = b"throughline answer link 1\n"
LASTS = timedelta(days=7)


@dataclass(frozen=True)
class Link:
    """What a link says: who may answer which task about which content, until when."""

    task_id: int
    person: str
    content_hash: str
    expires_at: datetime
    nonce: str


class BadLink(Exception):
    """The link is forged, damaged or too old; nobody is told which."""


class Links:
    """Makes and reads links. The first key signs; all of them are accepted."""

    def __init__(self, address: str, keys: Sequence[str], *, nonce: Callable[[], str]) -> None:
        if not keys or any(len(key.encode()) < _SHORTEST_KEY for key in keys):
            raise Misconfigured(f"the key for answer links needs {_SHORTEST_KEY} characters", where="connection people")
        self._address = address.rstrip("/")
        self._keys = [key.encode() for key in keys]
        self._nonce = nonce

    def address(self, task_id: int, person: str, content_hash: str, now: datetime) -> str:
        """The address of a page on which this person answers this task, valid for a week."""
        expires_at = (now + LASTS).astimezone(UTC).replace(microsecond=0)
        link = Link(task_id, person, content_hash, expires_at, self._nonce())
        return f"{self._address}/people/answer?t={self.token(link)}"

    def token(self, link: Link) -> str:
        """The link's text."""
        told = [link.task_id, link.person, link.content_hash, int(link.expires_at.timestamp()), link.nonce]
        payload = _to_text(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode())
        return f"{payload}.{_to_text(_sign(self._keys[0], payload))}"

    def read(self, token: str, now: datetime) -> Link:
        """What a link says, or `BadLink`."""
        payload, _, given = token.partition(".")
        if len(token) > _LONGEST or not self._signed(payload, given):
            raise BadLink
        task_id, person, content_hash, expires, nonce = json.loads(_to_bytes(payload))
        link = Link(task_id, person, content_hash, datetime.fromtimestamp(expires, UTC), nonce)
        if now >= link.expires_at:
            raise BadLink
        return link

    def _signed(self, payload: str, given: str) -> bool:
        """Whether one of our keys made this signature; every key is tried, each compared in constant time."""
        try:
            signature = _to_bytes(given)
            if _to_text(signature) != given:
                return False  # another spelling of the same bytes would be another link
            fits = [hmac.compare_digest(_sign(key, payload), signature) for key in self._keys]
        except (NotBase64, ValueError):
            return False
        return any(fits)


def _sign(key: bytes, payload: str) -> bytes:
    return hmac.new(key, _DOMAIN + payload.encode("ascii"), hashlib.sha256).digest()


def _to_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _to_bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
