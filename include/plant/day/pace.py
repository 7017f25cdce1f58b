"""How fast the plant's people work, and which orders go less than smoothly; repeatable for a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Pace:
    """Times in seconds of plant time (divided by `speed`) and shares of orders between 0 and 1."""

    speed: float = 60
    seed: int = 1
    produce_seconds: float = 100
    next_part_seconds: float = 60
    receive_seconds: float = 50
    ship_seconds: float = 50
    patience_seconds: float = 900
    split_production: float = 0.4
    scrap: float = 0.15
    split_shipment: float = 0.3

    @classmethod
    def told(cls, told: Mapping[str, Any], speed: float) -> Pace:
        """From a config file's `pace`; an unknown name is an error."""
        unknown = set(told) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"pace has no {', '.join(sorted(unknown))}; see include/plant/day/pace.py")
        return cls(**{**told, "speed": speed})

    def happens(self, share: float, what: str, number: str) -> bool:
        """Whether something happens to a document; always the same answer for the same seed."""
        draw = random.Random(f"{self.seed}/{what}/{number}").random()  # noqa: S311 - repeatable, not secret
        return draw < share


class Timers:
    """Remembers since when each thing waits in its present state."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, ...], float] = {}
        self._met: set[tuple[str, ...]] = set()

    def waited(self, now: float, *state: str) -> float:
        """For how many seconds this state has been seen, 0 at first sight."""
        self._met.add(state)
        return now - self._since.setdefault(state, now)

    def forget_the_rest(self) -> None:
        """Drop what was not asked for since the last time: it has moved on."""
        self._since = {state: since for state, since in self._since.items() if state in self._met}
        self._met = set()
