"""`FilterString`: text like `FDocumentStatus='C' AND FModifyDate >= '2025-09-11'`, or a list of conditions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from include.plant.emulators.calls import Refused

Row = dict[str, Any]
Condition = Callable[[Row], bool]
_TOKEN = re.compile(r"\s*(?:(\()|(\))|('(?:[^']|'')*')|([<>!=]+|\blike\b|\bin\b)|([\w.]+)|(,))", re.IGNORECASE)
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "=": lambda a, b: a == b, "<>": lambda a, b: a != b, "!=": lambda a, b: a != b,
    ">": lambda a, b: _rank(a) > _rank(b), ">=": lambda a, b: _rank(a) >= _rank(b),
    "<": lambda a, b: _rank(a) < _rank(b), "<=": lambda a, b: _rank(a) <= _rank(b),
    "like": lambda a, b: re.fullmatch(re.escape(b).replace("%", ".*"), a) is not None,
}  # fmt: skip


def condition(told: Any, known: Callable[[str], bool]) -> Condition:
    """Whether a row is wanted; `Refused` for what nobody understands."""
    text = told if isinstance(told, str) else " ".join(_as_text(told or []))
    if not text.strip():
        return lambda _: True
    parser = _Parser(_tokens(text), known)
    found = parser.either()
    if parser.left():
        raise Refused(500, f"FilterString 语法错误: {text}")
    return found


def _as_text(told: list[dict[str, Any]]) -> list[str]:
    parts = []
    for place, one in enumerate(told):
        value = str(one.get("Value", "")).replace("'", "''")
        logic = str(one.get("Logic") or "AND") if place + 1 < len(told) else ""
        parts.append(
            f"{one.get('Left') or ''} {one['FieldName']} {one['Compare']} '{value}' {one.get('Right') or ''} {logic}"
        )
    return parts


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise Refused(500, f"FilterString 语法错误: {text}")
        found.append(match.group().strip())
        at = match.end()
    return found


class _Parser:
    """AND binds closer than OR; parentheses as usual."""

    def __init__(self, tokens: list[str], known: Callable[[str], bool]) -> None:
        self._tokens, self._known = tokens, known

    def left(self) -> bool:
        return bool(self._tokens)

    def either(self) -> Condition:
        parts = [self._both()]
        while self._next("or"):
            parts.append(self._both())
        return lambda row: any(part(row) for part in parts)

    def _both(self) -> Condition:
        parts = [self._one()]
        while self._next("and"):
            parts.append(self._one())
        return lambda row: all(part(row) for part in parts)

    def _one(self) -> Condition:
        if self._next("("):
            inner = self.either()
            if not self._next(")"):
                raise Refused(500, "FilterString 缺少右括号")
            return inner
        field, compare, value = self._take(), self._take().lower(), self._take()
        if not self._known(field):
            raise Refused(500, f"字段 {field} 不存在")
        if compare not in _COMPARE:
            raise Refused(500, f"FilterString 不支持 {compare}")
        test, wanted = _COMPARE[compare], value.strip("'").replace("''", "'")
        return lambda row: test(_text(row.get(field)), wanted)

    def _next(self, word: str) -> bool:
        if self._tokens and self._tokens[0].lower() == word:
            self._tokens.pop(0)
            return True
        return False

    def _take(self) -> str:
        if not self._tokens:
            raise Refused(500, "FilterString 不完整")
        return self._tokens.pop(0)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _rank(text: str) -> tuple[int, int, str]:
    """Whole numbers by size, moments by their digits: a T or a blank between day and hour is the same."""
    return (0, int(text), "") if text.isdecimal() else (1, 0, text.replace("T", " "))
