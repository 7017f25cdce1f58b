"""Keeps secrets out of whatever is written down: logs, error details, messages.

A `Masker` knows the secret values it was told about, in every spelling they travel in (plain, URL-encoded, base64,
JSON-escaped), and besides that hides whatever sits under a name that looks like a secret.
"""

from __future__ import annotations

import base64
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "•••"

_NAMED_SO = (
    r"(?:[\w.-]*(?:password|passwd|secret|token|credential|permanent_?code|private_?key|api_?key|app_?key)[\w.-]*"
    r"|(?:proxy-)?authorization|(?:set-)?cookie|sign|signature|pwd)"
)
_SECRET_KEY = re.compile(rf"^{_NAMED_SO}$", re.IGNORECASE)
_SECRET_PAIR = re.compile(
    rf"""(?P<name>["']?\b{_NAMED_SO}["']?\s*[:=]\s*)"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|(?:(?:Bearer|Basic|Session)\s+)?[^\s&,;}"']+)""",
    re.IGNORECASE,
)
_SHORTEST = 4
_REMEMBERED = 2000


def _spellings(secret: str) -> set[str]:
    raw = secret.encode()
    plain = {secret, *(line for line in secret.splitlines() if len(line) >= 2 * _SHORTEST)}
    spelled = {quote(secret, safe=""), quote(secret), quote_plus(secret), json.dumps(secret)[1:-1]}
    spelled |= {json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    spelled |= {base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    return {text for text in plain | spelled if len(text) >= _SHORTEST}


class Masker:
    """Replaces every known secret, and everything named like one, by three dots."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()
        self.learn(*secrets)

    def learn(self, *secrets: str | None) -> None:
        """Remember these values as secret from now on (the newest two thousand spellings are kept)."""
        for secret in secrets:
            for spelling in _spellings(secret) if secret else ():
                self._known[spelling] = None
                self._known.move_to_end(spelling)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def text(self, text: str) -> str:
        """The text without its secrets."""
        for spelling in sorted(self._known, key=len, reverse=True):
            if spelling in text:
                text = text.replace(spelling, HIDDEN)
        return _SECRET_PAIR.sub(lambda pair: f"{pair['name']}{HIDDEN}", text)

    def details(self, value: Any) -> Any:
        """The same structure with secret values, and values under secret-looking keys, hidden."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes):
            return self.text(value.decode("utf-8", "replace"))
        if isinstance(value, Mapping):
            return {self.text(str(key)): self._entry(str(key), entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.details(entry) for entry in value]
        return value

    def _entry(self, key: str, value: Any) -> Any:
        return HIDDEN if _SECRET_KEY.match(key) and value not in (None, "") else self.details(value)


shared = Masker()
"""The masker of this process: whoever opens a connection teaches it that connection's secrets."""


class MaskingFilter(logging.Filter):
    """Takes secrets out of log records before any handler writes them."""

    def __init__(self, masker: Masker = shared) -> None:
        super().__init__()
        self._masker = masker

    def filter(self, record: logging.LogRecord) -> bool:
        """Always lets the record through, masked."""
        record.msg = self._masker.text(record.getMessage())
        record.args = None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._masker.text(record.exc_text)
        return True
