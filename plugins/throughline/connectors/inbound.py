"""What a product's `inbound.py` offers the receiver (verify, identify, answer) and the engine's intake (parse)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from throughline.connectors.contract import Captured, Connection
from throughline.errors import Rejected


class NotSigned(Rejected):
    """A message that the system it claims to come from did not send, or not just now."""


class Inbound(Protocol):
    """How one product's messages to us are checked, told apart, answered and read."""

    def verify(
        self, connection: Connection, headers: Mapping[str, str], body: bytes, query: Mapping[str, str], *,
        now: datetime,
    ) -> None:  # fmt: skip
        """Nothing when the message is genuine; `NotSigned` or `Invalid` otherwise."""
        ...

    def identify(self, headers: Mapping[str, str], body: bytes, query: Mapping[str, str]) -> tuple[str, str]:
        """The kind of the message, and an id that repeats exactly when the message does."""
        ...

    def accepted(self) -> tuple[str, bytes]:
        """Content type and body of the answer: we have it."""
        ...

    def refused(self, reason: str) -> tuple[str, bytes]:
        """Content type and body of the answer: we do not have it."""
        ...

    def parse(self, message_kind: str, body: bytes) -> list[Captured]:
        """The documents of a stored message."""
        ...
