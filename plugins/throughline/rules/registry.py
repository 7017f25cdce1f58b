"""The list of named rules, and how a function becomes one.

    @rule("order_change", kind="decide")
    def order_change(subject, item, dossier): ...

A rule names only what it looks at: `subject`, `item`, `dossier`, in any combination. `decide` rules return a verdict
(a plain mapping a condition can read), `make` rules return a canonical document, several or none, `until` rules say
whether enough has arrived.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from throughline.canonical import CanonicalDocument
from throughline.errors import Misconfigured
from throughline.rules.dossier import Dossier

RuleKind = Literal["decide", "make", "until"]
RuleFunction = Callable[..., Any]
_SEES = frozenset({"subject", "item", "dossier"})
F = TypeVar("F", bound=RuleFunction)


@dataclass(frozen=True)
class Rule:
    """One named rule: what kind it is and what it makes, when it makes something."""

    name: str
    kind: RuleKind
    function: RuleFunction
    makes: str | None = None
    sees: frozenset[str] = _SEES

    def __call__(self, subject: CanonicalDocument, item: CanonicalDocument | None, dossier: Dossier) -> Any:
        """The rule's answer about these documents."""
        offered = {"subject": subject, "item": item, "dossier": dossier}
        return self.function(**{name: offered[name] for name in self.sees})

    @property
    def sentence(self) -> str:
        """What the rule does, in the first line of its own description."""
        return (self.function.__doc__ or self.name).strip().splitlines()[0]


_RULES: dict[str, Rule] = {}


def rule(name: str, *, kind: RuleKind, makes: str | None = None) -> Callable[[F], F]:
    """Register a function under a name flows may use; a second rule of the same name is refused."""

    def register(function: F) -> F:
        if name in _RULES and _RULES[name].function.__qualname__ != function.__qualname__:
            raise Misconfigured(f"there are two rules named '{name}'", where=function.__module__)
        sees = frozenset(inspect.signature(function).parameters)
        if not sees <= _SEES:
            raise Misconfigured(f"rule '{name}' may only look at subject, item and dossier", where=function.__module__)
        _RULES[name] = Rule(name, kind, function, makes, sees)
        return function

    return register


def rule_named(name: str, kind: RuleKind, *, where: str = "") -> Rule:
    """The rule of this name and kind, or an error that lists the rules there are."""
    found = _RULES.get(name)
    if found is None or found.kind != kind:
        known = ", ".join(sorted(rules_of(kind)))
        raise Misconfigured(f"there is no '{kind}' rule named '{name}'; there are: {known}", where=where)
    return found


def rules_of(kind: RuleKind) -> dict[str, Rule]:
    """Every rule of one kind, by name."""
    return {name: found for name, found in _RULES.items() if found.kind == kind}
