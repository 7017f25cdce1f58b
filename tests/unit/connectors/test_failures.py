"""What a road that breaks means: by whether the request can have reached the other side."""

from __future__ import annotations

import asyncio
import inspect
import socket
import threading

import aiohttp
import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from throughline.connectors.mechanisms.http.failures import (
    FAILURES,
    OF_AIOHTTP,
    ROAD_FAILURES,
    Moment,
    moment_of,
    road_failure,
)
from throughline.errors import InDoubt, Invalid, Misconfigured, RateLimited, Rejected, Transient

NOTE = """
note:
  fence: W3
  identity: {their_id: id}
  poll:
    call: {path: /notes}
    records: notes
    cursor: {kind: snapshot}
  find: {call: {path: /find, body: {ref: $reference}}, record: note, their_id: $found.id, number: $found.number}
  operations:
    create:
      tier: T2
      calls: [{name: create, path: /note, body: $payload}]
      answer: {their_id: $calls.create.id}
    touch:
      tier: T1
      findable: false
      calls: [{name: touch, path: /note, body: $payload}]
      answer: {their_id: $calls.touch.id}
"""
FAST = "limits: {answer_seconds: 0.3, total_seconds: 0.8, connect_seconds: 0.3, answer_bytes: 2000}"


def test_every_exception_of_httpx_has_its_moment():
    raised = [kind for _, kind in inspect.getmembers(httpx, inspect.isclass) if issubclass(kind, Exception)]
    assert len(raised) > 20
    for kind in raised:
        assert kind in FAILURES, f"httpx.{kind.__name__} is new: say what it means"
        assert issubclass(kind, ROAD_FAILURES), kind


def test_every_exception_of_aiohttps_client_has_its_moment():
    raised = [kind for _, kind in inspect.getmembers(aiohttp, inspect.isclass) if issubclass(kind, aiohttp.ClientError)]
    assert len(raised) > 20
    for kind in raised:
        assert kind in FAILURES, f"aiohttp.{kind.__name__} is new: say what it means"
    assert all(issubclass(kind, ROAD_FAILURES) for kind in OF_AIOHTTP)


def test_only_what_never_connected_counts_as_not_sent():
    """What aiohttp raises while it connects; all the rest of what it raises may come after the first byte."""
    connecting = (
        aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ServerFingerprintMismatch,
        aiohttp.ClientHttpProxyError,
    )  # fmt: skip
    for kind, moment in OF_AIOHTTP.items():
        assert (moment is Moment.BEFORE) == issubclass(kind, connecting), kind


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x"), httpx.ProxyError("x"),
        aiohttp.ClientConnectorError(None, OSError(111, "refused")), aiohttp.ConnectionTimeoutError("x"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_nothing_was_sent_yet(error):
    assert moment_of(error) is Moment.BEFORE
    failure = road_failure(error, writes=True, system="s", where="w", path="/")
    assert type(failure) is Transient


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout, httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError, aiohttp.SocketTimeoutError,
        aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientPayloadError, aiohttp.ClientError,
    ],
)  # fmt: skip
def test_it_may_have_arrived(error):
    assert type(road_failure(error("x"), writes=True, system="s", where="w", path="/")) is InDoubt
    assert type(road_failure(error("x"), writes=False, system="s", where="w", path="/")) is Transient


class Site:
    """A server that behaves as told, and remembers what it did."""

    def __init__(self) -> None:
        self.answer = lambda body: JSONResponse({"code": 0, "id": "N1"})
        self.notes: list[dict] = []
        self.calls = 0
        self.app = Starlette(routes=[
            Route("/note", self.note, methods=["POST"]), Route("/notes", self.note, methods=["POST"]),
            Route("/find", self.find, methods=["POST"]), Route("/ping", self.note, methods=["POST"]),
        ])  # fmt: skip

    async def note(self, request):
        self.calls += 1
        answer = self.answer(await request.body())
        return await answer if inspect.isawaitable(answer) else answer

    async def find(self, request):
        ref = (await request.json())["ref"]
        return JSONResponse({"code": 0, "note": next((n for n in self.notes if n["number"] == ref), None)})


async def write(connector, operation="create", **payload):
    return await connector.send("note", operation, {"number": "1", **payload}, reference="1", key="k")


async def read(connector):
    return [page async for page in connector.changes("note")]


@pytest.fixture(params=["aiohttp", "httpx"])
def connect(request, connect):
    """A connector over the road that real systems are reached by, and over httpx's transport."""
    if request.param == "aiohttp":
        return connect
    return lambda *told, **more: connect(*told, **more, transport=httpx.AsyncHTTPTransport(trust_env=False))


async def both_fail(connector, on_write, on_read):
    with pytest.raises(on_write) as wrote:
        await write(connector)
    assert type(wrote.value) is on_write
    with pytest.raises(on_read) as looked:
        await read(connector)
    assert type(looked.value) is on_read
    assert wrote.value.system == looked.value.system == "trial"
    return wrote.value, looked.value


async def test_a_closed_port_is_passing(connect):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        host = f"http://127.0.0.1:{closed.getsockname()[1]}"
    async with connect(host, NOTE) as connector:
        await both_fail(connector, Transient, Transient)


