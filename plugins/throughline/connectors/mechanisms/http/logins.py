"""Logins that need a conversation: a token exchange, or a session of several calls. One login at a time, never a storm.

However many requests find out at once that a login is over, one of them logs in and the others use what it got. A login
that is refused, or whose fresh token is, is not repeated for a minute: the same error is given instead. With a shelf
both hold for all processes of a machine: systems lock an account, or answer ever later, after a few wrong ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any, Protocol

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.http.credentials import Kept
from throughline.connectors.mechanisms.http.declared_auth import Place
from throughline.connectors.mechanisms.http.declared_calls import Meaning
from throughline.connectors.mechanisms.http.outgoing import Outgoing, PreparedCall
from throughline.connectors.mechanisms.http.paths import MISSING, Reader
from throughline.connectors.mechanisms.http.stamps import EPOCH
from throughline.connectors.mechanisms.http.verdicts import Answer, Verdict
from throughline.connectors.mechanisms.http.wire import Wire
from throughline.errors import Misconfigured

HOLD = timedelta(seconds=60)
_REFUSED = "refused"
"""What lies on the shelf, in a list of its own, instead of a login that this address and secret did not get."""

CredentialHeaders = Callable[[Connection, Mapping[str, Any]], Mapping[str, str]]
Introduction = Callable[[Connection], Mapping[str, str]]


class LoginShelf(Protocol):
    """Where logins outlive a process, so that a hundred short tasks do not log in a hundred times."""

    def take(self, connection: Connection) -> tuple[dict[str, Any], datetime] | None:
        """What a login of this connection left, and until when it is good."""
        ...

    def put(self, connection: Connection, values: dict[str, Any], until: datetime) -> None:
        """Keep what a login left."""
        ...

    def alone(self, connection: Connection) -> AbstractAsyncContextManager[None]:
        """While the block lasts nobody else of this machine logs in here: who waited looks at the shelf again."""
        ...


@dataclass(frozen=True)
class LoginStep:
    """One call of a login and what to remember of its answer."""

    call: PreparedCall
    keeps: Mapping[str, Reader]


class Login:
    """A login in one or more calls, kept until it is old or refused."""

    def __init__(
        self, wire: Wire, steps: Sequence[LoginStep], *, ttl: float, place: Place | None = None,
        headers: CredentialHeaders | None = None, cookies: bool = False, introduction: Introduction | None = None,
        shelf: LoginShelf | None = None,
    ) -> None:  # fmt: skip
        self._wire = wire
        self._steps = steps
        self._ttl = timedelta(seconds=ttl)
        self._place = place
        self._headers = headers
        self._cookies = cookies
        self._introduction = introduction
        self._shelf = shelf
        self._kept: Kept | None = None
        self._until = EPOCH
        self._held_until: datetime | None = None
        self._logins = 0
        self._alone = asyncio.Lock()

    async def ready(self) -> Kept:
        """The login we have, or a new one when there is none or it is old."""
        now = self._wire.clock()
        if self._kept is not None and now < self._until:
            return self._kept
        async with self._alone:
            if self._kept is None or self._wire.clock() >= self._until:
                await self._adopt_or_log_in(None)
            assert self._kept is not None  # noqa: S101 - _log_in sets it or raises
            return self._kept

    async def renew(self, refused: Kept) -> Kept | None:
        """A new login, unless somebody else has made one since the refused one."""
        async with self._alone:
            if self._kept is None or self._kept.generation <= refused.generation:
                self._kept = None
                await self._adopt_or_log_in(refused)
            return self._kept

    def hold(self) -> None:
        """Give the same refusal for a minute instead of logging in again, here and in the other processes."""
        self._hold("a fresh login was not accepted")

    def put(self, outgoing: Outgoing, kept: Kept) -> None:
        """Add the token, the headers or the cookies of this login."""
        if self._place is not None:
            _place(outgoing, self._place, f"{self._place.prefix}{kept.token}")
        if self._headers is not None:
            outgoing.headers.update(self._headers(self._wire.connection, kept.values))
        if self._cookies and kept.values.get("cookies"):
            outgoing.headers["cookie"] = kept.values["cookies"]

    def _hold(self, said: str) -> None:
        self._kept = None
        self._held_until = self._wire.clock() + HOLD
        if self._shelf is not None:
            self._shelf.put(self._wire.connection, {_REFUSED: [said]}, self._held_until)

    async def _adopt_or_log_in(self, refused: Kept | None) -> None:
        """Use what another process got; where there is nothing, one process of all logs in and the others wait."""
        if self._adopt(refused):
            return
        if self._shelf is None:
            await self._log_in()
            return
        async with self._shelf.alone(self._wire.connection):
            if not self._adopt(refused):
                await self._log_in()

    def _adopt(self, refused: Kept | None) -> bool:
        """Use a login another process made, unless it is old or the very one that was refused."""
        found = self._shelf.take(self._wire.connection) if self._shelf else None
        if found is None or found[1] <= self._wire.clock() or (refused is not None and found[0] == refused.values):
            return False
        if isinstance(found[0].get(_REFUSED), list):
            raise self._refused(f"the login was refused a moment ago: {found[0][_REFUSED][0]}")
        self._logins += 1
        self._kept, self._until = Kept(self._logins, found[0]), found[1]
        return True

    async def _log_in(self) -> None:
        now = self._wire.clock()
        if self._held_until is not None and now < self._held_until:
            raise self._refused("the login was refused a moment ago")
        kept = Kept(self._logins + 1)
        for step in self._steps:
            await self._take(step, kept)
        self._wire.masker.learn(*(value for value in kept.values.values() if isinstance(value, str)))
        self._logins = kept.generation
        self._kept, self._until, self._held_until = kept, now + self._ttl, None
        if self._shelf is not None:
            self._shelf.put(self._wire.connection, kept.values, self._until)

    async def _take(self, step: LoginStep, kept: Kept) -> None:
        scope = self._wire.scope(session=kept.values, token=kept.token)
        first = not kept.values

        def put(outgoing: Outgoing) -> None:
            if self._introduction is not None:
                outgoing.headers.update(self._introduction(self._wire.connection))
            if not first:
                self.put(outgoing, kept)

        answer, verdict = await self._wire.exchange(step.call, scope, writes=False, put=put)
        if verdict.means is not Meaning.OK:
            self._fail(step, answer, verdict)
        for name, read in step.keeps.items():
            value = read(answer.body)
            if value is MISSING or value is None:
                raise self._refused(f"its answer to the login holds no {name}")
            kept.values[name] = value
        if self._cookies:
            kept.values["cookies"] = _cookies(answer, kept.values.get("cookies", ""))

    def _fail(self, step: LoginStep, answer: Answer, verdict: Verdict) -> None:
        if verdict.means in (Meaning.THROTTLED, Meaning.TRANSIENT, Meaning.IN_DOUBT):
            raise self._wire.failed(step.call, answer, verdict, writes=False)
        said = self._wire.masker.text(verdict.message or verdict.code or "no reason given")
        self._hold(said)
        raise self._refused(said)

    def _refused(self, said: str) -> Misconfigured:
        return Misconfigured(
            f"{self._wire.role} does not let us log in ({said}): check login and password",
            where=self._wire.where, system=self._wire.role,
        )  # fmt: skip


def _place(outgoing: Outgoing, place: Place, text: str) -> None:
    if place.kind == "header":
        outgoing.headers[place.name] = text
    elif place.kind == "query":
        outgoing.query[place.name] = text
    elif place.kind == "body":
        outgoing.body = {**(outgoing.body or {}), place.name: text}
    else:
        outgoing.headers["cookie"] = f"{place.name}={text}"


def _cookies(answer: Answer, before: str) -> str:
    jar: SimpleCookie = SimpleCookie(before)
    for line in answer.headers.get_list("set-cookie"):
        jar.load(line)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())
