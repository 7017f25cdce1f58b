"""Text as systems spell it: numbers and codes exactly, people's words without their outer blanks."""

from __future__ import annotations

import re
from typing import Any

from throughline.mapping.complaints import ABSENT, Complaint

_FULL_WIDTH = re.compile("[\uff01-\uff5e\u3000]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BROKEN = re.compile("\ufffd|锟斤拷|烫烫烫")


def read_text(raw: Any) -> str:
    """Text that must be exact (numbers, codes, ids): nothing around it, nothing invisible in it, leading zeros kept."""
    if raw.__class__ is not str:
        raise Complaint("is not text", raw)
    if raw.isascii() and raw.isprintable() and raw[0] != " " and raw[-1] != " ":
        return str(raw)
    sound(raw)
    if raw != raw.strip():
        raise Complaint("has blanks before or after it", raw)
    if _FULL_WIDTH.search(raw):
        raise Complaint("has full-width letters, digits or signs: write them half-width", raw)
    if not raw.isprintable():
        raise Complaint("has invisible characters in it", raw)
    return str(raw)


def read_trimmed(raw: Any) -> Any:
    """Text as people type it: the blanks around it are dropped, everything else is kept."""
    if raw.__class__ is not str:
        raise Complaint("is not text", raw)
    text = raw.strip()
    if not (text.isascii() and text.isprintable()):
        sound(text)
    return text or ABSENT


def read_line(raw: Any) -> Any:
    """One line of text as people type it: a name, a subject, an address; a line break in it is refused."""
    text = read_trimmed(raw)
    return text if text is ABSENT else one_line(text)


def write_line(text: str) -> str:
    """Our own text as one line."""
    return one_line(sound(text))


def one_line(text: str) -> str:
    """The text, if it is a single line."""
    if len(text.splitlines()) > 1:
        raise Complaint("has a line break in it", text)
    return text


def read_upper(raw: Any) -> Any:
    """A code whose capitals do not matter on their side."""
    text = read_trimmed(raw)
    return text if text is ABSENT else read_text(text.upper())


def read_first(raw: Any) -> Any:
    """The only entry of a list; more than one is refused rather than dropped."""
    if raw.__class__ is not list:
        raise Complaint("is not a list", raw)
    if len(raw) > 1:
        raise Complaint("has more than one entry where one is expected", raw)
    return read_text(raw[0]) if raw and raw[0] not in (None, "") else ABSENT


def within(text: str, limit: int | None) -> str:
    """The text, if the target has room for it; it is never cut."""
    if limit is not None and len(text) > limit:
        raise Complaint(f"has {len(text)} characters and there is room for {limit}", text)
    return text


def sound(text: str) -> str:
    """Refuse text that a wrong encoding has already destroyed, and characters no database keeps."""
    if _SURROGATE.search(text) or _BROKEN.search(text):
        raise Complaint("was broken by a wrong character encoding before it came here", text)
    if _CONTROL.search(text):
        raise Complaint("has control characters in it", text)
    return text
