"""Simulated systems that take writes: each keeps exactly the promise of its tier, and not more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.history import History

Answer = dict[str, Any]


@dataclass
class Held:
    """One document as the target has it."""

    id: str
    number: str
    reference: str
    data: dict[str, Any]
    lines: dict[str, str]
    visible: float
    """from when on a search finds it (a replica is behind)"""
    operations: list[str] = field(default_factory=list)

    def found(self) -> Answer:
        return {"id": self.id, "number": self.number, "lines": _lines(self.lines)}


def _lines(lines: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"ref": ours, "id": theirs} for ours, theirs in lines.items()]


def ok(data: Any) -> Answer:
    return {"code": 0, "data": data}


def no(code: int, message: str, **more: Any) -> Answer:
    return {"code": code, "message": message, **more}


class Target:
    """One system. `refuses` is asked before anything takes effect, `took` is told after it did."""

    def __init__(
        self, role: str, tiers: Mapping[str, str], history: History, now: Callable[[], float], lag: Callable[[], float]
    ) -> None:
        self.role, self.tiers, self.history, self._now, self._lag = role, tiers, history, now, lag
        self.held: dict[str, dict[str, list[Held]]] = defaultdict(lambda: defaultdict(list))
        self.answered: dict[str, Answer] = {}
        self.refuses: Callable[[str, str, str, Mapping[str, Any]], str | None] = lambda *_: None
        self.took: Callable[[str, str, Held], None] = lambda *_: None
        self._count = 0

    def find(self, kind: str, reference: str) -> Answer:
        """What a search by our reference shows just now."""
        seen = [one for one in self.held[kind].get(reference, ()) if one.visible <= self._now()]
        return ok({"list": [one.found() for one in seen]})

    def perform(self, kind: str, operation: str, reference: str, key: str, data: dict[str, Any]) -> Answer:
        """Carry a write out, as far as the tier lets it take effect again."""
        tier = self.tiers.get(f"{kind}.{operation}", "T1")
        place = f"{kind}.{operation}.{key}"
        if tier == "T1" and place in self.answered:
            self.history.note(self.role, "knows already", kind=kind, operation=operation, reference=reference)
            return self.answered[place]
        there = self.held[kind].get(reference)
        if operation == "create" and tier == "T2" and there:
            return no(409, f"{reference} is there already")
        reason = self.refuses(kind, operation, reference, data)
        if reason is not None:
            self.history.note(self.role, "refuses", kind=kind, operation=operation, reference=reference, reason=reason)
            return no(422, reason)
        if operation != "create" and not there:
            self.history.note(
                self.role, "refuses", kind=kind, operation=operation, reference=reference, reason="absent"
            )
            return no(422, f"there is no {kind} {reference}")
        held = self._create(kind, reference, data) if operation == "create" else self._alter(there or [], data)
        held.operations.append(operation)
        self.history.note(self.role, "effect", kind=kind, operation=operation, reference=reference, key=key,
                          tier=tier, id=held.id, data=data)  # fmt: skip
        answer = ok(held.found())
        if tier == "T1":
            self.answered[place] = answer
        self.took(kind, operation, held)
        return answer

    def _create(self, kind: str, reference: str, data: dict[str, Any]) -> Held:
        self._count += 1
        name = f"{self.role}-{kind}-{self._count}"
        lines = {str(line["ref"]): f"{name}-l{n}" for n, line in enumerate(data.get("lines") or [], 1) if "ref" in line}
        held = Held(name, f"{self.role.upper()}{self._count:05}", reference, data, lines, self._now() + self._lag())
        self.held[kind][reference].append(held)
        return held

    def _alter(self, there: list[Held], data: dict[str, Any]) -> Held:
        held = there[0]
        held.data = {**held.data, **data}
        return held
