"""A mail server is logged into for every letter: a wrong password is tried once a minute, whoever has letters to send.

Until one login succeeded the others wait for it; one that was refused is not tried again for a minute, here or (with a
shelf) in any process of this machine. Mail servers lock an account after a few wrong passwords like all others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.http.logins import HOLD, LoginShelf
from throughline.errors import Misconfigured, ThroughlineError

PROVED = timedelta(minutes=10)
"""For so long a login that succeeded lets the others go at once."""
_REFUSED, _FINE = "refused", "fine"


class MailLogin:
    """Lets letters through to a server that asks who sends them."""

    def __init__(self, connection: Connection, clock: Callable[[], datetime], shelf: LoginShelf | None) -> None:
        self._connection, self._clock, self._shelf = connection, clock, shelf
        self._mine: tuple[str, str, datetime] | None = None
        self._first = asyncio.Lock()

    async def through(self, deliver: Callable[[], Awaitable[None]]) -> None:
        """Do this, which logs in; raises `Misconfigured` instead when the login was refused a moment ago."""
        if not self._connection.login or self._proved():
            await self._tried(deliver)
            return
        async with self._alone():
            self._proved()
            await self._tried(deliver)

    async def _tried(self, deliver: Callable[[], Awaitable[None]]) -> None:
        try:
            await deliver()
        except Misconfigured as error:
            self._remember(_REFUSED, error.message, HOLD)
            raise
        except ThroughlineError:
            raise  # whatever became of the letter says nothing about the login
        else:
            self._remember(_FINE, "", PROVED)

    def _proved(self) -> bool:
        """Whether a login succeeded lately; raises when one was refused."""
        state, said, until = self._known()
        if until <= self._clock():
            return False
        if state == _REFUSED:
            raise Misconfigured(f"not tried again within a minute: {said}", system=self._connection.name)
        return True

    def _known(self) -> tuple[str, str, datetime]:
        if self._mine is not None and self._mine[2] > self._clock():
            return self._mine
        found = self._shelf.take(self._connection) if self._shelf else None
        if found is None:
            return _FINE, "", self._clock()
        return str(found[0].get("state", _FINE)), str(found[0].get("said", "")), found[1]

    def _remember(self, state: str, said: str, lasting: timedelta) -> None:
        if not self._connection.login or (self._mine and self._mine[0] == state and self._mine[2] > self._clock()):
            return
        self._mine = (state, said, self._clock() + lasting)
        if self._shelf is not None:
            self._shelf.put(self._connection, {"state": state, "said": said}, self._mine[2])

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        async with self._first:
            if self._shelf is None:
                yield
                return
            async with self._shelf.alone(self._connection):
                yield
