"""What the files of `include/people` may say about departments, positions, people, holders and delegations."""

from __future__ import annotations

from datetime import time
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from throughline.people.words import Day, Name, PersonId, TimeOfDay, Title, Words

Channel = Literal["mail", "dingtalk", "wecom", "feishu", "sms"]


def _amount(told: object) -> object:
    """`"50000.00 CNY"` as amount and currency; numbers stay exact because they are texts."""
    number, _, currency = told.partition(" ") if isinstance(told, str) else ("", "", "")
    return {"amount": number, "currency": currency} if currency else told


class Limit(Words):
    """The largest amount a position may approve by itself."""

    amount: Annotated[Decimal, Field(gt=0, max_digits=20, decimal_places=4, allow_inf_nan=False)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Department(Words):
    """A part of the company; its head is a position."""

    title: Title
    head: Name
    parent: Name | None = None


class Position(Words):
    """A chair somebody sits on, or several 协管; `reports_to` is the superior's position."""

    title: Title
    department: Name
    reports_to: Name | None = None
    roles: tuple[Name, ...] = ()
    approves_up_to: Annotated[Limit | None, BeforeValidator(_amount)] = None


class QuietHours(Words):
    """When nobody is disturbed; over midnight where it ends before it begins. `rest_days`: nor on days off."""

    start: TimeOfDay
    end: TimeOfDay
    rest_days: bool = True


class Person(Words):
    """Somebody who works here, and how to reach them: channels in the order they prefer."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    language: Literal["zh", "en"] = "zh"
    calendar: Name
    channels: Annotated[dict[Channel, Annotated[str, Field(min_length=1, max_length=320)]], Field(min_length=1)]
    tell_by: Annotated[tuple[Channel, ...], Field(min_length=1)]
    links_by: tuple[Channel, ...] = ("mail", "sms")
    """Where a link that answers for them may be sent: whoever reads it can use it, so never to a group's chat."""
    quiet: QuietHours | None = None
    digests: Annotated[tuple[TimeOfDay, ...], Field(min_length=1)] = (time(9), time(14))
    left: Day | None = None
    """Their last day here; from the next on nothing stays with them."""

    @model_validator(mode="after")
    def _reachable(self) -> Person:
        if missing := [channel for channel in self.tell_by if channel not in self.channels]:
            raise ValueError(f"is to be told by {missing[0]} but has no address there")
        return self


class OrganisationFile(Words):
    """organisation.yaml."""

    owner: Name
    """The position that gets what nobody else can."""
    calendar: Name
    departments: dict[Name, Department]
    positions: dict[Name, Position]


class PeopleFile(Words):
    """people.yaml."""

    people: dict[PersonId, Person]


class Holder(Words):
    """Somebody on a position; both days belong to it, and without `until` it lasts."""

    position: Name
    person: PersonId
    since: Day
    until: Day | None = None
    succeeded_by: PersonId | None = None
    """Who gets the open tasks when they leave; otherwise the other holders, or the superior."""

    @model_validator(mode="after")
    def _some_time(self) -> Holder:
        if self.until is not None and self.until < self.since:
            raise ValueError("ends before it begins")
        return self


class HoldersFile(Words):
    """holders.yaml."""

    holders: tuple[Holder, ...]


class DelegationEntry(Words):
    """One standing delegation; without flows it is for all of them."""

    principal: PersonId
    delegate: PersonId
    since: Day
    until: Day
    flows: tuple[Name, ...] = ()
    may_pass_on: bool = False
    note: str = ""


class DelegationsFile(Words):
    """delegations.yaml."""

    delegations: tuple[DelegationEntry, ...] = ()
