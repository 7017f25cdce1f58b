"""Robots and the SMS gateway: connectors against emulators that check signatures, lengths and pace for themselves."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from include.plant.emulators.assembly import assemble
from include.plant.emulators.settings import Settings
from tests.unit.mapping.conftest import OWNERS, PRODUCTS, ROOT, ZONES, Everybody
from throughline.connectors.contract import Connection, Connector
from throughline.connectors.products.dingtalk_robot.signer import signature as dingtalk_signature
from throughline.connectors.products.feishu_robot.signer import signature as feishu_signature
from throughline.connectors.products.sms_gateway.signer import as_ucs2, parts_of
from throughline.connectors.registry import open_connector
from throughline.errors import InDoubt, Invalid, Misconfigured, RateLimited, Rejected, Transient
from throughline.mapping import Codes, Translator, load_tables
from throughline.people.telling import Message
from throughline.process.posting import ConnectorPost

SECRET = "the-channel-secret-for-tests"
ROLES = {"dingtalk": "dingtalk_robot", "wecom": "wecom_robot", "feishu": "feishu_robot", "sms": "sms_gateway"}
ADDRESSES = {"dingtalk": "13800000002", "wecom": "li.na", "feishu": "ou_zhao_yun", "sms": "13800000007"}
EXTRA = {"dingtalk": {"access_token": "plant-robot-token"}, "feishu": {"hook_token": "plant-hook-token"}}
LOGINS = {"sms": "plant-sms"}


class Site:
    """One emulated channel, and a post that reaches it."""

    def __init__(self, role: str, host: str) -> None:
        self.role, self.host = role, host
        self.desk = httpx.Client(base_url=host)
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.password = SECRET
        self.extra: dict[str, Any] = EXTRA.get(role, {})
        codes = Codes.load(ROOT / "include" / "codes")
        zones = {**ZONES, **dict.fromkeys(ROLES, "Asia/Shanghai")}
        self.translator = Translator(load_tables(PRODUCTS, codes), codes, OWNERS, Everybody(), zones=zones)

    def connector(self, _: str = "") -> Connector:
        limits = {"rate": None, "answer_seconds": 1.0}
        connection = Connection(
            self.role, self.host, LOGINS.get(self.role, ""), self.password, {**self.extra, "limits": limits}
        )
        return open_connector(ROLES[self.role], self.role, connection, clock=self.clock)

    def send(self, body: str = "采购申请 PR-1 待批\n", *, key: str = "k" * 64, to: str | None = None) -> None:
        post = ConnectorPost(ROLES, self.translator, self.connector)
        address = ADDRESSES[self.role] if to is None else to
        post(Message(key, "somebody", self.role, address, "【贯通】提醒", body, "person:hub:somebody"))

    def fault(self, kind: str, **more: Any) -> None:
        self.desk.post("/_plant/faults", json={"rules": [{"kind": kind, **more}]}).raise_for_status()

    def sent(self) -> list[dict[str, Any]]:
        told = self.desk.get("/_plant/state", params={"kind": "message"}).json()
        return list(told["documents"].get("message", []))


@pytest.fixture(params=sorted(ROLES))
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    yield from running(request.param, tmp_path)


def running(role: str, folder: Path) -> Iterator[Site]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = assemble(Settings(ROLES[role], folder / "state.sqlite", LOGINS.get(role, ""), SECRET))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_keep_alive=300))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    site = Site(role, f"http://127.0.0.1:{listener.getsockname()[1]}")
    yield site
    site.desk.close()
    server.should_exit = server.force_exit = True
    thread.join(5)


def test_a_message_arrives_signed_and_mentions_its_person(site: Site) -> None:
    site.send()
    [message] = site.sent()
    assert "采购申请 PR-1 待批" in message["text"]
    told = message.get("mobile") or message["mentioned"][0]
    assert told == ADDRESSES[site.role]


def test_a_wrong_secret_is_told_and_nothing_arrives(site: Site) -> None:
    site.password = "another-secret-of-somebody"
    with pytest.raises(Misconfigured):
        site.send()
    assert site.sent() == []


@pytest.mark.parametrize("role", ["dingtalk", "feishu", "sms"])
def test_a_stamp_of_yesterday_is_refused(role: str, tmp_path: Path) -> None:
    for site in running(role, tmp_path):
        site.clock = lambda: datetime.now(UTC) - timedelta(days=1)
        with pytest.raises(Misconfigured):
            site.send()
        assert site.sent() == []


@pytest.mark.parametrize(("role", "name"), [("dingtalk", "access_token"), ("feishu", "hook_token")])
def test_a_wrong_token_is_told(role: str, name: str, tmp_path: Path) -> None:
    for site in running(role, tmp_path):
        site.extra = {name: "not-the-robots-token"}
        with pytest.raises(Misconfigured):
            site.send()
        site.extra = {}
        with pytest.raises(Misconfigured, match=name):
            site.send()


async def test_trying_the_connection_says_nothing_to_anybody(site: Site) -> None:
    async with site.connector() as connector:
        assert "answer" in await connector.test()
    assert site.sent() == []


@pytest.mark.parametrize("role", ["dingtalk", "wecom"])
def test_the_twenty_first_message_in_a_minute_waits(role: str, tmp_path: Path) -> None:
    for site in running(role, tmp_path):
        for n in range(20):
            site.send(key=f"{n:064d}")
        with pytest.raises(RateLimited) as limited:
            site.send(key="x" * 64)
        assert limited.value.retry_after == 60
        assert len(site.sent()) == 20


def test_the_gateway_takes_one_message_a_minute_for_one_number(tmp_path: Path) -> None:
    for site in running("sms", tmp_path):
        site.send()
        with pytest.raises(RateLimited):
            site.send()
        site.send(to="13900000001")
        assert len(site.sent()) == 2


def test_a_lost_answer_is_a_doubt_and_a_lost_call_is_not(site: Site) -> None:
    site.fault("timeout_after", seconds=3)
    with pytest.raises(InDoubt):
        site.send()
    assert len(site.sent()) == 1
    site.fault("rate_limited", retry_after=7)
    with pytest.raises(Transient):
        site.send(key="y" * 64)
    assert len(site.sent()) == 1


def test_long_texts_are_cut_where_the_channel_ends(tmp_path: Path) -> None:
    for site in running("wecom", tmp_path):
        site.send("采购申请待批采购申请待批\n" * 100)
        [message] = site.sent()
        assert 1900 < len(message["text"].encode()) <= 2048
        assert message["text"].endswith("……")


def test_a_text_mentions_nobody_else(tmp_path: Path) -> None:
    for site in running("feishu", tmp_path):
        site.send('<at user_id="all"></at> 请看', to='ou_a"></at><at user_id="all')
        [message] = site.sent()
        assert message["mentioned"] == ["ou_aatatuser_idall"]


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    for site in running("sms", tmp_path):
        with pytest.raises(Rejected, match="手机"):
            site.send(to="110")


@pytest.mark.parametrize(("length", "parts"), [(1, 1), (70, 1), (71, 2), (134, 2), (135, 3), (536, 8)])
def test_parts_of_a_short_message(length: int, parts: int, tmp_path: Path) -> None:
    assert parts_of("字" * length) == parts
    for site in running("sms", tmp_path):
        site.send("字" * length)
        assert [message["parts"] for message in site.sent()] == [parts]


def test_what_ucs2_cannot_hold_is_refused_before_it_costs_anything() -> None:
    assert as_ucs2("贯A") == "8d2f0041"
    with pytest.raises(Invalid, match=r"U\+20BB7"):
        as_ucs2("𠮷")
    with pytest.raises(Invalid, match="9 parts"):
        as_ucs2("字" * 537)


async def test_the_token_in_a_robots_address_is_never_told() -> None:
    """An address that holds a token must not stand in an error's sentence or details."""
    extra = {"hook_token": "hook-token-nobody-may-read"}
    connection = Connection("feishu", "http://127.0.0.1:1", password=SECRET, extra=extra)
    with pytest.raises(Transient) as failed:
        async with open_connector("feishu_robot", "feishu", connection) as connector:
            await connector.send("notice", "create", {"to": "ou_a", "text": "x"}, reference="r", key="k")
    assert "nobody-may-read" not in f"{failed.value.message} {failed.value.details}"


def test_the_signatures_are_the_vendors_formulas() -> None:
    digest = hmac.new(b"SEC", b"1700000000000\nSEC", hashlib.sha256).digest()
    assert dingtalk_signature("SEC", "1700000000000") == base64.b64encode(digest).decode()
    digest = hmac.new(b"1700000000\nSEC", b"", hashlib.sha256).digest()
    assert feishu_signature("SEC", "1700000000") == base64.b64encode(digest).decode()
