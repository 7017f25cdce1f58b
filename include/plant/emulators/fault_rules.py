"""Which calls go wrong, how, and how often: the rules a test or a demo lays down beforehand."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

CALL_KINDS = frozenset(
    {"timeout_before", "timeout_after", "late", "error_5xx", "error_5xx_after", "rate_limited", "slow", "reset",
     "reset_after", "html_200"}
)  # fmt: skip
CALLBACK_KINDS = frozenset({"duplicate_callback", "bad_signature_callback", "malformed_callback"})


@dataclass
class FaultRule:
    """One kind of trouble for the calls it matches.

    `times` is how often it strikes (null: until it is taken away), `skip` how many matching calls pass first, `share`
    the part of the matching calls it strikes, drawn from `seed`.
    """

    kind: str
    match: dict[str, str] = field(default_factory=dict)
    times: int | None = 1
    skip: int = 0
    share: float = 1.0
    seed: int = 0
    seconds: float | None = None
    retry_after: float | None = None
    style: str = "http"
    status: int = 503
    copies: int = 1
    struck: int = 0

    def __post_init__(self) -> None:
        """Refuse a kind nobody would carry out."""
        if self.kind not in CALL_KINDS | CALLBACK_KINDS:
            raise ValueError(f"there is no fault {self.kind!r}; choose from {sorted(CALL_KINDS | CALLBACK_KINDS)}")
        # JSON fractions arrive as exact decimals; a pause is a float
        self.seconds = None if self.seconds is None else float(self.seconds)
        self.share = float(self.share)
        self._draw = random.Random(self.seed)  # noqa: S311 - repeatable, not secret

    def matches(self, path: str, operation: str, text: str) -> bool:
        """Whether a call is meant: part of its path, its operation (or a part of it), and some text of its body."""
        wanted = self.match.get("method", "")
        return (
            self.match.get("path", "") in path
            and (not wanted or any(fnmatchcase(name, wanted) for name in (operation, *operation.split("/"))))
            and self.match.get("contains", "") in text
        )

    def strikes(self) -> bool:
        """Whether it strikes this matching call; counts it when it does."""
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None and self.struck >= self.times:
            return False
        if self.share < 1 and self._draw.random() >= self.share:
            return False
        self.struck += 1
        return True


class FaultRules:
    """The rules in force, first match first."""

    def __init__(self) -> None:
        self._rules: list[FaultRule] = []

    def add(self, rules: list[Mapping[str, Any]]) -> None:
        """Lay down more rules; nothing is added when one of them is wrong."""
        try:
            self._rules.extend([FaultRule(**rule) for rule in rules])
        except TypeError as wrong:
            raise ValueError(f"a rule has a field nobody knows: {wrong}") from None

    def clear(self) -> None:
        """Take all rules away."""
        self._rules.clear()

    def listed(self) -> list[dict[str, Any]]:
        """The rules and how often each struck."""
        return [asdict(rule) for rule in self._rules]

    def take(self, path: str, operation: str, text: bytes, kinds: frozenset[str] = CALL_KINDS) -> FaultRule | None:
        """The rule that strikes this call, if any."""
        if not self._rules:
            return None
        body = text.decode("utf-8", "replace")
        for rule in self._rules:
            if rule.kind in kinds and rule.matches(path, operation, body) and rule.strikes():
                return rule
        return None
