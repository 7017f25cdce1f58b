"""Finds a value inside an answer by a dotted path (`data.list.0.id`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final


class _Missing:
    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "(missing)"


MISSING: Final = _Missing()
"""Nothing is there; other than None, which is something an answer can say."""

Reader = Callable[[Any], Any]


def compile_path(path: str) -> Reader:
    """A function that reads this path, giving MISSING where it ends too early; `.` is the whole value."""
    steps: tuple[str, ...] = tuple(step for step in path.split(".") if step)
    if not steps:
        return lambda value: value
    if len(steps) == 1:
        only = steps[0]
        return lambda value: _step(value, only)

    def read(value: Any) -> Any:
        for step in steps:
            value = _step(value, step)
            if value is MISSING:
                return MISSING
        return value

    return read


def _step(value: Any, step: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(step, MISSING)
    if isinstance(value, (list, tuple)) and step.lstrip("-").isdigit():
        index = int(step)
        return value[index] if -len(value) <= index < len(value) else MISSING
    return MISSING
