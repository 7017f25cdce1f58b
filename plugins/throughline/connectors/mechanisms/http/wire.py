"""One request to one system and what its answer means: limits, time-outs, login, verdict.

Nothing is retried here but one thing: an answer that says our login is no longer good is followed by one new login and
the same request once more; the system refused the first, so nothing was carried out.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

import httpx

from throughline.connectors.contract import Connection
from throughline.connectors.exact_json import NotJson, read_json
from throughline.connectors.mechanisms.http.consequences import consequence
from throughline.connectors.mechanisms.http.failures import ROAD_FAILURES, road_failure
from throughline.connectors.mechanisms.http.outgoing import Outgoing, PreparedCall
from throughline.connectors.mechanisms.http.pace import Pace
from throughline.connectors.mechanisms.http.paths import MISSING
from throughline.connectors.mechanisms.http.profile import Limits
from throughline.connectors.mechanisms.http.road import Road, TooLong
from throughline.connectors.mechanisms.http.verdicts import Answer, Verdict
from throughline.errors import InDoubt, Invalid, Misconfigured
from throughline.secrecy import Masker

_HEADERS = {"accept": "application/json", "accept-encoding": "gzip, deflate", "user-agent": "throughline"}


class Wire:
    """The road to one system. One event loop, any number of concurrent requests."""

    def __init__(
        self, role: str, connection: Connection, limits: Limits, *, road: Road,
        clock: Callable[[], datetime], randomness: Random, masker: Masker,
        decode: Callable[[Any], Any] | None = None,
    ) -> None:  # fmt: skip
        self.role = role
        self.connection = connection
        self.where = f"connection {connection.name}"
        self.clock = clock
        self.masker = masker
        self._limits = limits
        self._road = road
        self._randomness = randomness
        self._decode = decode
        self._pace = Pace(limits)
        self.host = checked_host(connection)
        self._about = {
            "login": connection.login, "password": connection.password, "host": connection.host,
            "extra": connection.extra,
        }  # fmt: skip

    def scope(self, **values: Any) -> dict[str, Any]:
        """What the shapes of a call may refer to."""
        values["connection"] = self._about
        return values

    async def exchange(
        self, call: PreparedCall, scope: dict[str, Any], *, writes: bool, put: Callable[[Outgoing], None] | None = None
    ) -> tuple[Answer, Verdict]:
        """One request and the verdict on its answer; raises only for failures of the road."""
        self._add_moments(call, scope)
        outgoing = call.fill(scope)
        if put is not None:
            put(outgoing)
        try:
            async with self._pace.turn(outgoing.path):
                answer = await self._carry(outgoing)
        except ROAD_FAILURES as error:
            path = self.masker.text(outgoing.path)
            raise road_failure(error, writes=writes, system=self.role, where=self.where, path=path) from None
        except TooLong:
            kind = InDoubt if writes else Invalid
            most = self._limits.answer_bytes
            raise kind(
                f"{self.role} answered with more than {most} bytes",
                system=self.role,
                path=self.masker.text(outgoing.path),
            ) from None
        return answer, call.judge(answer)

    def failed(self, call: PreparedCall, answer: Answer, verdict: Verdict, *, writes: bool) -> Exception:
        """The error an answer that is not ok stands for."""
        details = {"call": call.name, "status": answer.status, "answer": self._shown(answer)}
        if verdict.message:
            verdict.message = self.masker.text(verdict.message)
        return consequence(verdict, system=self.role, where=self.where, writes=writes, details=details)

    def _shown(self, answer: Answer) -> str:
        return self.masker.text(answer.content[:500].decode("utf-8", "replace"))

    async def _carry(self, outgoing: Outgoing) -> Answer:
        content = outgoing.content()
        headers = {**_HEADERS, **outgoing.headers}
        said = await self._road.carry(outgoing.method, outgoing.target(), headers, content)
        try:
            body = read_json(said.content) if said.content else MISSING
            if self._decode is not None and body is not MISSING:
                body = self._decode(body)
        except (NotJson, ValueError):
            body = MISSING
        return Answer(said.status, said.headers, body, said.content)

    def _add_moments(self, call: PreparedCall, scope: dict[str, Any]) -> None:
        if "uuid" in call.needs:
            scope["uuid"] = str(uuid.UUID(int=self._randomness.getrandbits(128), version=4))
        if "now" in call.needs or "now_ms" in call.needs:
            now = self.clock()
            scope["now"], scope["now_ms"] = now, int(now.timestamp() * 1000)


def checked_host(connection: Connection) -> str:
    """The host of a connection, without a slash at its end; `Misconfigured` where it is no HTTP address."""
    try:
        address = httpx.URL(connection.host)
    except httpx.InvalidURL:
        address = httpx.URL()
    if address.scheme not in ("http", "https") or not address.host:
        raise Misconfigured("the host must begin with http:// or https://", where=f"connection {connection.name}")
    return connection.host.rstrip("/")
