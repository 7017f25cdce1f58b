"""A mail server that delivers nothing: every mail becomes a file a person can read.

python -m throughline.local_platform.mail_sink PORT DIRECTORY
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope


class MailFolder:
    """Writes each mail under its Message-ID, so that the same mail sent twice is seen as two files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.directory.mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep the mail, then say it is accepted."""
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        identity = str(message_from_bytes(content, policy=policy.default).get("Message-ID", "no-id"))
        name = f"{time.time_ns()}-{re.sub(r'[^A-Za-z0-9@._-]+', '_', identity)[:120]}.eml"
        draft = self.directory / f".{name}"
        draft.write_bytes(content)
        draft.rename(self.directory / name)
        return "250 Message accepted"


async def serve(port: int, directory: Path) -> None:
    """Accept mail on loopback until ended."""
    folder = MailFolder(directory)
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(folder, hostname="mail.plant.example", enable_SMTPUTF8=True), "127.0.0.1", port
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
