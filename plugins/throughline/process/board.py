"""The table `advance` moves its pieces on: instances as they stand, and which of them moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from throughline.errors import ThroughlineError
from throughline.process.definition import Flow, Step
from throughline.process.facts import Facts
from throughline.process.state import SETTLED, Changes, Instance, ProcessState, StepState

STARTS_CLOCK = (StepState.READY, StepState.OPEN)


class Board:
    """One process being advanced; `state` always shows the newest instances."""

    def __init__(self, flow: Flow, state: ProcessState, now: datetime) -> None:
        self.flow, self.now = flow, now
        self.instances: dict[tuple[str, str], Instance] = dict(state.instances)
        self.state = replace(state, instances=self.instances)
        self.moves = 0
        self.ended: str | None = None
        self.notes: list[str] = []
        self.enough: dict[tuple[str, str], bool] = {}
        """whether an await has enough under a revision; documents do not change while a process is advanced"""
        self._moved: set[tuple[str, str]] = set()
        self._started_with, self._in_force = state.instances, state.in_force

    def lay_out(self) -> None:
        """Every step that is done once per process has its instance from the start."""
        for name, step in self.flow.steps.items():
            if step.per is None and (name, "") not in self.instances:
                self._put(Instance(name))

    def at(self, step: str, item: str = "") -> Instance:
        """One instance."""
        return self.instances[(step, item)]

    def all_of(self, step: str) -> list[Instance]:
        """Every instance of a step, in the order they were added."""
        return [found for found in self.instances.values() if found.step == step]

    def add_items(self, await_step: str, items: Iterable[str]) -> None:
        """One instance per item for every step that is per this await; those that exist stay as they are."""
        for item in items:
            for name in self.flow.per(await_step):
                if (name, item) not in self.instances:
                    self._put(Instance(name, item))

    def move(self, own: Instance, target: StepState, **more: Any) -> None:
        """Move one instance; what is settled never moves, and a step's time begins when it can begin."""
        if own.state in SETTLED or (own.state is target and not more):
            return
        due = self.flow.steps[own.step].due
        if due is not None and target in STARTS_CLOCK and own.due_at is None:
            more["due_at"] = self.now + due
        self._put(own.moved(target, **more))

    @contextmanager
    def parking(self, own: Instance) -> Iterator[None]:
        """A condition or rule that cannot be decided parks this instance alone."""
        try:
            yield
        except ThroughlineError as error:
            self.move(own, StepState.PARKED, error=error.message, signature=error.signature)

    def needs_settled(self, step: Step, item: str) -> bool:
        """Whether everything a step needs has come to its end, for this item."""
        return all(self._need_settled(needed, step, item) for needed in step.needs)

    def anything_under_way(self) -> bool:
        """Whether a write outside the handling of changes is being made, or its end is not known."""
        return any(
            own.under_way
            for own in self.instances.values()
            if self.flow.steps[own.step].awaits is None and self.flow.steps[own.step].per != self.flow.revisions
        )

    def adopt(self, revision: str) -> None:
        """From now on the process works by this revision."""
        if revision != self.state.in_force:
            self.state = replace(self.state, in_force=revision)
            self.moves += 1

    def ending(self) -> str | None:
        """How the process is to end, when a step that ends it is done; with a condition also when it was skipped."""
        for own in list(self.instances.values()):
            end = self.flow.steps[own.step].end
            settled = (StepState.DONE, StepState.SKIPPED) if end and end.when else (StepState.DONE,)
            if end is None or own.state not in settled:
                continue
            if end.when is None or end.when.holds(Facts(self.flow, self.state, own.step, own.item)):
                return end.outcome
        return None

    def finish(self, outcome: str) -> None:
        """The process is over."""
        self.ended = outcome

    def note(self, sentence: str) -> None:
        """Something was seen and not acted upon."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def changes(self) -> Changes:
        """What differs from how the process stood before."""
        moved = (self.instances[key] for key in self.instances if key in self._moved)
        return Changes(
            instances=tuple(own for own in moved if self._started_with.get(own.key) != own),
            in_force=self.state.in_force if self.state.in_force != self._in_force else None,
            state=self.ended,
            notes=tuple(self.notes),
        )

    def _put(self, own: Instance) -> None:
        self.instances[own.key] = own
        self._moved.add(own.key)
        self.moves += 1

    def _need_settled(self, needed: str, step: Step, item: str) -> bool:
        other = self.flow.steps[needed]
        if other.per is None:
            return self.at(needed).settled
        if other.per == step.per:
            return self.at(needed, item).settled
        return self.at(other.per).settled and all(found.settled for found in self.all_of(needed))
