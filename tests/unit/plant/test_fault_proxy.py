"""Each fault of the proxy on real sockets: what the client meets, and whether the system carried the call out."""

from __future__ import annotations

import smtplib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from include.plant.fault_proxy import HTTP_FAULTS, RAW_FAULTS, FaultPlan, FaultProxy, Line, read_rates, running_proxy
from tests.stories.loopback import mail_server

BODY = b'{"made": true, "padding": "' + b"x" * 300 + b'"}'


class Target(ThreadingHTTPServer):
    """Counts what it carried out."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.carried_out: list[bytes] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        if len(content) < int(self.headers["content-length"]):
            return
        assert isinstance(self.server, Target)
        self.server.carried_out.append(content)
        self.send_response(200)
        if self.path == "/chunked":
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))
            return
        self.send_header("content-length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def target() -> Iterator[Target]:
    with Target() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def line_to(target: Target, plan: FaultPlan, **about: float) -> Line:
    return Line(("127.0.0.1", target.server_address[1]), plan, name="target", **about)  # type: ignore[arg-type]


def post(proxy: FaultProxy, path: str = "/orders", timeout: float = 20, content: bytes = b'{"n": 1}') -> httpx.Response:
    with httpx.Client(base_url=f"http://127.0.0.1:{proxy.lines[0].listen}", timeout=timeout) as client:
        return client.post(path, content=content)


MEETS: dict[str, tuple[type[Exception] | int, int]] = {
    "drop_request": (httpx.ReadTimeout, 0), "drop_answer": (httpx.ReadTimeout, 1), "late": (httpx.ReadTimeout, 1),
    "cut_request": (httpx.RemoteProtocolError, 0), "cut_answer": (httpx.RemoteProtocolError, 1),
    "reset": (httpx.ReadError, 0), "reset_after": (httpx.ReadError, 1), "too_many": (429, 0), "error_500": (500, 0),
    "error_503": (503, 0), "error_502_after": (502, 1), "login_page": (200, 0), "unauthorized": (401, 0),
    "drip": (200, 1), "duplicate": (200, 2),
}  # fmt: skip


def test_every_fault_is_tried() -> None:
    assert set(MEETS) == set(HTTP_FAULTS)


@pytest.mark.parametrize("fault", sorted(MEETS))
def test_what_the_client_meets_and_what_is_carried_out(target: Target, fault: str) -> None:
    meets, carried_out = MEETS[fault]
    plan = FaultPlan()
    plan.order(fault)
    patience = 1.0 if meets is httpx.ReadTimeout else 20.0
    with running_proxy(line_to(target, plan, late_seconds=1.5, drip_seconds=0.3)) as proxy:
        if isinstance(meets, int):
            answer = post(proxy, timeout=patience)
            assert answer.status_code == meets
            assert (answer.content == BODY) is (fault in ("drip", "duplicate"))
        else:
            with pytest.raises(meets):
                post(proxy, timeout=patience)
        if fault == "late":
            assert (target.carried_out, proxy.still_to_come()) == ([], 1), "not before the client has gone"
        _until(lambda: len(target.carried_out) >= carried_out and not proxy.still_to_come())
        assert target.carried_out == [b'{"n": 1}'] * carried_out
        _until(lambda: len(plan.deeds) == 1)
        (deed,) = plan.deeds
        assert (deed.method, deed.path, deed.fault, deed.passed) == ("POST", "/orders", fault, carried_out)
        assert post(proxy).content == BODY, "the line is good again"


@pytest.mark.parametrize("path", ["/orders", "/chunked"])
def test_without_a_fault_bytes_pass_unchanged_over_one_connection(target: Target, path: str) -> None:
    with running_proxy(line_to(target, FaultPlan())) as proxy:
        with httpx.Client(base_url=f"http://127.0.0.1:{proxy.lines[0].listen}") as client:
            for number in range(20):
                assert client.post(path, content=b"%d" % number).content == BODY
        assert target.carried_out == [b"%d" % number for number in range(20)]


def test_a_system_that_is_away_is_a_connection_cut(target: Target) -> None:
    with running_proxy(Line(("127.0.0.1", 1), FaultPlan(), name="nobody")) as proxy:
        with pytest.raises(httpx.RemoteProtocolError):
            post(proxy)
        assert proxy.lines[0].plan.deeds[0].passed == 0


def test_the_same_seed_makes_the_same_trouble(target: Target) -> None:
    rates = read_rates("all=0.04")
    first, again, other = (FaultPlan(rates, seed=seed) for seed in (7, 7, 8))
    drawn = [[plan.choose("POST /x", b"%d" % n) for n in range(3000)] for plan in (first, again, other)]
    assert drawn[0] == drawn[1] != drawn[2]
    for name in HTTP_FAULTS:
        assert 60 < drawn[0].count(name) < 200, name


def test_a_request_is_refused_its_token_once() -> None:
    plan = FaultPlan("unauthorized=1")
    assert [plan.choose("POST /x", b"a") for _ in range(3)] == ["unauthorized", "", ""]
    assert plan.choose("POST /x", b"b") == "unauthorized"


def test_faults_keep_to_their_path() -> None:
    plan = FaultPlan("reset=1", path="_create")
    plan.order("drop_answer", path="SO-9")
    assert plan.choose("POST /token") == ""
    assert plan.choose("POST /order/_create", b"SO-8") == "reset"
    assert plan.choose("POST /order/_create", b"SO-9") == "drop_answer"
    assert plan.choose("POST /order/_create", b"SO-9") == "reset"


@pytest.mark.parametrize("told", ["drop=0.1", "late=2", "late=-1", "all=0.9", "late", "late=x"])
def test_wrong_rates_are_refused(told: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_rates(told)


def test_it_is_steered_over_http(target: Target) -> None:
    with running_proxy(line_to(target, FaultPlan(seed=3)), control=0) as proxy:
        desk = httpx.Client(base_url=f"http://127.0.0.1:{proxy.control}")
        with desk:
            assert desk.get("/lines").json()["target"]["requests"] == 0
            desk.put("/lines/target/faults", json={"rates": {"error_503": 1}, "path": "/orders"}).raise_for_status()
            assert (post(proxy).status_code, post(proxy, "/other").status_code) == (503, 200)
            desk.put("/lines/target/faults", json={"rates": {}}).raise_for_status()
            desk.post("/lines/target/next", json={"faults": ["error_500", "login_page"]}).raise_for_status()
            assert [post(proxy).status_code for _ in range(3)] == [500, 200, 200]
            log = desk.get("/lines/target/log?after=2").json()
            assert [deed["fault"] for deed in log] == ["error_500", "login_page", ""]
            told = desk.get("/lines").json()["target"]
            assert (told["requests"], told["error_503"], told["ordered"], told["seed"]) == (5, 1, 0, 3)
            for method, path, wish, status in (
                ("GET", "/nothing", None, 404), ("PUT", "/lines/other/faults", {"rates": {}}, 404),
                ("PUT", "/lines/target/faults", {"rates": {"x": 1}}, 400),
                ("POST", "/lines/target/next", {"faults": ["x"]}, 400),
            ):  # fmt: skip
                assert desk.request(method, path, json=wish).status_code == status


LETTERS: dict[str, int] = {
    "drop_request": 0, "drop_answer": 1, "cut_request": 0, "cut_answer": 0, "reset": 0, "drip": 1,
}  # fmt: skip


@pytest.mark.parametrize("fault", sorted(RAW_FAULTS))
def test_a_mail_over_a_bad_line(tmp_path: Path, fault: str) -> None:
    plan = FaultPlan(known=RAW_FAULTS)
    plan.order(fault)
    with mail_server(tmp_path) as (host, box):
        address = urlsplit(f"//{host}")
        assert address.hostname
        assert address.port
        line = Line((address.hostname, address.port), plan, raw=True, drip_seconds=0.3)
        with running_proxy(line) as proxy:
            if fault == "drip":
                _mail(proxy, "SO-1")
            else:
                with pytest.raises((smtplib.SMTPException, OSError)):
                    _mail(proxy, "SO-1")
            _until(lambda: len(box.letters("SO-1")) >= LETTERS[fault])
            assert len(box.letters("SO-1")) == LETTERS[fault]
            _mail(proxy, "SO-2")
            assert len(box.letters("SO-2")) == 1
            _until(lambda: len(plan.deeds) == 2)
            assert [(deed.fault, deed.passed) for deed in plan.deeds] == [(fault, LETTERS[fault]), ("", 1)]


def _mail(proxy: FaultProxy, number: str) -> None:
    with smtplib.SMTP("127.0.0.1", proxy.lines[0].listen, timeout=3) as server:
        server.sendmail("hub@plant.example", ["buyer@plant.example"], f"Subject: {number}\r\n\r\nyour order\r\n")


def _until(happened: object) -> None:
    deadline = time.monotonic() + 20
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)
