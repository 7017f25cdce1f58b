"""Logins that outlive a task: systems count logins (Fxiaoke allows ten a minute), and every task is its own process.

What a login left us is kept beside Airflow's other state on this machine, encrypted with the key that protects its
connections, under a name that changes with the connection's address and secret. A login that is refused is made anew
and kept in turn, so a stale file costs one call. Who has to log in does so alone on this machine, so that a wrong
password is tried once, however many tasks want in at the same moment.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from throughline.connectors.contract import Connection
from throughline.secrecy import shared as masker

LONGEST_LOGIN = 60.0
"""Seconds after which whoever holds the lock is taken for frozen."""


class Shelf:
    """Encrypted files, one per connection (a `LoginShelf` of the connectors)."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._fernet = Fernet(key)

    def path(self, connection: Connection) -> Path:
        """Where the login of this address and secret lies."""
        told = json.dumps(asdict(connection), sort_keys=True, default=str)
        return self._folder / f"{connection.name}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"

    def take(self, connection: Connection) -> tuple[dict[str, Any], datetime] | None:
        """The values kept and until when they are good, if there are any that can be read."""
        try:
            text = self._fernet.decrypt(self.path(connection).read_bytes())
            kept = json.loads(text)
            values, until = dict(kept["values"]), datetime.fromisoformat(kept["until"])
        except (OSError, InvalidToken, ValueError, KeyError, TypeError):
            return None
        masker.learn(*(value for value in values.values() if isinstance(value, str)))
        return values, until

    @asynccontextmanager
    async def alone(self, connection: Connection) -> AsyncIterator[None]:
        """One login at a time on this machine; who waited longer than a login can last does not wait on."""
        held = self._lock_file(connection)
        try:
            await _locked(held)
            yield
        finally:
            if held is not None:
                os.close(held)  # which gives the lock back, as the end of the process would

    def _lock_file(self, connection: Connection) -> int | None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self.path(connection).with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return None  # a shelf that cannot be written stops nobody

    def put(self, connection: Connection, values: dict[str, Any], until: datetime) -> None:
        """Keep a login, whole or not at all; that it cannot be written is no reason to stop."""
        try:
            text = json.dumps({"values": values, "until": until.isoformat()}).encode()
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self._folder / f".{os.getpid()}-{os.urandom(4).hex()}"
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(self._fernet.encrypt(text))
            draft.replace(self.path(connection))
        except (OSError, TypeError, ValueError):
            return


async def _locked(file: int | None) -> None:
    """Take the lock on an open file, looking again and again so that the event loop goes on."""
    deadline = time.monotonic() + LONGEST_LOGIN
    while file is not None and time.monotonic() < deadline:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(0.05)
        else:
            return


def shelf_of_this_machine() -> Shelf | None:
    """The shelf beside Airflow's other state; None where Airflow has no key to encrypt with."""
    from airflow.sdk.configuration import conf

    key = str(conf.get("core", "fernet_key", fallback="") or "").split(",")[0]
    home = os.environ.get("AIRFLOW_HOME")
    return Shelf(Path(home) / "throughline-logins", key.encode()) if key and home else None
