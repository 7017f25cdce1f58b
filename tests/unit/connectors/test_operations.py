"""Writes of several steps, of a product's own code, and with its own JSON values."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from decimal import Decimal

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from throughline.connectors.contract import Carried, Tier
from throughline.errors import InDoubt, Invalid, Misconfigured, Rejected, Transient

STEPS = """
order:
  find:
    call: {path: /look, body: {ref: $reference}}
    record: orders
    counts_when: [{at: state, in: [confirmed, done]}]
    their_id: $found.id
    lines: {at: $found.lines, ours: ours, theirs: id}
  operations:
    create:
      tier: T2
      late_execution: 12
      state: {call: {path: /look, body: {ref: $reference}}, record: orders, at: state}
      calls:
        - {name: create, path: /create, body: {$with: $payload, $without: [lines], details: $payload.lines, key: $key},
           unless_state: [draft, confirmed, done]}
        - {name: look, path: /look, body: {ref: $reference}, reads: true}
        - {name: confirm, path: [orders, $calls.look.orders.0.id, confirm], body: {}, unless_state: [confirmed, done]}
      answer: {their_id: $calls.look.orders.0.id, number: $payload.number,
               lines: {at: $calls.look.orders.0.lines, ours: ours, theirs: id}}
    cancel:
      tier: T1
      findable: false
      calls: [{name: cancel, path: /cancel, body: {ref: $reference, why: $payload.why?}}]
      answer: {their_id: $reference}
"""


class Site:
    """Orders that are created, then confirmed; it can fail at any step."""

    def __init__(self) -> None:
        self.orders: dict[str, dict] = {}
        self.seen: list[tuple[str, dict]] = []
        self.fail: dict[str, Response] = {}
        paths = ("/create", "/look", "/orders/{id}/confirm", "/cancel", "/rpc", "/ping")
        self.app = Starlette(routes=[Route(path, self.answer, methods=["POST"]) for path in paths])

    async def answer(self, request):
        step = request.url.path.strip("/").split("/")[-1]
        body = await request.json()
        self.seen.append((step, body))
        if step in self.fail:
            return self.fail.pop(step)
        return JSONResponse({"code": 0, **(getattr(self, f"on_{step}", lambda *_: {})(body, request) or {})})

    def on_create(self, body, _):
        lines = [{"ours": line["line"], "id": 900 + n} for n, line in enumerate(body["details"])]
        self.orders[body["number"]] = {"id": "A/1", "state": "draft", "lines": lines}

    def on_look(self, body, _):
        return {"orders": [self.orders[body["ref"]]] if body["ref"] in self.orders else []}

    def on_confirm(self, _, request):
        assert request.url.path == "/orders/A%2F1/confirm" or request.path_params["id"] == "A/1"
        next(iter(self.orders.values()))["state"] = "confirmed"

    def steps(self):
        return [step for step, _ in self.seen]


PAYLOAD = {"number": "SO-1", "amount": Decimal("1.10"), "lines": [{"line": "10"}, {"line": "20"}]}


async def create(connector):
    return await connector.send("order", "create", PAYLOAD, reference="SO-1", key="key-1")


@pytest.fixture
def site():
    return Site()


@pytest.fixture
def serve_orders(serve, site):
    # a slash inside an id must stay inside its segment: starlette decodes it, so the route takes any path
    site.app.router.routes.insert(0, Route("/orders/{id:path}/confirm", site.answer, methods=["POST"]))
    return serve(site.app)


async def test_steps_run_in_order_and_line_ids_come_back(serve_orders, connect, site):
    async with connect(serve_orders, STEPS) as connector:
        carried = await create(connector)
        assert carried == Carried("A/1", "SO-1", {"10": "900", "20": "901"}, carried.answer)
        found = await connector.find("order", "SO-1")
        kinds = connector.objects()["order"].operations
    assert site.steps() == ["look", "create", "look", "confirm", "look"]
    sent = dict(site.seen)["create"]
    assert sent == {"number": "SO-1", "amount": 1.1, "details": PAYLOAD["lines"], "key": "key-1"}
    assert found.lines == carried.lines
    assert (kinds["create"].tier, kinds["create"].late_execution, kinds["create"].findable) == (Tier.T2, 12, True)
    assert (kinds["cancel"].tier, kinds["cancel"].findable) == (Tier.T1, False)


async def test_a_half_made_document_is_not_found_and_is_finished_by_sending_again(serve_orders, connect, site):
    site.fail["confirm"] = Response(b"", 503)
    async with connect(serve_orders, STEPS) as connector:
        with pytest.raises(InDoubt):
            await create(connector)
        assert await connector.find("order", "SO-1") is None
        await create(connector)
        assert await connector.find("order", "SO-1")
    assert site.steps().count("create") == 1


async def test_a_passing_failure_after_the_first_write_leaves_a_doubt(serve_orders, connect, site):
    site.fail["confirm"] = JSONResponse({"code": 30002})
    async with connect(serve_orders, STEPS) as connector:
        with pytest.raises(InDoubt, match="part of this"):
            await create(connector)


async def test_a_passing_failure_before_the_first_write_is_passing(serve_orders, connect, site):
    site.fail["create"] = JSONResponse({"code": 30002})
    async with connect(serve_orders, STEPS) as connector:
        with pytest.raises(Transient):
            await create(connector)


async def test_a_refusal_after_the_first_write_stays_a_refusal(serve_orders, connect, site):
    site.fail["confirm"] = JSONResponse({"code": 9, "says": "credit limit"})
    async with connect(serve_orders, STEPS) as connector:
        with pytest.raises(Rejected, match="credit limit"):
            await create(connector)


async def test_an_optional_leaf_is_left_out_and_a_needed_one_is_named(serve_orders, connect, site):
    async with connect(serve_orders, STEPS) as connector:
        await connector.send("order", "cancel", {"why": None}, reference="SO-1", key="k")
        assert site.seen[-1][1] == {"ref": "SO-1"}
        with pytest.raises(Invalid, match=r"payload\.lines"):
            await connector.send("order", "create", {"number": "SO-1"}, reference="SO-1", key="k")
        with pytest.raises(Misconfigured, match="cannot shred a order"):
            await connector.send("order", "shred", {}, reference="SO-1", key="k")
        with pytest.raises(Misconfigured, match="knows no invoice"):
            await connector.send("invoice", "create", {}, reference="SO-1", key="k")


VERBS = """
production:
  find_verb: verbs:find_production
  operations:
    complete: {tier: T3, late_execution: 90, verb: verbs:complete}
