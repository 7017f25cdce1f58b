"""Mail against a real SMTP server: who knows what, at which moment of the conversation."""

from __future__ import annotations

import asyncio
import socket
import threading
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from throughline.connectors.contract import Connection, Tier
from throughline.connectors.registry import open_connector
from throughline.errors import InDoubt, Invalid, Misconfigured, Rejected, Transient

NOTICE = {
    "to": "buyer@qingdao-heavy.example",
    "subject": "订单 SO-1 已发货",
    "text": "第一行\n.\n.. 点\n",
    "about": "sales_order:crm:SO-1",
}


class Postman:
    """Takes mail, and answers as told."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []
        self.on_rcpt = self.on_data = None

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.on_rcpt:
            return self.on_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.on_data == "silence":
            await asyncio.sleep(2)
        if self.on_data == "cut":
            session_transport = server.transport
            session_transport.abort()
            return "250 never heard"
        if self.on_data:
            return self.on_data
        self.mails.append(envelope.content)
        return "250 taken"


@pytest.fixture
def postman():
    postman = Postman()
    controller = Controller(postman, hostname="127.0.0.1", port=0)
    controller.port = _free_port()
    controller.start()
    postman.host = f"127.0.0.1:{controller.port}"
    yield postman
    controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def mail(host: str, **extra):
    told = {"from_email": "orders@huadong.example", "disable_tls": True, "disable_ssl": True, **extra}
    return open_connector("smtp", "mail", Connection("mail", host, extra=told))


async def send(connector, notice=NOTICE, key="effect-1"):
    return await connector.send("notice", "create", notice, reference="N-1", key=key)


async def test_a_notice_arrives_whole(postman):
    async with mail(postman.host) as connector:
        carried = await send(connector)
        assert connector.objects()["notice"].operations["create"].tier is Tier.T4
        assert postman.host in await connector.test()
    [raw] = postman.mails
    got = message_from_bytes(raw, policy=default)
    assert got["Subject"] == "订单 SO-1 已发货"
    assert got["To"] == "buyer@qingdao-heavy.example"
    assert got["X-Throughline-About"] == "sales_order:crm:SO-1"
    assert got.get_content().splitlines() == ["第一行", ".", ".. 点"]
    assert got["Message-ID"] == carried.their_id
    assert carried.their_id.endswith("@huadong.example>")


async def test_the_same_effect_has_the_same_message_id(postman):
    async with mail(postman.host) as connector:
        first, again, other = await send(connector), await send(connector), await send(connector, key="effect-2")
    assert first.their_id == again.their_id != other.their_id


@pytest.mark.parametrize(
    ("rcpt", "data", "error"),
    [
        ("451 later", None, Transient), ("550 nobody of this name", None, Rejected), (None, "452 full", Transient),
        (None, "554 spam", Rejected), (None, "cut", InDoubt),
    ],
)  # fmt: skip
async def test_every_answer_of_the_server_has_its_consequence(postman, rcpt, data, error):
    postman.on_rcpt, postman.on_data = rcpt, data
    async with mail(postman.host) as connector:
        with pytest.raises(error) as caught:
            await send(connector)
    assert type(caught.value) is error
    assert postman.mails == []


async def test_before_the_text_it_is_passing_afterwards_it_is_a_doubt(postman):
    async with mail(f"127.0.0.1:{_free_port()}") as connector:
        with pytest.raises(Transient):
            await send(connector)

    listener = socket.create_server(("127.0.0.1", 0))
    answers = [b"220 hi\r\n", b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n"]

    def talk() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.sendall(answers[0])
            for answer in answers[1:]:
                peer.recv(4096)
                peer.sendall(answer)
            while not peer.recv(65536).endswith(b"\r\n.\r\n"):
                pass

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    async with mail(f"127.0.0.1:{listener.getsockname()[1]}") as connector:
        with pytest.raises(InDoubt, match="did not confirm"):
            await send(connector)
    thread.join(5)
    listener.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"to": "nobody"}, "not a mail address"),
        ({"to": "a@b.example\r\nBcc: spy@evil.example"}, "mail"),
        ({"subject": "x\nBcc: spy@evil.example"}, "written as a mail"),
        ({"to": ""}, "mail address"),
    ],
)
async def test_a_notice_that_is_no_mail_is_invalid(postman, change, said):
    async with mail(postman.host) as connector:
        with pytest.raises(Invalid, match=said):
            await send(connector, {**NOTICE, **change})
        with pytest.raises(Invalid, match="has no subject"):
            await send(connector, {"to": "a@b.example"})
    assert postman.mails == []


async def test_what_a_mail_server_cannot_do_is_said(postman):
    async with mail(postman.host) as connector:
        with pytest.raises(Misconfigured, match="cannot find"):
            await connector.find("notice", "N-1")
        with pytest.raises(Misconfigured, match="cannot be asked"):
            connector.changes("notice")
        with pytest.raises(Misconfigured, match="cannot cancel"):
            await connector.send("notice", "cancel", NOTICE, reference="N", key="k")
    with pytest.raises(Misconfigured, match="from_email"):
        mail(postman.host, from_email="")
    async with mail(postman.host, disable_tls=False) as connector:
        with pytest.raises(Misconfigured, match="STARTTLS"):
            await send(connector)


@pytest.mark.parametrize(
    ("desks", "expected"),
    [({"sales": "sales@huadong.example"}, "sales@huadong.example"), ({}, "orders@huadong.example")],
)
async def test_a_desk_of_our_own_has_its_address_in_the_connection(postman, desks, expected):
    async with mail(postman.host, desks=desks) as connector:
        await send(connector, {**NOTICE, "to": "desk:sales"})
        with pytest.raises(Invalid, match="not a mail address"):
            await send(connector, {**NOTICE, "to": "sales"})
    [raw] = postman.mails
    assert message_from_bytes(raw, policy=default)["To"] == expected


class Doorkeeper:
    """A mail server that asks for a password, and counts who knocks."""

    def __init__(self) -> None:
        self.tried, self.good = 0, "right"

    def __call__(self, server, session, envelope, mechanism, told):
        self.tried += 1
        return AuthResult(success=told.password.decode() == self.good, handled=False)


@pytest.fixture
def door():
    postman, door = Postman(), Doorkeeper()
    controller = Controller(
        postman, hostname="127.0.0.1", port=_free_port(), authenticator=door, auth_require_tls=False
    )
    controller.start()
    door.host, door.mails = f"127.0.0.1:{controller.port}", postman.mails
    yield door
    controller.stop()


class Kept:
    """A shelf in memory."""

    def __init__(self) -> None:
        self.kept, self.lock = {}, asyncio.Lock()

    def take(self, connection):
        return self.kept.get(connection.password)

    def put(self, connection, values, until):
        self.kept[connection.password] = (values, until)

    def alone(self, connection):
        return self.lock


@pytest.mark.parametrize("shared", [True, False])
async def test_a_wrong_password_is_tried_once_a_minute_however_many_letters_wait(door, shared):
    now, shelf = [datetime(2026, 11, 23, 8, tzinfo=UTC)], Kept()
    extra = {"from_email": "orders@huadong.example", "disable_tls": True, "disable_ssl": True}

    def opened(password):
        connection = Connection("mail", door.host, "hub", password, extra)
        return open_connector("smtp", "mail", connection, clock=lambda: now[0], shelf=shelf if shared else None)

    one = opened("wrong")
    others = [opened("wrong") for _ in range(5)] if shared else []
    for minute in range(1, 4):
        told = await asyncio.gather(*(send(c) for c in [one] * 5 + others), return_exceptions=True)
        assert {type(error) for error in told} == {Misconfigured}
        assert door.tried == minute
        now[0] += timedelta(seconds=60)
    await asyncio.gather(*(send(opened("right")) for _ in range(5)))
    assert len(door.mails) == 5, "another password is tried at once"
