"""The road to a system, against servers that are correct, odd or hostile."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import ipaddress
import re
import socket
import ssl
import struct
import threading
import time
import zlib

import aiohttp
import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.http.aiohttp_road import AiohttpRoad, HeaderRefused, Interrupted
from throughline.connectors.mechanisms.http.entrance import road_for
from throughline.connectors.mechanisms.http.failures import ROAD_FAILURES, Moment, moment_of
from throughline.connectors.mechanisms.http.profile import Limits
from throughline.connectors.mechanisms.http.road import Said, TooLong, TransportRoad

LIMITS = Limits(answer_seconds=0.5, total_seconds=1, connect_seconds=0.5, answer_bytes=50_000, keep_alive_seconds=2)


def by_httpx(host):
    return TransportRoad(host, httpx.AsyncHTTPTransport(verify=False, trust_env=False), LIMITS)


def by_aiohttp(host):
    return AiohttpRoad(host, LIMITS)


both = pytest.mark.parametrize("road_to", [by_aiohttp, by_httpx], ids=["aiohttp", "httpx"])


async def ask(road, target="/", method="POST", headers=None, content=b"{}") -> Said:
    return await road.carry(method, target, headers or {}, content)


def app(answer):
    async def handle(request):
        return answer(await request.body(), request)

    return Starlette(routes=[Route("/{path:path}", handle, methods=["GET", "POST", "DELETE"])])


async def chunks(*parts):
    for part in parts:
        yield part
        await asyncio.sleep(0.01)


@both
@pytest.mark.parametrize(
    ("answer", "content"),
    [
        (lambda b, r: Response(b"plain"), b"plain"),
        (lambda b, r: StreamingResponse(chunks(b"in ", b"many ", b"chunks")), b"in many chunks"),
        (lambda b, r: Response(gzip.compress(b"zipped" * 500), headers={"content-encoding": "gzip"}), b"zipped" * 500),
        (lambda b, r: Response(zlib.compress(b"zipped"), headers={"content-encoding": "deflate"}), b"zipped"),
        (lambda b, r: Response(b"", 204), b""),
        (lambda b, r: Response(b"x" * 50_000), b"x" * 50_000),
        (lambda b, r: Response(str(len(b)).encode()), b"300000"),
    ],
    ids=["plain", "chunked", "gzip", "deflate", "204", "large", "large-request"],
)
async def test_whatever_way_an_answer_is_written_it_is_read_whole(serve, road_to, answer, content):
    road = road_to(serve(app(answer)))
    for _ in range(3):
        said = await ask(road, content=b"y" * 300_000)
        assert said.content == content
    await road.close()


@both
@pytest.mark.parametrize(
    ("answer", "errors"),
    [
        (lambda b, r: Response(b"x" * 50_001), TooLong),
        (lambda b, r: Response(gzip.compress(b"0" * 10_000_000), headers={"content-encoding": "gzip"}), TooLong),
        (
            lambda b, r: Response(b"not zipped at all", headers={"content-encoding": "gzip"}),
            (httpx.DecodingError, aiohttp.ClientPayloadError, aiohttp.ClientResponseError),
        ),
    ],
    ids=["large", "bomb", "liar"],
)
async def test_an_answer_too_large_or_false_is_refused(serve, road_to, answer, errors):
    road = road_to(serve(app(answer)))
    with pytest.raises(errors):
        await ask(road)
    await road.close()


@both
async def test_method_path_headers_and_body_arrive_as_given(serve, road_to):
    seen = {}

    def note(body, request):
        seen.update(method=request.method, path=request.url.path, query=request.url.query, body=body,
                    headers=dict(request.headers))  # fmt: skip
        return Response(b"", headers={"X-Answer": "yes"})

    road = road_to(serve(app(note)) + "/base")
    said = await ask(road, "/路/a?x=1&y=%20", "DELETE", {"x-kind": "a b", "authorization": "Bearer t"}, b"\x00\xff")
    assert (b"x-answer", b"yes") in [(name.lower(), value) for name, value in said.headers]
    assert (seen["method"], seen["path"], seen["query"], seen["body"]) == (
        "DELETE", "/base/路/a", "x=1&y=%20", b"\x00\xff",
    )  # fmt: skip
    assert (seen["headers"]["authorization"], seen["headers"]["x-kind"]) == ("Bearer t", "a b")
    assert "cookie" not in seen["headers"]
    await road.close()


def request_on(peer: socket.socket) -> bytes:
    """One whole request; head and body may come apart."""
    told = b""
    while b"\r\n\r\n" not in told:
        part = peer.recv(65536)
        if not part:
            return told
        told += part
    head, _, body = told.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    while length and len(body) < int(length[1]):
        part = peer.recv(65536)
        if not part:
            break
        body += part
    return head + b"\r\n\r\n" + body


def listen_on(peer: socket.socket, seconds: float) -> None:
    """Take whatever still comes (head and body may come apart) and say nothing."""
    peer.settimeout(seconds)
    try:
        while peer.recv(65536):
            pass
    except OSError:
        return


def raw_server(*answers: bytes, linger: float = 0.0):
    """A socket server that gives these answers, one for each request, and counts its connections."""
    listener = socket.create_server(("127.0.0.1", 0))
    state = {"connections": 0, "requests": []}

    def talk(peer):
        with peer:
            for answer in answers:
                state["requests"].append(request_on(peer))
                peer.sendall(answer)
            if linger:
                listen_on(peer, linger)

    def accept():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            state["connections"] += 1
            threading.Thread(target=talk, args=(peer,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}", state


OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


@both
async def test_a_body_without_a_length_ends_with_the_connection(road_to):
    host, _ = raw_server(b"HTTP/1.1 200 OK\r\n\r\nall of it")
    road = road_to(host)
    assert (await ask(road)).content == b"all of it"
    await road.close()


@both
async def test_a_mere_wait_is_not_the_answer(road_to):
    host, _ = raw_server(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n" + OK)
    road = road_to(host)
    assert (await ask(road)).content == b"{}"
    await road.close()


@both
async def test_connections_are_kept_and_a_closed_one_is_not_asked_again(road_to):
    host, state = raw_server(OK, OK)  # closes after two answers
    road = road_to(host)
    for _ in range(5):
        assert (await ask(road)).content == b"{}"
        await asyncio.sleep(0.02)
    assert state["connections"] == 3
    await road.close()


@both
async def test_a_connection_that_was_hung_up_meanwhile_is_not_used(road_to):
    """The other side hung up while this process did something else: a write is not put into doubt for that."""
    host, state = raw_server(OK)
    road = road_to(host)
    for _ in range(3):
        assert (await ask(road)).content == b"{}"
        time.sleep(0.05)  # the loop must not hear of it yet
    assert state["connections"] == 3
    await road.close()


@both
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_a_request_whose_connection_breaks_is_not_sent_again(road_to, method):
    """The server reads the second request on a kept connection and hangs up: it may have carried it out."""
    host, state = raw_server(OK, b"")
    road = road_to(host)
    await ask(road)
    with pytest.raises(ROAD_FAILURES) as broken:
        await ask(road, method=method)
    assert moment_of(broken.value) is Moment.AFTER
    assert (state["connections"], len([told for told in state["requests"] if told])) == (1, 2)
    await road.close()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_aiohttp_would_send_it_again_if_it_were_let(method):
    """Why `Interrupted` exists: without it the same server sees the request twice."""
    host, state = raw_server(OK, b"")
    async with aiohttp.ClientSession() as session:
        async with session.post(host, data=b"{}") as answer:
            await answer.read()
        async with session.request(method, host, data=b"{}") as answer:
            await answer.read()
    assert len([told for told in state["requests"] if told]) == 3
    road = by_aiohttp(raw_server(b"")[0])
    with pytest.raises(Interrupted):
        await ask(road, method=method)
    await road.close()


async def test_a_reset_in_the_middle_of_a_request_is_not_sent_again():
    listener = socket.create_server(("127.0.0.1", 0))
    seen = []

    def reset_everybody():
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            seen.append(peer.recv(1000))
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()

    threading.Thread(target=reset_everybody, daemon=True).start()
    road = by_aiohttp(f"http://127.0.0.1:{listener.getsockname()[1]}")
    with pytest.raises(ROAD_FAILURES) as broken:
        await ask(road, method="PUT", content=b"x" * 5_000_000)
    assert moment_of(broken.value) is Moment.AFTER
    assert len(seen) == 1
    await road.close()
    listener.close()


@both
async def test_nobody_is_followed_elsewhere_and_no_cookie_is_kept(serve, road_to):
    seen = []

    def answer(body, request):
        seen.append((request.url.path, request.headers.get("cookie")))
        return Response(b"", 307, headers={"location": "/elsewhere", "set-cookie": "a=1; Path=/"})

    road = road_to(serve(app(answer)))
    for _ in range(2):
        assert (await ask(road, "/here")).status == 307
    assert seen == [("/here", None)] * 2
    await road.close()


@both
async def test_nothing_is_taken_from_the_environment(serve, road_to, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    road = road_to(serve(app(lambda b, r: Response(b"{}"))))
    assert (await ask(road)).content == b"{}"
    await road.close()


@both
async def test_a_method_without_a_body_names_no_kind_of_body(serve, road_to):
    seen = []

    def answer(body, request):
        seen.append((request.method, request.headers.get("content-type"), body))
        return Response(b"{}")

    road = road_to(serve(app(answer)))
    for method in ("GET", "POST", "DELETE"):
        await ask(road, method=method, content=b"")
    assert seen == [("GET", None, b""), ("POST", None, b""), ("DELETE", None, b"")]
    await road.close()


@both
@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "a\x00b", "密"])
async def test_a_header_cannot_smuggle_another(road_to, value):
    host, state = raw_server(OK)
    road = road_to(host)
    with pytest.raises((HeaderRefused, httpx.LocalProtocolError)) as refused:
        await ask(road, headers={"x-kind": value})
    assert moment_of(refused.value) is Moment.SETUP
    with pytest.raises((HeaderRefused, httpx.LocalProtocolError)):
        await ask(road, headers={"x-kind: 1\r\nx-evil": "1"})
    assert not any(state["requests"]), "not a byte may leave"
    await road.close()


@both
async def test_a_target_cannot_smuggle_a_request(road_to):
    host, state = raw_server(OK)
    road = road_to(host)
    try:
        await ask(road, "/a HTTP/1.1\r\nx-evil: 1\r\n\r\n")
    except httpx.InvalidURL:
        assert state["requests"] == []
    else:
        assert b"\r\nx-evil" not in state["requests"][0]
        assert b" HTTP/1.1%0D%0Ax-evil" in state["requests"][0].replace(b"%20", b" ")
    await road.close()


@both
async def test_a_target_is_sent_as_it_was_signed(road_to):
    host, state = raw_server(OK)
    road = road_to(host)
    await ask(road, "/a%2Fb/c?z=%7e+%20&a=1&a=", "GET", content=b"")
    assert state["requests"][0].startswith(b"GET /a%2Fb/c?z=%7e+%20&a=1&a= HTTP/1.1\r\n")
    await road.close()


@both
async def test_giving_up_closes_the_connection(road_to):
    host, _ = raw_server(b"", linger=5)
    road = road_to(host)
    task = asyncio.create_task(ask(road))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises((httpx.ReadTimeout, aiohttp.SocketTimeoutError)):
        await ask(road)
    await road.close()
    nowhere = road_to("http://no-such-host.invalid")
    with pytest.raises(ROAD_FAILURES) as lost:
        await ask(nowhere)
    assert moment_of(lost.value) is Moment.BEFORE
    await nowhere.close()


@both
async def test_who_takes_no_connection_was_not_sent_anything(road_to):
    """A listener whose queue is full answers no knock: the time to connect runs out before anything is sent."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for knock in waiting:
            knock.setblocking(False)
            knock.connect_ex(deaf.getsockname())
        road = road_to(f"http://127.0.0.1:{deaf.getsockname()[1]}")
        with pytest.raises((httpx.ConnectTimeout, aiohttp.ConnectionTimeoutError)) as shut:
            await ask(road)
        assert moment_of(shut.value) is Moment.BEFORE
        await road.close()
        for knock in waiting:
            knock.close()


