"""What really happened, in order: told by the world and the targets, never by the hub; and how a person reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any


class History:
    """Entries `{t, who, what, …}`; `t` is seconds since the schedule began."""

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self.entries: list[dict[str, Any]] = []

    def note(self, who: str, what: str, **details: Any) -> None:
        self.entries.append({"t": round(self._time(), 4), "who": who, "what": what, **details})


def plain(value: Any) -> Any:
    """How an exact number is written in a history."""
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)


def as_text(entries: list[dict[str, Any]]) -> str:
    """One line an entry: when, who, what, and the rest as JSON."""
    lines = []
    for entry in entries:
        rest = {key: value for key, value in entry.items() if key not in ("t", "who", "what")}
        told = json.dumps(rest, ensure_ascii=False, sort_keys=True, default=plain) if rest else ""
        lines.append(f"{_clock(entry['t'])}  {entry['who']:<12} {entry['what']:<16} {told}".rstrip())
    return "\n".join(lines) + "\n"


def _clock(seconds: float) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{int(hours):02}:{int(minutes):02}:{rest:07.4f}"
