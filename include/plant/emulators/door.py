"""The web server around one emulated product: the vendor's own addresses and the plant's control desk."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.plant.emulators.calls import Answer, Call, Facade
from include.plant.emulators.control_desk import ControlDesk
from include.plant.emulators.fault_rules import FaultRules
from include.plant.emulators.limits import CallLimits
from include.plant.emulators.mischief import Mischief

Scope = MutableMapping[str, Any]
Lifespan = Callable[[], Any]


class Door:
    """Takes calls in, lets faults and limits have their way, and hands the rest to the product."""

    def __init__(self, facade: Facade, faults: FaultRules) -> None:
        self.facade, self.faults = facade, faults
        self.limits = CallLimits(time.monotonic)
        self.tally: Counter[str] = Counter()
        self.mischief = Mischief(lambda: _response(facade.throttled()), lambda: facade.settings.hold_seconds)

    async def enter(self, request: Request) -> Response:
        """Answer one call of the vendor's protocol."""
        call = Call(request.url.path, dict(request.query_params), request.headers, await request.body(),
                    request.method)  # fmt: skip
        operation = self.facade.operation(call)
        self.tally[f"{operation} received"] += 1
        rule = self.faults.take(call.path, operation, call.body)
        if rule is None:
            return self._carry_out(call, operation)
        self.tally[f"{operation} {rule.kind}"] += 1
        return await self.mischief.apply(rule, request, lambda: self._carry_out(call, operation))

    def _carry_out(self, call: Call, operation: str) -> Response:
        settings = self.facade.settings
        if not self.limits.admits(operation, settings.rate_calls, settings.rate_seconds):
            self.tally[f"{operation} throttled"] += 1
            return _response(self.facade.throttled())
        self.tally[f"{operation} carried out"] += 1
        return _response(self.facade.answer(call))


def _response(answer: Answer) -> Response:
    return Response(answer.encoded(), answer.status, dict(answer.headers), "application/json;charset=UTF-8")


def build_app(facade: Facade, faults: FaultRules, background: Lifespan | None = None) -> Any:
    """The ASGI application of one emulator; `background` runs beside it (FLUX calling back)."""
    door = Door(facade, faults)
    desk = ControlDesk(facade, faults, door.limits, door.tally)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if background is None:
            yield
            return
        async with background():
            yield

    routes = [*desk.routes(), Route("/{path:path}", door.enter, methods=["GET", "POST", "PUT", "DELETE"])]
    starlette = Starlette(routes=routes, lifespan=lifespan)

    async def app(scope: Scope, receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        if scope["type"] == "http":
            # uvicorn's send knows its connection; faults need it to cut the line without an answer
            scope["plant.transport"] = send.__self__.transport
        await starlette(scope, receive, send)

    return app