async def test_over_tls_only_a_known_certificate_is_trusted(tmp_path):
    certificate = self_signed(tmp_path)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app(lambda b, r: JSONResponse({"code": 0})), log_level="critical", lifespan="off",
                            ssl_certfile=str(certificate), ssl_keyfile=str(tmp_path / "key.pem"))  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        await asyncio.sleep(0.01)
    host = f"https://127.0.0.1:{listener.getsockname()[1]}"
    road = road_for(Connection("c", host, extra={"ca_file": str(certificate)}), LIMITS)
    assert (await ask(road)).content == b'{"code":0}'
    assert (await ask(road)).content == b'{"code":0}'
    await road.close()
    stranger = road_for(Connection("c", host), LIMITS)
    with pytest.raises(aiohttp.ClientConnectorCertificateError) as refused:
        await ask(stranger)
    assert moment_of(refused.value) is Moment.BEFORE
    await stranger.close()
    server.should_exit = server.force_exit = True
    thread.join(5)


def self_signed(folder):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "plant")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, none))
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    assert ssl.create_default_context(cafile=str(folder / "certificate.pem"))
    return folder / "certificate.pem"


def test_a_proxy_goes_through_httpx():
    road = road_for(Connection("c", "http://x.example", extra={"proxy": "http://127.0.0.1:3128"}), LIMITS)
    assert isinstance(road, TransportRoad)
    assert isinstance(road_for(Connection("c", "http://x.example"), LIMITS), AiohttpRoad)
