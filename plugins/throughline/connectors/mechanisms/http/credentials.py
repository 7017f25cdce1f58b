"""Says who is calling, in every request: the kinds of login that need no conversation."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.http.outgoing import Outgoing
from throughline.connectors.mechanisms.http.shapes import compile_shape

Signer = Callable[[Connection, Outgoing, datetime, Mapping[str, Any]], None]
"""A product's own signature: changes the outgoing request in place."""


@dataclass(slots=True)
class Kept:
    """What a login left us: its number in the order of our logins, and the values to use."""

    generation: int = 0
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def token(self) -> Any:
        """The token, where the product speaks of one."""
        return self.values.get("token")


class Credentials(Protocol):
    """Puts who we are into a request, logging in first where that is needed."""

    async def ready(self) -> Kept:
        """What to use now; logs in if we are not logged in."""
        ...

    async def renew(self, refused: Kept) -> Kept | None:
        """What to use instead of a login that was refused; None where there is nothing to renew."""
        ...

    def hold(self) -> None:
        """A fresh login was refused too: do not log in again for a while."""
        ...

    def put(self, outgoing: Outgoing, kept: Kept) -> None:
        """Add who we are to this request."""
        ...


class FixedCredentials:
    """The same headers, or the same way to sign, in every request; nothing to renew."""

    def __init__(self, put: Callable[[Outgoing], None]) -> None:
        self._put = put
        self._kept = Kept()

    async def ready(self) -> Kept:
        """Always ready."""
        return self._kept

    async def renew(self, refused: Kept) -> Kept | None:
        """Nothing to renew: what was refused once is refused for good."""
        del refused
        return None

    def hold(self) -> None:
        """There is no login to hold back."""

    def put(self, outgoing: Outgoing, kept: Kept) -> None:
        """Add the headers, or sign."""
        del kept
        self._put(outgoing)


def nothing() -> FixedCredentials:
    """For a product that asks for nothing."""
    return FixedCredentials(lambda _: None)


def basic(connection: Connection) -> FixedCredentials:
    """Login and password, as RFC 7617 writes them."""
    text = base64.b64encode(f"{connection.login}:{connection.password}".encode()).decode()
    return fixed_headers({"authorization": f"Basic {text}"})


def declared_headers(shape: Mapping[str, Any], scope: Mapping[str, Any]) -> FixedCredentials:
    """Headers filled in once from the connection."""
    return fixed_headers(compile_shape(shape)(scope))


def fixed_headers(headers: Mapping[str, str]) -> FixedCredentials:
    """These headers in every request."""
    return FixedCredentials(lambda outgoing: outgoing.headers.update(headers))


def signed(
    signer: Signer, connection: Connection, clock: Callable[[], datetime], options: Mapping[str, Any]
) -> FixedCredentials:
    """Every request signed by the product's own signer."""
    return FixedCredentials(lambda outgoing: signer(connection, outgoing, clock(), options))
