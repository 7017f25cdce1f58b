"""Logins that outlive a task: systems count logins (Fxiaoke allows ten a minute), and every task is its own process.

What a login left us is kept beside Airflow's other state on this machine, encrypted with the key that protects its
connections, under a name that changes with the connection's address and secret. A login that is refused is made anew
and kept in turn, so a stale file costs one call.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from throughline.connectors.contract import Connection
from throughline.secrecy import shared as masker


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


def shelf_of_this_machine() -> Shelf | None:
    """The shelf beside Airflow's other state; None where Airflow has no key to encrypt with."""
    from airflow.sdk.configuration import conf

    key = str(conf.get("core", "fernet_key", fallback="") or "").split(",")[0]
    home = os.environ.get("AIRFLOW_HOME")
    return Shelf(Path(home) / "throughline-logins", key.encode()) if key and home else None
