"""The receiver's web application: `POST /inbound/{role}`, `GET /health`, and the doors for people (`answers`).

The order is the promise: verify, name, store and commit, answer. The sender hears "we have it" only after the commit;
whatever goes wrong before, it hears something else and sends again. A repeated message gets the same answer and no
second row.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from throughline.connectors.inbound import NotSigned
from throughline.errors import Invalid, ThroughlineError
from throughline.receiver.answers import AnswerDoors
from throughline.receiver.doors import Door
from throughline.receiver.keeping import Keeper, Ledger
from throughline.secrecy import shared

log = logging.getLogger(__name__)

_KEPT_HEADERS = ("content-type", "user-agent", "x-request-id", "date")
_RECEIVED, _REPEATED = "received", "repeated"


class Receiver:
    """Takes messages in, door by door, and counts what became of them."""

    def __init__(
        self, doors: Mapping[str, Door], keeper: Keeper, clock: Callable[[], datetime], most_bytes: int
    ) -> None:
        self._doors = doors
        self._keeper = keeper
        self._clock = clock
        self._most_bytes = most_bytes
        self.counts: Counter[str] = Counter()

    async def inbound(self, request: Request) -> Response:
        """One message from one system."""
        role = request.path_params["role"]
        door = self._doors.get(role)
        if door is None:
            return JSONResponse({"error": "nobody sends us anything by this name"}, 404)
        body = await self._body(request)
        if body is None:
            return self._refuse(door, request, 413, f"a message may have {self._most_bytes} bytes at most")
        try:
            return await self._take(door, request, body)
        except NotSigned as wrong:
            return self._refuse(door, request, 401, wrong.message)
        except Invalid as wrong:
            return self._refuse(door, request, 400, wrong.message)
        except ThroughlineError as failure:
            return self._refuse(door, request, 503, failure.message, told="not stored, please send it again")

    async def health(self, request: Request) -> Response:
        """Whether messages can be kept just now, and what became of those so far."""
        del request
        try:
            await self._keeper.ready()
        except ThroughlineError as failure:
            return JSONResponse({"ok": False, "reason": failure.message, **self.counts}, 503)
        return JSONResponse({"ok": True, "doors": sorted(self._doors), **self.counts})

    async def _take(self, door: Door, request: Request, body: bytes) -> Response:
        headers, query = request.headers, request.query_params
        door.inbound.verify(door.connection, headers, body, query, now=self._clock())
        kind, message_id = door.inbound.identify(headers, body, query)
        kept = {name: headers[name] for name in _KEPT_HEADERS if name in headers}
        fresh = await self._keeper.keep(door.role, kind, message_id, kept, body)
        self.counts[_RECEIVED if fresh else _REPEATED] += 1
        content_type, answer = door.inbound.accepted()
        return Response(answer, 200, media_type=content_type)

    async def _body(self, request: Request) -> bytes | None:
        """The whole body, or None as soon as it is longer than we take."""
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._most_bytes:
            return None
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > self._most_bytes:
                    return None
        except ClientDisconnect:
            return b""
        return bytes(body)

    def _refuse(self, door: Door, request: Request, status: int, reason: str, *, told: str | None = None) -> Response:
        self.counts[f"refused {status}"] += 1
        client = request.client.host if request.client else "somebody"
        log.warning("Refused (%s) a message for %s from %s: %s", status, door.role, client, shared.text(reason))
        content_type, answer = door.inbound.refused(shared.text(told or reason))
        return Response(answer, status, media_type=content_type)


def create_app(
    ledger: Ledger, doors: Mapping[str, Door], *, clock: Callable[[], datetime], seconds: float = 0.9,
    most_bytes: int = 4_000_000, people: AnswerDoors | None = None,
) -> Starlette:  # fmt: skip
    """The application over a ledger; a message that is not stored within `seconds` is answered with 503.

    With `people`, the doors for people's answers are open too.
    """
    keeper = Keeper(ledger, seconds=seconds)
    receiver = Receiver(doors, keeper, clock, most_bytes)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        keeper.close()
        if people is not None:
            people.close()

    app = Starlette(
        routes=[
            Route("/inbound/{role}", receiver.inbound, methods=["POST"]),
            Route("/health", receiver.health, methods=["GET"]),
            *(people.routes() if people is not None else ()),
        ],
        lifespan=lifespan,
    )
    app.state.counts = receiver.counts
    return app
