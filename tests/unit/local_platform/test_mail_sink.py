"""A mail sent to the sink is a file somebody can read."""

from __future__ import annotations

import smtplib
import subprocess
import sys
import time
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from throughline.local_platform.ports import is_free
from throughline.local_platform.readiness import listens


def a_port() -> int:
    return next(port for port in range(28900, 29900) if is_free(port))


def test_a_mail_becomes_a_file(tmp_path: Path) -> None:
    port = a_port()
    command = [sys.executable, "-m", "throughline.local_platform.mail_sink", str(port), str(tmp_path / "mail")]
    with subprocess.Popen(command) as sink:
        try:
            deadline = time.monotonic() + 20
            while not listens(port)():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            mail = EmailMessage()
            mail["From"], mail["To"], mail["Subject"] = "hub@plant.example", "buyer@customer.example", "发货通知 SO-1"
            mail["Message-ID"] = "<effect/1@throughline>"
            mail.set_content("您的订单已发货")
            with smtplib.SMTP("127.0.0.1", port) as client:
                client.send_message(mail)
            (file,) = (tmp_path / "mail").glob("*.eml")
            kept = message_from_bytes(file.read_bytes(), policy=policy.default)
            assert kept["Subject"] == "发货通知 SO-1"
            assert "effect_1@throughline" in file.name
        finally:
            sink.terminate()
