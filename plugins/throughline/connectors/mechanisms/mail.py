"""Carries a notice to a mail server. Before the text is sent a failure means: try again; afterwards nobody can say.

The Message-ID comes from the effect key, so a reader's mailbox can recognise a message that was sent twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import smtplib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Any

from throughline.connectors.contract import Carried, Connection, ObjectKind, Operation, Page
from throughline.connectors.mechanisms.http.logins import LoginShelf
from throughline.connectors.mechanisms.mail_login import MailLogin
from throughline.connectors.mechanisms.mail_profile import MailProfile
from throughline.errors import InDoubt, Invalid, Misconfigured, Rejected, ThroughlineError, Transient
from throughline.secrecy import shared


class MailConnector:
    """One mail server, as the rest of the hub sees it."""

    inbound = None

    def __init__(
        self, profile: MailProfile, role: str, connection: Connection, *, clock: Callable[[], datetime],
        shelf: LoginShelf | None = None,
    ) -> None:  # fmt: skip
        self.role = role
        self.product = profile.product
        self._profile = profile
        self._connection = connection
        self._clock = clock
        self._slots = asyncio.Semaphore(profile.limits.concurrency)
        self._where = f"connection {connection.name}"
        self._login = MailLogin(connection, clock, shelf)
        missing = [name for name in profile.requires if not connection.extra.get(name)]
        if missing:
            raise Misconfigured(f"its extra needs {', '.join(missing)}", where=self._where)
        shared.learn(connection.password)

    def objects(self) -> Mapping[str, ObjectKind]:
        """What can be sent by mail."""
        return {
            document: ObjectKind(
                document,
                operations={
                    name: Operation(name, operation.tier, operation.late_execution)
                    for name, operation in declared.operations.items()
                },
            )
            for document, declared in self._profile.objects.items()
        }

    def changes(
        self, document: str, cursor: Mapping[str, Any] | None = None, *, since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[Page]:  # fmt: skip
        """A mail server is only written to."""
        del cursor, since, until
        raise Misconfigured(f"{self.product} cannot be asked what changed in {document}", where=f"system {self.role}")

    async def find(self, document: str, reference: str) -> Carried | None:
        """A mail server cannot be asked what it took."""
        del reference
        raise Misconfigured(f"{self.product} cannot find a {document} by our reference", where=f"system {self.role}")

    async def send(
        self, document: str, operation: str, payload: Mapping[str, Any], *, reference: str, key: str,
    ) -> Carried:  # fmt: skip
        """Send one message once; never retries."""
        if operation not in self._profile.objects[document].operations if document in self._profile.objects else True:
            raise Misconfigured(f"{self.product} cannot {operation} a {document}", where=f"system {self.role}")
        message = self._message(payload, key)
        async with self._slots:
            await self._login.through(lambda: asyncio.to_thread(self._deliver, message))
        return Carried(str(message["Message-ID"]), reference)

    async def test(self) -> str:
        """Greet the server and log in."""
        async with self._slots:
            await asyncio.to_thread(self._greet)
        return f"{self._profile.title} answers at {self._connection.host} and lets us in"

    async def __aenter__(self) -> MailConnector:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Nothing is kept open between messages."""

    def _message(self, payload: Mapping[str, Any], key: str) -> EmailMessage:
        sender = str(self._connection.extra["from_email"])
        domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
        message = EmailMessage(policy=SMTP)
        try:
            message["From"] = sender
            message["To"] = self._address(str(payload["to"]), sender)
            message["Subject"] = str(payload["subject"])
            message["Message-ID"] = f"<{hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain}>"
            message["Date"] = format_datetime(self._clock())
            if payload.get("about"):
                message["X-Throughline-About"] = str(payload["about"])
            message.set_content(str(payload["text"]))
        except KeyError as missing:
            raise Invalid(f"the notice has no {missing.args[0]}", system=self.role, field=missing.args[0]) from None
        except ValueError as wrong:
            raise Invalid(f"the notice cannot be written as a mail: {wrong}", system=self.role) from None
        if not message["To"].addresses or any("@" not in to.addr_spec for to in message["To"].addresses):
            raise Invalid("the notice's recipient is not a mail address", system=self.role, field="to")
        return message

    def _address(self, recipient: str, sender: str) -> str:
        """A mail address; a desk of our own (`desk:sales`) has its address in the connection, or reads the sender's."""
        kind, _, desk = recipient.partition(":")
        return str((self._connection.extra.get("desks") or {}).get(desk) or sender) if kind == "desk" else recipient

    def _greet(self) -> None:
        self._before_data(lambda: self._open().quit())

    def _deliver(self, message: EmailMessage) -> None:
        server = self._before_data(self._open)
        try:
            self._before_data(lambda: self._announce(server, message))
            self._hand_over(server, message.as_bytes())
        finally:
            server.close()

    def _open(self) -> smtplib.SMTP:
        host, _, port = self._connection.host.removeprefix("smtp://").partition(":")
        extra, seconds = self._connection.extra, self._profile.limits.answer_seconds
        if not extra.get("disable_ssl", True):
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, int(port or 465), timeout=seconds, context=_context(extra))
        else:
            server = smtplib.SMTP(host, int(port or 25), timeout=seconds)
            server.ehlo()
            if not extra.get("disable_tls", False):
                server.starttls(context=_context(extra))
        if self._connection.login:
            _log_in(server, self._connection.login, self._connection.password)
        return server

    def _announce(self, server: smtplib.SMTP, message: EmailMessage) -> None:
        """Everything up to the point of no return: who sends, to whom, and may we now send the text."""
        server.ehlo_or_helo_if_needed()
        _expect(server.mail(parseaddr(message["From"])[1]), 250)
        for recipient in message["To"].addresses:
            _expect(server.rcpt(recipient.addr_spec), 250, 251)
        _expect(server.docmd("DATA"), 354)

    def _hand_over(self, server: smtplib.SMTP, text: bytes) -> None:
        """The text and the server's word for it; silence from here on is a doubt."""
        try:
            server.send(_dotted(text))
            code, said = server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            name = type(error).__name__
            raise InDoubt(
                f"{self.role} took the text of a mail but did not confirm it ({name})", system=self.role, code=name
            ) from None
        if code != 250:
            raise self._refusal(code, said)
        try:
            server.quit()
        except (OSError, smtplib.SMTPException):
            return  # it has the message already; how it says goodbye does not matter

    def _before_data(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except smtplib.SMTPAuthenticationError as error:
            raise Misconfigured(
                f"{self.role} does not let us log in ({error.smtp_code}): check login and password", where=self._where,
                system=self.role,
            ) from None  # fmt: skip
        except smtplib.SMTPNotSupportedError as error:
            raise Misconfigured(
                f"{self.role} cannot do what this connection wants: {error}", where=self._where
            ) from None
        except smtplib.SMTPResponseException as error:
            raise self._refusal(error.smtp_code, error.smtp_error) from None
        except (OSError, smtplib.SMTPException) as error:
            name = type(error).__name__
            raise Transient(f"{self.role} could not be reached ({name})", system=self.role, code=name) from None

    def _refusal(self, code: int, said: bytes | str) -> ThroughlineError:
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        text = shared.text(text[:300])
        if 400 <= code < 500:
            return Transient(f"{self.role} did not take the mail just now: {text}", system=self.role, code=str(code))
        return Rejected(f"{self.role} refused the mail: {text}", system=self.role, code=str(code))


def _log_in(server: smtplib.SMTP, login: str, password: str) -> None:
    """Say who we are once: the library's own login repeats a wrong password in every way the server offers."""
    server.ehlo_or_helo_if_needed()
    offered = str(server.esmtp_features.get("auth", "")).upper().split()
    ways: dict[str, Any] = {"PLAIN": server.auth_plain, "LOGIN": server.auth_login, "CRAM-MD5": server.auth_cram_md5}
    known = next((way for way in ways if way in offered), None)
    if known is None:
        raise smtplib.SMTPNotSupportedError("it offers no way to log in that we know")
    server.user, server.password = login, password
    server.auth(known, ways[known])


def _context(extra: Mapping[str, Any]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=extra.get("ca_file"))


def _expect(answer: tuple[int, bytes], *wanted: int) -> None:
    if answer[0] not in wanted:
        raise smtplib.SMTPResponseException(*answer)


def _dotted(text: bytes) -> bytes:
    """The text as SMTP wants it: a line that begins with a dot gets another, and a lone dot ends it all."""
    lines = text.removesuffix(b"\r\n").split(b"\r\n")
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines) + b"\r\n.\r\n"
