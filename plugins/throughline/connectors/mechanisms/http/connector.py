"""The connector of any product that a profile describes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import httpx

from throughline.connectors.contract import Captured, Carried, Connection, ObjectKind, Page, WholePage
from throughline.connectors.mechanisms.http.compiled import CompiledObject, compiled_profile
from throughline.connectors.mechanisms.http.entrance import credentials_for, limits_for, road_for
from throughline.connectors.mechanisms.http.logins import LoginShelf
from throughline.connectors.mechanisms.http.operations import CallsInOrder
from throughline.connectors.mechanisms.http.product_parts import ProductParts
from throughline.connectors.mechanisms.http.profile import Profile
from throughline.connectors.mechanisms.http.talk import Talk
from throughline.connectors.mechanisms.http.verbs import Session, VerbOperation
from throughline.connectors.mechanisms.http.whole import WholeReader
from throughline.connectors.mechanisms.http.wire import Wire
from throughline.errors import Misconfigured
from throughline.secrecy import Masker, shared


class HttpConnector:
    """One system that speaks HTTP, as the rest of the hub sees it."""

    def __init__(
        self, profile: Profile, parts: ProductParts, path: Path, role: str, connection: Connection, *,
        clock: Callable[[], datetime], randomness: Random, transport: httpx.AsyncBaseTransport | None = None,
        masker: Masker = shared, shelf: LoginShelf | None = None,
    ) -> None:  # fmt: skip
        self.role = role
        self.product = profile.product
        self.inbound: ModuleType | None = parts.inbound if profile.inbound else None
        self._profile = profile
        limits = limits_for(profile, connection)
        masker.learn(connection.password, *(str(told) for name, told in connection.extra.items() if "token" in name))
        self._road = road_for(connection, limits, transport)
        wire = Wire(role, connection, limits, road=self._road, clock=clock, randomness=randomness,
                    masker=masker, decode=parts.decode())  # fmt: skip
        compiled = compiled_profile(profile, parts, path)
        self._talk = Talk(wire, credentials_for(profile, parts, path, wire, compiled.compiler.call, shelf))
        self._objects, self._calls, self._test = compiled.objects, compiled.calls, compiled.test

    def objects(self) -> Mapping[str, ObjectKind]:
        """What this product offers, by canonical document kind."""
        return {name: compiled.kind for name, compiled in self._objects.items()}

    async def changes(
        self, document: str, cursor: Mapping[str, Any] | None = None, *, since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[Page]:  # fmt: skip
        """Pages of what changed after the cursor, or inside [since, until)."""
        poller = self._object(document).poller
        if poller is None:
            raise Misconfigured(
                f"{self.product} cannot be asked what changed in {document}", where=f"system {self.role}"
            )
        async for page in poller.changes(self._talk, cursor, since, until):
            yield page

    async def whole(self, document: str, position: Mapping[str, Any] | None = None) -> AsyncIterator[WholePage]:
        """Pages of everything there is of this kind, from the beginning or behind a position."""
        async for page in self._whole_reader(document).pages(self._talk, position):
            yield page

    async def again(self, document: str, their_ids: Sequence[str]) -> Mapping[str, Captured] | None:
        """Those of these records that are there; None where the profile does not say how to ask for single ones."""
        return await self._whole_reader(document).these(self._talk, their_ids)

    async def find(self, document: str, reference: str) -> Carried | None:
        """The document that carries our reference, if the system has it."""
        compiled = self._object(document)
        if compiled.find_verb is not None:
            found: Any = compiled.find_verb(self._session(self._talk, {"document": document}), reference)
            result: Carried | None = await found
            return result
        if compiled.finder is None:
            raise Misconfigured(
                f"{self.product} cannot find a {document} by our reference", where=f"system {self.role}"
            )
        return await compiled.finder.find(self._talk, reference)

    async def send(
        self, document: str, operation: str, payload: Mapping[str, Any], *, reference: str, key: str,
    ) -> Carried:  # fmt: skip
        """Carry out one operation once; never retries a write."""
        how = self._object(document).operations.get(operation)
        if how is None:
            raise Misconfigured(f"{self.product} cannot {operation} a {document}", where=f"system {self.role}")
        scope = self._talk.wire.scope(payload=payload, reference=reference, key=key, document=document)
        if not isinstance(how, CallsInOrder):
            how_verb = VerbOperation(how, self._session)
            return await how_verb.carry_out(self._talk, scope)
        return await how.carry_out(self._talk, scope)

    async def test(self) -> str:
        """Log in and read one harmless thing."""
        await self._talk.ask(self._test, self._talk.wire.scope(), writes=False)
        return f"{self._profile.title} answers at {self._talk.wire.connection.host} and lets us in"

    async def __aenter__(self) -> HttpConnector:
        await self._road.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._road.close()

    def _object(self, document: str) -> CompiledObject:
        if document not in self._objects:
            raise Misconfigured(f"{self.product} knows no {document}", where=f"system {self.role}")
        return self._objects[document]

    def _whole_reader(self, document: str) -> WholeReader:
        reader = self._object(document).whole
        if reader is None:
            raise Misconfigured(f"{self.product} does not tell about {document}", where=f"system {self.role}")
        return reader

    def _session(self, talk: Talk, scope: Mapping[str, Any]) -> Session:
        about = {name: str(scope.get(name, "")) for name in ("reference", "key", "document")}
        return Session(talk, self._calls, self.find, **about)
