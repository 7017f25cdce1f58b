"""A flow as data: its steps in a closed vocabulary, exactly as `include/flows/<name>.yaml` says them.

Anything the vocabulary does not know is refused while loading; see `flow_files` for how a mistake names its line.
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from throughline.process.conditions import Condition

StepKind = Literal["deliver", "await", "decide", "notify"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,60}$")]
_DURATION = re.compile(r"^(\d+)(s|m|h|d|w)$")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: object) -> timedelta:
    """A length of time written `30s`, `15m`, `4h`, `2d` or `1w`."""
    found = _DURATION.match(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"'{text}' is not a length of time: write 30s, 15m, 4h, 2d or 1w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def condition(text: object) -> Condition:
    """A condition, compiled; one that does not compile is refused here."""
    if not isinstance(text, str):
        raise ValueError("a condition is a text")  # noqa: TRY004 - pydantic reports ValueError with its place
    return Condition(text)


Duration = Annotated[timedelta, BeforeValidator(duration)]
When = Annotated[Condition, BeforeValidator(condition)]


class _Words(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


class Title(_Words):
    """A name in English and Chinese."""

    en: str
    zh: str


class Subject(_Words):
    """What the flow is about: a document as one system tells it."""

    document: Name
    system: Name


class Deliver(_Words):
    """Write a document to a system; `make` derives it, otherwise it is the item or the subject itself."""

    system: Name
    document: Name
    operation: Name | None = None
    operations: tuple[Name, ...] = ()
    make: Name | None = None

    @model_validator(mode="after")
    def _operations_need_a_rule(self) -> Deliver:
        if self.operations and (self.operation or self.make is None):
            raise ValueError(
                "'operations' lists what the 'make' rule may choose from; without a rule name one operation"
            )
        return self

    @property
    def may(self) -> tuple[str, ...]:
        """Every operation the step may carry out."""
        return self.operations or (self.operation or "create",)


class Notify(_Words):
    """Tell somebody: the made notice goes out once through the system named."""

    system: Name
    make: Name
    document: Name = "notice"
    operation: Name = "create"

    @property
    def may(self) -> tuple[str, ...]:
        """Every operation the step may carry out."""
        return (self.operation,)


class Until(_Words):
    """When an await has enough: a named rule or a condition over what has arrived."""

    rule: Name | None = None
    condition: When | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Until:
        if (self.rule is None) == (self.condition is None):
            raise ValueError("'until' names either a rule or a condition")
        return self


class Await(_Words):
    """Wait for correlated documents: one, or each that arrives; or each revision of the subject itself."""

    document: Name
    system: Name
    each: bool = False
    where: When | None = None
    until: Until | None = None
    revisions: bool = False

    @model_validator(mode="after")
    def _ends_somehow(self) -> Await:
        if self.revisions and (self.until or not self.each):
            raise ValueError(
                "an await of revisions is 'each: true' and has no 'until': it lasts as long as the process"
            )
        if self.each and not self.revisions and self.until is None:
            raise ValueError("an await of each document needs 'until': say when enough have arrived")
        return self


class Decide(_Words):
    """Ask a named rule for a verdict that conditions can read."""

    rule: Name


class End(_Words):
    """Ends the whole process once the step is done; with a condition, once it is settled and the condition holds."""

    outcome: Literal["finished", "cancelled"] = Field(alias="as")
    when: When | None = None


def ending(word: object) -> object:
    """`end: cancelled` is short for `end: {as: cancelled}`."""
    return {"as": word} if isinstance(word, str) else word


class Step(_Words):
    """One step: what it does, what it needs, when it applies, how long it may take."""

    deliver: Deliver | None = None
    awaits: Await | None = Field(default=None, alias="await")
    decide: Decide | None = None
    notify: Notify | None = None
    title: Title | None = None
    per: Name | None = None
    needs: tuple[Name, ...] = ()
    when: When | None = None
    due: Duration | None = None
    refused: Literal["park", "continue"] = "park"
    end: Annotated[End | None, BeforeValidator(ending)] = None

    @model_validator(mode="after")
    def _one_kind(self) -> Step:
        if sum(part is not None for part in (self.deliver, self.awaits, self.decide, self.notify)) != 1:
            raise ValueError("a step is exactly one of deliver, await, decide, notify")
        if self.awaits is not None and self.per is not None:
            raise ValueError("an await cannot be 'per' another step")
        return self

    @cached_property
    def kind(self) -> StepKind:
        """Which of the four kinds the step is."""
        if self.deliver:
            return "deliver"
        if self.awaits:
            return "await"
        return "decide" if self.decide else "notify"

    @property
    def effect(self) -> Deliver | Notify | None:
        """What the step writes outside, when it writes."""
        return self.deliver or self.notify


class Flow(_Words):
    """A whole flow: its subject, when it starts, and its steps by name."""

    flow: Name
    title: Title
    subject: Subject
    start: When
    steps: dict[Name, Step]
    version: str = ""
    where: str = ""

    def per(self, await_step: str) -> dict[str, Step]:
        """The steps done once for each item an await finds."""
        return self._families.get(await_step, {})

    @cached_property
    def _families(self) -> dict[str, dict[str, Step]]:
        families: dict[str, dict[str, Step]] = {}
        for name, step in self.steps.items():
            if step.per:
                families.setdefault(step.per, {})[name] = step
        return families

    @cached_property
    def revisions(self) -> str | None:
        """The await that listens for changes of the subject, when the flow has one."""
        return next((name for name, step in self.steps.items() if step.awaits and step.awaits.revisions), None)

    @cached_property
    def in_order(self) -> tuple[str, ...]:
        """The steps so that each comes after everything it needs; loading has refused circles."""
        order: list[str] = []
        while len(order) < len(self.steps):
            order += [n for n, s in self.steps.items() if n not in order and set(before(s)) <= set(order)][:1]
        return tuple(order)


def before(step: Step) -> tuple[str, ...]:
    """Everything that comes before a step: what it needs and the await it is done per item of."""
    return (*step.needs, step.per) if step.per else step.needs


def version_of(text: str) -> str:
    """A flow's version: the first letters of its file's hash, so that the same file is the same version anywhere."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
