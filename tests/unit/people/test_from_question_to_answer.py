"""From a question to an answer over real sockets: asked, told by mail with a link, the link pressed, the end told."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import socket
import threading
import time
from email import message_from_bytes
from email.policy import default

import httpx
import pytest
import uvicorn
from aiosmtpd.controller import Controller

from tests.unit.mapping.conftest import OWNERS, PRODUCTS, ROOT, ZONES, Everybody
from tests.unit.people.company import ask
from throughline.connectors.contract import Connection
from throughline.connectors.registry import open_connector
from throughline.mapping import Codes, Translator, load_tables
from throughline.people.links import Links
from throughline.people.telling import Teller
from throughline.process.posting import ConnectorPost
from throughline.receiver.answers import AnswerDoors
from throughline.receiver.application import create_app
from throughline.receiver.people_doors import PeopleDoor


class Letterbox:
    """Keeps mails; `silent` takes the next text and never confirms it."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str, str]] = []
        self.silent = False

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        mail = message_from_bytes(envelope.content, policy=default)
        self.mails.append((envelope.rcpt_tos[0], str(mail["Subject"]), mail.get_content()))
        if self.silent:
            self.silent = False
            await asyncio.sleep(0)
            server.transport.abort()
        return "250 taken"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def letterbox():
    box = Letterbox()
    port = free_port()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    box.host = f"127.0.0.1:{port}"
    yield box
    controller.stop()


@pytest.fixture
def post(letterbox):
    codes = Codes.load(ROOT / "include" / "codes")
    translator = Translator(load_tables(PRODUCTS, codes), codes, OWNERS, Everybody(), zones=ZONES)
    extra = {"from_email": "hub@x.example", "disable_tls": True}
    connection = Connection("mail", letterbox.host, extra=extra)
    return ConnectorPost({"mail": "smtp"}, translator, lambda role: open_connector("smtp", role, connection))


@pytest.fixture
def hub(ledger, desk, clock):
    """The receiver's address, and the signer of its links."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    address, numbers = f"http://127.0.0.1:{listener.getsockname()[1]}", itertools.count(1)
    links = Links(address, ["k" * 40], nonce=lambda: f"nonce-{next(numbers)}")
    tokens = {"wang": hashlib.sha256(b"t" * 24).digest()}
    doors = AnswerDoors(ledger, PeopleDoor(lambda: desk, links, tokens), clock)
    server = uvicorn.Server(uvicorn.Config(create_app(ledger, {}, clock=clock, people=doors), log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    yield links
    server.should_exit = server.force_exit = True
    thread.join(5)


def test_asked_told_pressed_and_the_requester_hears(ledger, books, desk, post, letterbox, hub):
    question = ask(amount="900.00")
    with books() as open_books:
        desk.open(open_books, [question])
    teller = Teller(ledger, desk, post, hub)
    assert teller.tell().sent == 1
    [(to, subject, text)] = letterbox.mails
    assert (to, subject) == ("wang@x.example", "【贯通】新任务:1 项待办 · 是否订购?")
    assert "900.00 CNY" in text
    link = next(word for word in text.split() if word.startswith("http"))
    assert httpx.get(link).status_code == 200
    pressed = httpx.post(link.partition("?")[0], data={"t": link.partition("t=")[2], "verdict": "approved"})
    assert pressed.status_code == 200
    with books() as open_books:
        assert desk.verdicts(open_books, [question])[question.key].state == "approved"
    assert teller.tell().sent == 1
    assert letterbox.mails[1][0] == "chen@x.example"
    assert "已批准" in letterbox.mails[1][2]
    with books() as open_books:
        desk.open(open_books, [question])  # the step is replayed
    assert teller.tell().sent == 0
    assert len(letterbox.mails) == 2


def test_a_mail_whose_end_is_unknown_is_never_sent_again(ledger, books, desk, post, letterbox, clock):
    """F37: the server dies after DATA."""
    with books() as open_books:
        desk.open(open_books, [ask()])
    letterbox.silent = True
    teller = Teller(ledger, desk, post)
    assert teller.tell().in_doubt == 1
    for _ in range(5):
        clock.pass_(hours=1)
        assert teller.tell().sent == 0
    assert len(letterbox.mails) == 1
