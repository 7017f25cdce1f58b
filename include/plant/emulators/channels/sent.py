"""What all channels share: they keep every message they took, refuse what is unsigned, and count the last minute."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from include.plant.emulators.calls import Answer, Call, Refused
from include.plant.emulators.document_store import DocumentStore
from include.plant.emulators.seed import Seed
from include.plant.emulators.settings import Settings

MESSAGE = "message"
_MINUTE = 60_000
_HOUR = 3_600_000


class Channel:
    """One robot or gateway: a subclass says how it is signed and what it answers."""

    limit = 20
    """messages in any minute"""

    def __init__(self, settings: Settings, store: DocumentStore) -> None:
        self.settings, self.store = settings, store

    def operation(self, call: Call) -> str:
        """Everything is a sending, whatever becomes of it."""
        return "send" if "send" in call.path or "hook" in call.path else "other"

    def answer(self, call: Call) -> Answer:
        """Take a message, or say no in the vendor's words."""
        try:
            with self.store.transaction():
                return self.take(call)
        except Refused as no:
            return self.refusal(no)

    def take(self, call: Call) -> Answer:
        """Check and keep one message."""
        raise NotImplementedError

    def refusal(self, no: Refused) -> Answer:
        """The vendor's way of saying no; these two agree on the names."""
        return Answer({"errcode": no.code, "errmsg": no.message})

    def throttled(self) -> Answer:
        """The vendor's way of saying: too many."""
        return self.refusal(self.too_many())

    def too_many(self) -> Refused:
        """The vendor's code for too many messages."""
        raise NotImplementedError

    def keep(self, body: Mapping[str, Any], *, to: str = "") -> str:
        """Keep a message that passed every check, unless there were too many in the last minute."""
        if self.sent_since(_MINUTE) >= self.limit:
            raise self.too_many()
        number = f"M{self.store.next_number(MESSAGE):08d}"
        self.store.insert(MESSAGE, number, body, number=number, parent=to)
        return number

    def sent_since(self, milliseconds: int, to: str | None = None) -> int:
        """How many messages (to somebody) were taken within the last so many milliseconds."""
        since = self.store.clock() - milliseconds
        if to is None:
            return self.store.count(MESSAGE, "created > ?", [since])
        return self.store.count(MESSAGE, "created > ? AND parent = ?", [since, to])

    def in_time(self, moment: str, per_second: int = 1) -> bool:
        """Whether a stamp in seconds (or parts of them) is within an hour of now."""
        if not moment.isascii() or not moment.isdecimal() or len(moment) > 16:
            return False
        return abs(int(moment) * (1000 // per_second) - self.store.clock()) <= _HOUR

    def act(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Nobody does anything by hand here."""
        raise Refused("unknown", f"nobody can {wish.get('do')!r} here")

    def plant_seed(self, seed: Seed) -> None:
        """There is no master data."""
        del seed


def same(one: str, other: str) -> bool:
    """Whether two secrets are the same, compared in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
