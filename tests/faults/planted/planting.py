"""Putting a bug in and taking it out again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from throughline.connectors.mechanisms.http import compiled

Swap = tuple[Any, str, Any]
"""Where, what, and by what it is replaced."""


@dataclass(frozen=True)
class Bug:
    """One mechanism broken."""

    name: str
    sentence: str
    swaps: Callable[[], list[Swap]]


def bug(sentence: str) -> Callable[[Callable[[], list[Swap]]], Bug]:
    """A function that lists the swaps of a bug, as that bug; its name is the function's."""
    return lambda swaps: Bug(swaps.__name__, sentence, swaps)


@contextmanager
def planted(one: Bug) -> Iterator[None]:
    """The hub with this bug in it."""
    before = []
    for where, what, by in one.swaps():
        before.append((where, what, vars(where)[what]))
        setattr(where, what, by)
    compiled._COMPILED.clear()
    try:
        yield
    finally:
        for where, what, was in reversed(before):
            setattr(where, what, was)
        compiled._COMPILED.clear()
