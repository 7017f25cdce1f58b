"""The name of an effect: the same wish always has the same name, whoever tries, however often, in whatever run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

INCARNATION = "1"
"""Counts re-use of a number by its source; sources here do not re-use numbers."""


@dataclass(frozen=True)
class Effect:
    """Everything that makes an effect this one and no other; never a try, a run or a moment."""

    flow: str
    step: str
    target: str
    operation: str
    document: str
    item: str
    source_system: str
    source_id: str
    source_revision: str
    incarnation: str = INCARNATION

    @property
    def key(self) -> str:
        """SHA-256 over the parts, each with its length before it so that no two wishes run together."""
        digest = hashlib.sha256()
        for part in vars(self).values():
            encoded = part.encode()
            digest.update(f"{len(encoded)}:".encode() + encoded)
        return digest.hexdigest()
