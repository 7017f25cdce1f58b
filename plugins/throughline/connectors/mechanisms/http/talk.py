"""A conversation with one system: asks a prepared call as somebody, and logs in again once when the login is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from throughline.connectors.mechanisms.http.credentials import Credentials, Kept
from throughline.connectors.mechanisms.http.declared_calls import Meaning
from throughline.connectors.mechanisms.http.outgoing import PreparedCall
from throughline.connectors.mechanisms.http.verdicts import Answer, Verdict
from throughline.connectors.mechanisms.http.wire import Wire


class Talk:
    """Asks calls and gives back what an ok answer says; every other answer is an error by its consequence."""

    def __init__(self, wire: Wire, credentials: Credentials) -> None:
        self.wire = wire
        self._credentials = credentials

    async def ask(self, call: PreparedCall, scope: dict[str, Any], *, writes: bool) -> Any:
        """The body of an ok answer to this call."""
        return (await self.ask_whole(call, scope, writes=writes)).body

    async def ask_whole(self, call: PreparedCall, scope: dict[str, Any], *, writes: bool) -> Answer:
        """The whole ok answer, for who needs its headers."""
        kept = await self._credentials.ready()
        answer, verdict = await self._once(call, scope, kept, writes=writes)
        if verdict.means is Meaning.AUTH_LOST:
            renewed = await self._credentials.renew(kept)
            if renewed is not None:
                answer, verdict = await self._once(call, scope, renewed, writes=writes)
                if verdict.means is Meaning.AUTH_LOST:
                    self._credentials.hold()
        if verdict.means is Meaning.OK:
            return answer
        raise self.wire.failed(call, answer, verdict, writes=writes)

    async def _once(
        self, call: PreparedCall, scope: dict[str, Any], kept: Kept, *, writes: bool
    ) -> tuple[Answer, Verdict]:
        scope["session"], scope["token"] = kept.values, kept.token
        return await self.wire.exchange(
            call, scope, writes=writes, put=lambda outgoing: self._credentials.put(outgoing, kept)
        )

    async def kept(self) -> Mapping[str, Any]:
        """What our login left us, logging in first if need be."""
        return (await self._credentials.ready()).values