async def test_silence_after_sending_leaves_a_write_in_doubt(serve, connect):
    site = Site()

    async def silence(_):
        await asyncio.sleep(3)
        return JSONResponse({"code": 0, "id": "late"})

    site.answer = silence
    async with connect(serve(site.app), NOTE, top=FAST) as connector:
        await both_fail(connector, InDoubt, Transient)
    assert site.calls == 2


async def test_an_answer_that_drips_for_ever_is_cut_off(serve, connect):
    site = Site()

    async def drops():
        for _ in range(100):
            yield b" "
            await asyncio.sleep(0.1)

    site.answer = lambda _: StreamingResponse(drops(), media_type="application/json")
    async with connect(serve(site.app), NOTE, top=FAST) as connector:
        began = asyncio.get_running_loop().time()
        with pytest.raises(InDoubt):
            await write(connector)
        assert asyncio.get_running_loop().time() - began < 2


def one_shot_server(behave) -> str:
    """A bare socket server: for what no web framework would do."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                peer.recv(65536)
                behave(peer)

    threading.Thread(target=run, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", b"\x00\x01 not http at all\r\n\r\n"],
    ids=["closed", "half", "noise"],
)
async def test_a_connection_that_breaks_leaves_a_write_in_doubt(connect, said):
    async with connect(one_shot_server(lambda peer: peer.sendall(said)), NOTE, top=FAST) as connector:
        await both_fail(connector, InDoubt, Transient)


@pytest.mark.parametrize(
    ("answer", "on_write", "on_read"),
    [
        (lambda _: HTMLResponse("<html>请登录</html>"), InDoubt, Transient),
        (lambda _: JSONResponse(["what", "is", "this"]), InDoubt, Transient),
        (lambda _: Response(b"", 200), InDoubt, Transient),
        (lambda _: Response(b'{"code": 0, "code": 1, "id": 1}', 200), InDoubt, Transient),
        (lambda _: Response(b'{"code": 0, "id": NaN}', 200), InDoubt, Transient),
        (lambda _: Response(b"oops", 500), InDoubt, Transient),
        (lambda _: Response(b"oops", 502), InDoubt, Transient),
        (lambda _: JSONResponse({"certain": True}, 503), Transient, Transient),
        (lambda _: JSONResponse({"code": 5, "says": "no such item"}), Rejected, Rejected),
        (lambda _: Response(b"bad", 400), Rejected, Rejected),
        (lambda _: Response(b"", 302, {"location": "http://elsewhere.example/"}), Misconfigured, Misconfigured),
        (lambda _: Response(b"", 404), Misconfigured, Misconfigured),
        (lambda _: Response(b"", 401), Misconfigured, Misconfigured),
        (lambda _: Response(b"x" * 3000), InDoubt, Invalid),
    ],
    ids=["html", "shape", "empty", "twin", "nan", "500", "502", "503-certain", "refused", "400", "302", "404", "401",
         "huge"],
)  # fmt: skip
async def test_every_answer_has_its_consequence(serve, connect, answer, on_write, on_read):
    site = Site()
    site.answer = answer
    async with connect(serve(site.app), NOTE, top=FAST) as connector:
        wrote, _ = await both_fail(connector, on_write, on_read)
    if on_write is Rejected and wrote.code == "5":
        assert "no such item" in wrote.message


@pytest.mark.parametrize(
    ("answer", "pause"),
    [
        (Response(b"", 429, {"retry-after": "7"}), 7),
        (Response(b"", 429), None),
        (Response(b"", 429, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}), None),
        (JSONResponse({"code": 30002, "pause": 2.5}), 2.5),
        (JSONResponse({"code": 30002}), None),
    ],
    ids=["header", "bare", "date", "body", "unsaid"],
)
async def test_being_asked_to_slow_down_says_for_how_long(serve, connect, answer, pause):
    site = Site()
    site.answer = lambda _: answer
    async with connect(serve(site.app), NOTE) as connector:
        wrote, looked = await both_fail(connector, RateLimited, RateLimited)
    assert wrote.retry_after == looked.retry_after == pause


async def test_there_already_counts_as_carried_out_once_it_is_found(serve, connect):
    site = Site()
    site.answer = lambda _: JSONResponse({"code": 409, "says": "taken"})
    async with connect(serve(site.app), NOTE) as connector:
        with pytest.raises(InDoubt, match="cannot be found"):
            await write(connector)
        site.notes.append({"id": 77, "number": "1"})
        carried = await write(connector)
        assert (carried.their_id, carried.number) == ("77", "1")
        assert (await write(connector, "touch")).their_id == "1"


async def test_an_accepted_write_without_an_id_is_in_doubt(serve, connect):
    site = Site()
    site.answer = lambda _: JSONResponse({"code": 0})
    async with connect(serve(site.app), NOTE) as connector:
        with pytest.raises(InDoubt, match="id"):
            await write(connector)


async def test_details_hold_no_secret(serve, connect):
    site = Site()
    site.answer = lambda _: Response(b'{"token": "tok-abcdefgh", "echo": "the-password-123"}', 500)
    async with connect(serve(site.app), NOTE) as connector:
        with pytest.raises(InDoubt) as caught:
            await write(connector)
    shown = f"{caught.value} {caught.value.details}"
    assert "the-password-123" not in shown
    assert "tok-abcdefgh" not in shown
    assert caught.value.details["status"] == 500