"""
CALLS = "calls: {rpc: {path: /rpc, body: {method: $payload.method, key: $key, params: $payload.params}}}"


async def complete(session, payload, *, reference, key):
    assert key == "key-1"
    before = await session.call("rpc", {"method": "read", "params": [reference]}, writes=False)
    assert before["code"] == 0
    await session.call("rpc", {"method": "write", "params": [payload["good"], session.now()]}, writes=True)
    await session.call("rpc", {"method": "do", "params": []}, writes=True)
    return Carried(reference, "P-1")


async def find_production(session, reference):
    return Carried(reference) if reference == "here" else None


def encode(value):
    if isinstance(value, dict):
        return {key: encode(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [encode(inner) for inner in value]
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, datetime):
        return {"__class__": "datetime", "iso": value.isoformat()}
    return value


async def test_a_verb_makes_declared_calls_in_the_products_own_json(serve, connect, site):
    verbs = {"complete": complete, "find_production": find_production}
    codec = {"encode": encode, "decode": lambda value: value}
    async with connect(serve(site.app), VERBS, top=CALLS, verbs=verbs, codec=codec) as connector:
        payload = {"good": Decimal("3.50")}
        carried = await connector.send("production", "complete", payload, reference="P", key="key-1")
        assert carried.number == "P-1"
        assert (await connector.find("production", "here")).their_id == "here"
        assert await connector.find("production", "not here") is None
        assert site.seen[1][1]["params"] == [
            {"__class__": "Decimal", "decimal": "3.50"},
            {"__class__": "datetime", "iso": "2026-11-23T08:00:00+00:00"},
        ]
        for failing, error in (("read", Transient), ("do", InDoubt)):
            calls = {"read": 0, "write": 1, "do": 2}[failing]
            site.seen.clear()

            def fail_at(body, _, calls=calls):
                if len(site.seen) == calls + 1:
                    raise ConnectionAbortedError

            site.on_rpc = fail_at
            with pytest.raises(error) as caught:
                await connector.send("production", "complete", payload, reference="P", key="key-1")
            assert type(caught.value) is error


async def test_a_verb_that_is_not_there_is_named_when_the_connector_opens(connect):
    with pytest.raises(Misconfigured, match=r"no function complete in verbs\.py"):
        connect("http://127.0.0.1:1", VERBS, top=CALLS, verbs={"find_production": find_production})


async def test_dates_and_fractions_are_written_exactly(serve, connect):
    raw: list[bytes] = []

    async def listen(request):
        raw.append(await request.body())
        return JSONResponse({"code": 0})

    app = Starlette(routes=[Route("/cancel", listen, methods=["POST"])])
    async with connect(serve(app), STEPS) as connector:
        why = {"amount": Decimal("12345678901234567890.123456789"), "on": date(2026, 1, 2)}
        await connector.send("order", "cancel", {"why": why}, reference="SO-1", key="k")
    assert raw == [b'{"ref":"SO-1","why":{"amount":12345678901234567890.123456789,"on":"2026-01-02"}}']


async def test_no_more_calls_at_once_than_the_profile_allows(serve, connect):
    busy = most = 0

    async def slow(request):
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.02)
        busy -= 1
        return JSONResponse({"code": 0})

    app = Starlette(routes=[Route("/cancel", slow, methods=["POST"])])
    async with connect(serve(app), STEPS, top="limits: {concurrency: 3}") as connector:
        await asyncio.gather(*(connector.send("order", "cancel", {}, reference=str(n), key="k") for n in range(12)))
    assert most == 3


async def test_the_rate_is_kept_in_every_window(serve, connect):
    moments: list[float] = []

    async def note(request):
        moments.append(asyncio.get_running_loop().time())
        return JSONResponse({"code": 0})

    app = Starlette(routes=[Route("/cancel", note, methods=["POST"])])
    extra = {"limits": {"rate": {"calls": 8, "seconds": 0.5, "per": "path"}, "concurrency": 8}}
    async with connect(serve(app), STEPS, extra=extra) as connector:
        await asyncio.gather(*(connector.send("order", "cancel", {}, reference=str(n), key="k") for n in range(24)))
    for first, later in zip(moments, moments[9:], strict=False):
        assert later - first > 0.4
