"""Which fault strikes which request: by seed and rates, or the next ones as somebody ordered; and what was done."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

HTTP_FAULTS = {
    "drop_request": "never passed on; nobody answers (a time-out before anything happened)",
    "drop_answer": "passed on and carried out; nobody answers (a time-out after the commit)",
    "late": "passed on only after a while, when the client may have given up; nobody answers",
    "cut_request": "half of the request is passed on, then both connections are cut",
    "cut_answer": "carried out; half of the answer comes back, then the connection is cut",
    "reset": "the connection is reset before anything is passed on",
    "reset_after": "carried out; the connection is reset instead of an answer",
    "too_many": "429 with Retry-After; not passed on",
    "error_500": "500; not passed on",
    "error_503": "503; not passed on",
    "error_502_after": "carried out; 502 comes back",
    "login_page": "200 with a page in HTML; not passed on",
    "unauthorized": "401, once for the same request; not passed on",
    "drip": "carried out; the answer comes back a few bytes at a time",
    "duplicate": "passed on twice, one after the other, as a line that delivers at least once does",
}
RAW_FAULTS = {
    "drop_request": "nothing the client says is passed on; nobody answers",
    "drop_answer": "all is passed on; when the message is complete, the connection dies instead of the last word",
    "cut_request": "the connection dies just before the message is complete",
    "cut_answer": "the connection dies after a few bytes from the server",
    "reset": "the connection is reset at once",
    "drip": "what the server says comes back a few bytes at a time",
}
"""For lines that are not HTTP; a message is complete where SMTP's DATA ends."""
ALL = "all"


@dataclass(frozen=True)
class Deed:
    """What happened to one request: `fault` is empty when nothing did; `passed` is how often the system got it."""

    number: int
    method: str
    path: str
    fault: str
    passed: int
    status: int | None


def read_rates(told: str | Mapping[str, Any], known: Iterable[str] = HTTP_FAULTS) -> dict[str, float]:
    """`drop_answer=0.02,late=0.01` or `all=0.01,duplicate=0` as rates by fault; ValueError names what is wrong."""
    known = tuple(known)
    pairs = told.items() if isinstance(told, Mapping) else (part.split("=", 1) for part in told.split(",") if part)
    rates: dict[str, float] = {}
    for name, rate in ((name.strip(), float(rate)) for name, rate in pairs):
        if name != ALL and name not in {*HTTP_FAULTS, *RAW_FAULTS}:
            raise ValueError(f"there is no fault {name!r}; choose from {ALL}, {', '.join(known)}")
        rates |= dict.fromkeys(known, rate) if name == ALL else {name: rate}
    rates = {name: rate for name, rate in rates.items() if name in known}
    if any(rate < 0 for rate in rates.values()) or sum(rates.values()) > 1:
        raise ValueError("each rate is from 0 to 1, and all of them together at most 1")
    return rates


class FaultPlan:
    """Chooses a fault for each request and remembers what was done; may be changed at any time from any thread."""

    def __init__(
        self, rates: str | Mapping[str, Any] = "", *, seed: int = 0, path: str = "", known: Iterable[str] = HTTP_FAULTS
    ) -> None:
        self.known = tuple(known)
        self.seed = seed
        self._randomness = Random(seed)  # noqa: S311 - the same seed makes the same trouble again
        self._ordered: list[tuple[str, str]] = []
        self._told_off: set[tuple[str, bytes]] = set()
        self.deeds: list[Deed] = []
        self.change(rates, path=path)

    def change(self, rates: str | Mapping[str, Any], *, path: str = "") -> None:
        """From now on these rates, on requests whose `METHOD /path body` the pattern `path` finds."""
        self.rates, self.path = read_rates(rates, self.known), path
        self._pattern = re.compile(path)

    def order(self, *faults: str, path: str = "") -> None:
        """The next requests that `path` finds get these faults, one each, before any rate is asked."""
        if unknown := set(faults) - set(self.known):
            raise ValueError(f"there is no fault {sorted(unknown)[0]!r}; choose from {', '.join(self.known)}")
        re.compile(path)
        self._ordered += [(fault, path) for fault in faults]

    @property
    def ordered(self) -> int:
        """How many orders are still open."""
        return len(self._ordered)

    def choose(self, place: str, body: bytes = b"") -> str:
        """The fault for this request, or an empty text. `place` is method and path, without the query."""
        about = f"{place} {body.decode('utf-8', 'replace')}"
        for order in self._ordered:
            if re.search(order[1], about):
                self._ordered.remove(order)
                return order[0]
        if not self._pattern.search(about):
            return ""
        return self._once(self._drawn(), place, body)

    def _drawn(self) -> str:
        drawn, upto = self._randomness.random(), 0.0
        for name, rate in self.rates.items():
            upto += rate
            if drawn < upto:
                return name
        return ""

    def _once(self, fault: str, place: str, body: bytes) -> str:
        if fault != "unauthorized":
            return fault
        if (place, body) in self._told_off:  # a new token is good: nobody refuses it again
            return ""
        self._told_off.add((place, body))
        return fault

    def note(self, method: str, path: str, fault: str, passed: int, status: int | None) -> None:
        """Write down what was done."""
        self.deeds.append(Deed(len(self.deeds) + 1, method, path, fault, passed, status))

    def counts(self) -> dict[str, int]:
        """How many requests there were, and how many of them met which fault."""
        return {"requests": len(self.deeds), **Counter(deed.fault for deed in self.deeds if deed.fault)}

    def log(self, after: int = 0) -> list[dict[str, Any]]:
        """What was done after the deed of this number."""
        return [asdict(deed) for deed in self.deeds[after:]]
