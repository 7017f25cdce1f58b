"""What a flow asks of people: whom, how many of them, by when, with which form. The body of a step `approve` or `task`.

approve:
  ask: [{position: purchasing_manager}, {head_of: finance}]
  needs: all
  due: 2d
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from throughline.people.forms import FormField
from throughline.people.organisation import Organisation
from throughline.people.words import Name, Title, Words, WorkingSpan

Kind = Literal["approve", "task"]
WAYS = ("position", "role", "head_of", "person", "superior_of")
REQUESTER = "superior_of:requester"


def addressee(told: object) -> str:
    """`{position: buyer}` as `position:buyer`; who is meant is looked up later, and again when it is answered."""
    if isinstance(told, dict) and len(told) == 1:
        [(way, name)] = told.items()
        told = f"{way}:{name}"
    way, _, name = told.partition(":") if isinstance(told, str) else ("", "", "")
    if way not in WAYS or not name:
        raise ValueError(f"name exactly one of {', '.join(WAYS)}, such as {{position: buyer}}")
    if way == "superior_of" and name != "requester":
        raise ValueError("superior_of knows only the requester")
    return f"{way}:{name}"


def _one_entry(told: object) -> object:
    way, _, name = str(told).partition(":")
    return {way: name}


Addressee = Annotated[str, BeforeValidator(addressee), PlainSerializer(_one_entry)]


class Remind(Words):
    """Reminders on working time: the first after opening, then again and again, at most so many."""

    first: WorkingSpan
    again: WorkingSpan
    at_most: Annotated[int, Field(gt=0, le=20)] = 3


class Escalate(Words):
    """One position further up each time: the first so long after the task was due."""

    after: WorkingSpan
    again: WorkingSpan
    at_most: Annotated[int, Field(gt=0, le=5)] = 1


class TaskRules(Words):
    """Whom to ask and what makes it decided, done or late."""

    ask: Annotated[tuple[Addressee, ...], Field(min_length=1, max_length=20)]
    needs: Literal["first", "all"] | Annotated[int, Field(gt=0, le=20)] = "first"
    four_eyes: bool = False
    title: Title
    form: dict[Name, FormField] = Field(default_factory=dict)
    soon: WorkingSpan | None = None
    due: WorkingSpan | None = None
    remind: Remind | None = None
    escalate: Escalate | None = None
    expire: WorkingSpan | None = None
    calendar: Name | None = None

    @model_validator(mode="after")
    def _timers_fit(self) -> TaskRules:
        if self.due is None and (self.soon or self.escalate):
            raise ValueError("`soon` and `escalate` count from `due`: say when it is due")
        if self.soon and self.due and self.soon >= self.due:
            raise ValueError("`soon` is so long before it is due, so it must be shorter than `due`")
        if self.expire and self.due and self.expire <= self.due:
            raise ValueError("it expires before it is due")
        return self

    @property
    def least(self) -> int:
        """How many different people must agree at least."""
        named = self.needs if isinstance(self.needs, int) else 1
        return max(named, 2) if self.four_eyes else named


@dataclass(frozen=True)
class Ask:
    """One question about one content of one document; opening it twice is opening it once.

    `requester` is who wants it (never answers it); `apart_from` are others who must not (who entered the bank data).
    """

    kind: Kind
    rules: TaskRules
    flow: str
    process_key: str
    step: str
    subject: str
    content_hash: str
    item: str = ""
    process_id: int | None = None
    about: Title | None = None
    requester: str | None = None
    apart_from: frozenset[str] = field(default_factory=frozenset)
    amount: Decimal | None = None
    currency: str | None = None

    @property
    def place(self) -> str:
        """Where in which process it is asked; at one place only the newest content is open."""
        return _digest([self.flow, self.process_key, self.step, self.item])

    @property
    def key(self) -> str:
        """What makes it this question and no other: its place, and the content it is about."""
        return _digest([self.flow, self.process_key, self.step, self.item, self.content_hash])


def _digest(parts: list[str]) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def problems_in(rules: TaskRules, organisation: Organisation) -> Iterator[str]:
    """What a flow's file names that this organisation does not have; asked when flows are loaded."""
    known = {"position": organisation.positions, "head_of": organisation.departments, "person": organisation.people}
    for asked in rules.ask:
        way, _, name = asked.partition(":")
        if way in known and name not in known[way]:
            yield f"there is no {'department' if way == 'head_of' else way} {name} in include/people"
        if way == "role" and not organisation.with_role(name):
            yield f"no position in include/people has the role {name}"
    if rules.calendar and rules.calendar not in organisation.calendars:
        yield f"there is no calendar {rules.calendar} in include/people/calendars"
