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
from throughline.connectors.mechanisms.http.credentials import Kept
from throughline.connectors.mechanisms.http.logins import Login
from throughline.connectors.mechanisms.http.outgoing import Outgoing
from throughline.secrecy import shared as masker


class Shelf:
    """Encrypted files, one per connection."""

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


class ShelvedLogin:
    """A login that looks on the shelf before it logs in, and puts there what it got."""

    def __init__(self, login: Login, shelf: Shelf, connection: Connection) -> None:
        self._login, self._shelf, self._connection = login, shelf, connection
        self._looked = False
        self._kept_generation = 0

    async def ready(self) -> Kept:
        """The kept login, or a new one."""
        if not self._looked:
            self._looked = True
            self._adopt()
        return self._keep(await self._login.ready())

    async def renew(self, refused: Kept) -> Kept | None:
        """A new login instead of a refused one."""
        kept = await self._login.renew(refused)
        return self._keep(kept) if kept else None

    def hold(self) -> None:
        """Do not log in again for a while."""
        self._login.hold()

    def put(self, outgoing: Outgoing, kept: Kept) -> None:
        """Add who we are to a request."""
        self._login.put(outgoing, kept)

    def _adopt(self) -> None:
        found = self._shelf.take(self._connection)
        if found:
            values, until = found
            self._login._kept, self._login._until = Kept(0, values), until

    def _keep(self, kept: Kept) -> Kept:
        if kept.generation > self._kept_generation:
            self._kept_generation = kept.generation
            self._shelf.put(self._connection, kept.values, self._login._until)
        return kept


def keep_logins(connector: Any, connection: Connection, shelf: Shelf | None) -> None:
    """Let a connector that logs in use the shelf; others are left as they are."""
    talk = getattr(connector, "_talk", None)
    if shelf is not None and talk is not None and isinstance(talk._credentials, Login):
        talk._credentials = ShelvedLogin(talk._credentials, shelf, connection)


def shelf_of_this_machine() -> Shelf | None:
    """The shelf beside Airflow's other state; None where Airflow has no key to encrypt with."""
    from airflow.sdk.configuration import conf

    key = str(conf.get("core", "fernet_key", fallback="") or "").split(",")[0]
    home = os.environ.get("AIRFLOW_HOME")
    return Shelf(Path(home) / "throughline-logins", key.encode()) if key and home else None
