"""Operations that a list of calls cannot express: a coroutine in the product's own `verbs.py`, given a `Session`.

async def complete_production(session: Session, payload, *, reference: str, key: str) -> Carried: ...
async def find_receipt(session: Session, reference: str) -> Carried | None: ...
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from throughline.connectors.contract import Carried, Connection
from throughline.connectors.mechanisms.http.operations import half_done
from throughline.connectors.mechanisms.http.outgoing import PreparedCall
from throughline.connectors.mechanisms.http.talk import Talk
from throughline.errors import Misconfigured, NotYet, Transient

Find = Callable[[str, str], Awaitable[Carried | None]]


class Session:
    """What a verb may do: make the calls its profile declares under `calls`, find documents, know the time."""

    def __init__(
        self, talk: Talk, calls: Mapping[str, PreparedCall], find: Find, *, reference: str = "", key: str = "",
        document: str = "",
    ) -> None:  # fmt: skip
        self._talk = talk
        self._calls = calls
        self._find = find
        self._about = {"reference": reference, "key": key, "document": document}
        self.written = False
        """Whether a write of this operation has been carried out; a passing failure then leaves a doubt."""

    @property
    def role(self) -> str:
        """The role of the system, for messages."""
        return self._talk.wire.role

    @property
    def connection(self) -> Connection:
        """Address and settings of the system."""
        return self._talk.wire.connection

    def now(self) -> datetime:
        """The time, by the hub's clock."""
        return self._talk.wire.clock()

    async def login(self) -> Mapping[str, Any]:
        """What the login left us (the `keeps` of the profile's auth)."""
        return await self._talk.kept()

    async def call(self, name: str, payload: Any = None, *, writes: bool, **values: Any) -> Any:
        """The body of the ok answer to a call of the profile; `payload` and `values` are what its shape refers to."""
        if name not in self._calls:
            raise Misconfigured(f"the profile declares no call {name}", where=self.connection.name)
        scope = self._talk.wire.scope(payload=payload, **self._about, **values)
        body = await self._talk.ask(self._calls[name], scope, writes=writes)
        self.written = self.written or writes
        return body

    async def find(self, document: str, reference: str) -> Carried | None:
        """A document of this system by our reference."""
        return await self._find(document, reference)


Verb = Callable[..., Awaitable[Carried]]


@dataclass(frozen=True)
class VerbOperation:
    """An operation that is a function of the product."""

    verb: Verb
    session: Callable[[Talk, Mapping[str, Any]], Session]

    async def carry_out(self, talk: Talk, scope: dict[str, Any]) -> Carried:
        """Run the verb; a passing failure after its first write leaves the whole in doubt."""
        session = self.session(talk, scope)
        try:
            return await self.verb(session, scope["payload"], reference=scope["reference"], key=scope["key"])
        except Transient as failure:
            # a verb that says "not yet" has stopped at a place it can be repeated from: nothing is in doubt
            if session.written and not isinstance(failure, NotYet):
                raise half_done(talk, failure) from None
            raise
