"""`/_plant`: faults, the whole state for counting, people's actions, reset. Answers on this machine only."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.plant.emulators import exact_json
from include.plant.emulators.calls import Facade, Refused
from include.plant.emulators.fault_rules import FaultRules
from include.plant.emulators.limits import CallLimits
from include.plant.emulators.seed import Seed

_OUR_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})

Handler = Callable[[Request], Awaitable[Any]]


class ControlDesk:
    """Where a test, a demo or the day driver steps behind the counter."""

    def __init__(self, facade: Facade, faults: FaultRules, limits: CallLimits, tally: Counter[str]) -> None:
        self._facade, self._faults, self._limits, self._tally = facade, faults, limits, tally

    def routes(self) -> list[Route]:
        """The desk's addresses."""
        return [
            Route("/_plant/faults", _guarded(self._add_faults), methods=["POST"]),
            Route("/_plant/faults", _guarded(self._clear_faults), methods=["DELETE"]),
            Route("/_plant/state", _guarded(self._state), methods=["GET"]),
            Route("/_plant/act", _guarded(self._act), methods=["POST"]),
            Route("/_plant/reset", _guarded(self._reset), methods=["POST"]),
        ]

    async def _add_faults(self, request: Request) -> Any:
        self._faults.add(exact_json.loads(await request.body() or b"{}").get("rules", []))
        return {"ok": True, "faults": self._faults.listed()}

    async def _clear_faults(self, _: Request) -> Any:
        self._faults.clear()
        return {"ok": True}

    async def _state(self, request: Request) -> Any:
        store = self._facade.store
        kinds = [kind for kind in store.counts() if not kind.startswith("_")]
        told: dict[str, Any] = {
            "product": self._facade.settings.product, "counts": {kind: store.count(kind) for kind in kinds},
            "calls": dict(sorted(self._tally.items())), "faults": self._faults.listed(),
        }  # fmt: skip
        if "counts" not in request.query_params:
            wanted = request.query_params.get("kind")
            told["documents"] = {kind: self._documents(kind) for kind in kinds if wanted in (None, kind)}
        return told

    def _documents(self, kind: str) -> list[dict[str, Any]]:
        return [
            {"_id": record.key, "_number": record.number, "_status": record.status, "_created": record.created,
             "_changed": record.changed, **record.body}
            for record in self._facade.store.select(kind, order="created, id")
        ]  # fmt: skip

    async def _act(self, request: Request) -> Any:
        wish = exact_json.loads(await request.body())
        if wish.get("do") == "settings":
            self._facade.settings.change({name: value for name, value in wish.items() if name != "do"})
            return {"ok": True}
        return {"ok": True, **self._facade.act(wish)}

    async def _reset(self, _: Request) -> Any:
        self._faults.clear()
        self._limits.clear()
        self._tally.clear()
        with self._facade.store.transaction():
            self._facade.store.clear()
            self._facade.plant_seed(Seed.load())
        return {"ok": True}


def _guarded(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        if not _is_this_machine(request):
            return Response(b"not found", 404)
        try:
            status, told = 200, await handler(request)
        except Refused as no:
            status, told = 409, {"ok": False, "code": no.code, "message": no.message}
        except (ValueError, KeyError, AttributeError) as wrong:
            status, told = 400, {"ok": False, "code": "wrong", "message": str(wrong)}
        return Response(exact_json.dumps(told).encode(), status, media_type="application/json")

    return answer


def _is_this_machine(request: Request) -> bool:
    """Only callers on loopback, and no browser page from elsewhere that found a name for 127.0.0.1."""
    if request.client is None or "origin" in request.headers or request.url.hostname not in _OUR_NAMES:
        return False
    return ipaddress.ip_address(request.client.host).is_loopback
