"""Real servers on free loopback ports for as long as a test run lasts, and a road that loses answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from aiosmtpd.controller import Controller

from tests.conftest import free_port
from throughline.local_platform.mail_sink import MailFolder


@contextmanager
def served(app: Any) -> Iterator[str]:
    """An application behind a real web server in a thread of its own; its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_keep_alive=300))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(5)


class MailBox:
    """The platform's own mail sink, and what lies in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def letters(self, about: str) -> list[EmailMessage]:
        """Every mail that names this number in its subject or text, in the order they came."""
        return [mail for mail in self._all() if about in f"{mail['Subject']} {_text(mail)}"]

    def _all(self) -> list[EmailMessage]:
        files = sorted(self.folder.glob("*.eml"))
        return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]


@contextmanager
def mail_server(folder: Path) -> Iterator[tuple[str, MailBox]]:
    """A mail server whose mails become files; its address."""
    port = free_port()
    controller = Controller(MailFolder(folder), hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    controller.start()
    try:
        yield f"127.0.0.1:{port}", MailBox(folder)
    finally:
        controller.stop()


class LossyRoad:
    """Stands between the hub and a system, passes everything on, and loses the answers it is told to lose."""

    def __init__(self, target: str) -> None:
        self._http = httpx.AsyncClient(base_url=target, timeout=60, trust_env=False)
        self._losing: list[tuple[bytes, ...]] = []
        self.lost: list[str] = []

    def lose_answer_to(self, *words: str) -> None:
        """The next call whose body holds all these words is carried out, and nobody hears of it."""
        self._losing.append(tuple(word.encode() for word in words))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass one call on (an ASGI application)."""
        if scope["type"] != "http":
            return
        body = await _body(receive)
        headers = [(name, value) for name, value in scope["headers"] if name not in (b"host", b"connection")]
        answer = await self._http.request(scope["method"], scope["path"], content=body, headers=headers)
        if self._loses(body):
            # the connection is cut without a word, as when the line dies after the server has committed
            send.__self__.transport.abort()
            return
        kept = [(n, v) for n, v in answer.headers.raw if n.lower() in (b"content-type", b"retry-after")]
        start = {"type": "http.response.start", "status": answer.status_code, "headers": kept}
        await send(start)
        await send({"type": "http.response.body", "body": answer.content})

    def _loses(self, body: bytes) -> bool:
        for words in self._losing:
            if all(word in body for word in words):
                self._losing.remove(words)
                self.lost.append(" ".join(word.decode() for word in words))
                return True
        return False


async def _body(receive: Any) -> bytes:
    body = b""
    while True:
        part = await receive()
        body += part.get("body", b"")
        if not part.get("more_body"):
            return body


def _text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part else ""
