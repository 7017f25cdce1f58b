"""Conditions in CEL, a small total language: no loops without end, no side effects, no way out.

A condition sees `doc` (the item's document, or the subject), `subject` (as the process works by it), `told` (the
subject as its system tells it now, accepted or not), `item`, `verdict` (by step) and `steps` (by step: state, refused,
reason). Decimals appear as text: arithmetic is a rule's job.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import cel

from throughline.errors import Invalid

VARIABLES = frozenset({"doc", "subject", "told", "item", "verdict", "steps"})
_LONGEST = 2000
_BOUND = re.compile(r"\.(?:all|exists|exists_one|map|filter)\(\s*(\w+)\s*,")
FUNCTIONS = frozenset({"size", "contains", "startsWith", "endsWith", "matches", "string", "has"})


class Condition:
    """A compiled condition that remembers its text."""

    __slots__ = ("_program", "text", "variables")

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise ValueError(f"a condition is at most {_LONGEST} characters long: name a rule instead")
        try:
            self._program = cel.compile(text)
        except ValueError as error:
            raise ValueError(f"the condition does not compile: {' '.join(str(error).split())[:300]}") from error
        self.text = text
        named = set(self._program.variables())
        _refuse_strangers(named - set(_BOUND.findall(text)), VARIABLES)
        _refuse_strangers(
            {name for name in self._program.functions() if name.isidentifier() and name[0] != "_"}, FUNCTIONS
        )
        self.variables = frozenset(named & VARIABLES)

    def __repr__(self) -> str:
        return f"Condition({self.text!r})"

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether the condition is true of these facts; anything but a plain yes or no is an error."""
        try:
            verdict = self._program.execute({name: plain(facts.get(name)) for name in self.variables})
        except (RuntimeError, TypeError, ValueError, KeyError, ArithmeticError) as error:
            reason = " ".join(str(error).split())[:200]
            raise Invalid(f'the condition "{self.text}" cannot be decided: {reason}', code="condition") from error
        if not isinstance(verdict, bool):
            raise Invalid(f'the condition "{self.text}" is neither true nor false', code="condition")
        return verdict


def plain(value: Any) -> Any:
    """Facts as a condition may see them: no numbers that lost or gained digits, only text, booleans, lists and maps."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return str(value)


def _refuse_strangers(named: set[str], known: frozenset[str]) -> None:
    strangers = named - known
    if strangers:
        told = f"{', '.join(sorted(strangers))}; it may name {', '.join(sorted(known))}"
        raise ValueError(f"the condition names {told}")
