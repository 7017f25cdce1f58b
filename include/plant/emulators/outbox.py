"""Messages that still have to be told to somebody: written with the event, kept until they are accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.plant.emulators import exact_json
from include.plant.emulators.document_store import DocumentStore

_SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, method TEXT, data TEXT, state TEXT,
  attempts INTEGER, due INTEGER, answer TEXT);
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (state, due);
"""


@dataclass(slots=True)
class Message:
    """One message and how often it was tried."""

    seq: int
    method: str
    data: str
    attempts: int


class Outbox:
    """The messages of one emulator, in its own file: a kill loses none of them."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        store.connection.executescript(_SCHEMA)

    def add(self, method: str, data: Mapping[str, Any]) -> None:
        """Put a message in, inside the transaction of the event it tells about."""
        self._store.connection.execute(
            "INSERT INTO outbox (method, data, state, attempts, due, answer) VALUES (?,?,'waiting',0,?,'')",
            (method, exact_json.dumps(data), self._store.clock()),
        )

    def due(self, limit: int) -> list[Message]:
        """Messages whose time has come, oldest first."""
        rows = self._store.connection.execute(
            "SELECT seq, method, data, attempts FROM outbox WHERE state='waiting' AND due<=? ORDER BY due, seq LIMIT ?",
            (self._store.clock(), limit),
        )
        return [Message(*row) for row in rows]

    def accepted(self, message: Message) -> None:
        """It was taken; it is not sent again."""
        self._store.connection.execute(
            "UPDATE outbox SET state='accepted', attempts=attempts+1 WHERE seq=?", (message.seq,)
        )

    def postpone(self, message: Message, pause_seconds: float, answer: str) -> None:
        """It was not taken; try again later."""
        self._store.connection.execute(
            "UPDATE outbox SET attempts=attempts+1, due=?, answer=? WHERE seq=?",
            (self._store.clock() + int(pause_seconds * 1000), answer[:300], message.seq),
        )

    def listed(self) -> list[dict[str, Any]]:
        """All messages, for counting."""
        rows = self._store.connection.execute("SELECT seq, method, state, attempts, answer FROM outbox ORDER BY seq")
        return [dict(zip(("seq", "method", "state", "attempts", "answer"), row, strict=True)) for row in rows]
