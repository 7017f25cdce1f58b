"""A small company for tests: a boss, two departments, co-managed buyers, a board of three, one empty chair."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from throughline.people.asking import Ask, TaskRules
from throughline.people.delegation import Delegation
from throughline.people.organisation import Holding, Organisation
from throughline.people.organisation_words import Department, Person, Position
from throughline.people.words import Title
from throughline.people.working_time import WorkingCalendar

DAY = ((time(8), time(12)), (time(13), time(17)))
OFFICE = WorkingCalendar("office", "Asia/Shanghai", "office.yaml:1", week=(DAY,) * 5 + ((), ()), chinese=False)
CN = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""Monday, 09:00 in Shanghai."""
FIRST = date(2026, 1, 1)


def title(text: str) -> Title:
    return Title(en=text, zh=text)


def position(name: str, department: str = "company", **more: Any) -> Position:
    return Position.model_validate({"title": {"en": name, "zh": name}, "department": department, **more})


def person(name: str, **more: Any) -> Person:
    told = {"name": name, "calendar": "office", "channels": {"mail": f"{name}@x.example"}, "tell_by": ["mail"]}
    return Person.model_validate({**told, **more})


POSITIONS = {
    "boss": position("boss"),
    "buying": position("buying", "purchasing", roles=["board"], approves_up_to="1000.00 CNY"),
    "buyer": position("buyer", "purchasing"),
    "finance": position("finance", "finance", roles=["board"]),
    "quality": position("quality", roles=["board"]),
    "steward": position("steward", "purchasing"),
}
DEPARTMENTS = {
    "company": Department(title=title("company"), head="boss"),
    "purchasing": Department(title=title("purchasing"), head="buying", parent="company"),
    "finance": Department(title=title("finance"), head="finance", parent="company"),
}
HOLDERS = (
    ("boss", "zhou"), ("buying", "wang"), ("buyer", "li"), ("buyer", "sun"), ("finance", "zhao"), ("quality", "he"),
)  # fmt: skip
NAMES = ("zhou", "wang", "li", "sun", "zhao", "he", "chen")


def company(**more: Any) -> Organisation:
    told: dict[str, Any] = {
        "owner": "boss", "calendar": "office", "departments": DEPARTMENTS, "positions": POSITIONS,
        "people": {name: person(name) for name in NAMES},
        "holdings": tuple(Holding(seat, name, FIRST) for seat, name in HOLDERS),
        "calendars": {"office": OFFICE}, "where": "organisation.yaml:2",
    }  # fmt: skip
    return Organisation(**{**told, **more})


def without(organisation: Organisation, gone: str, day: date, *, successor: str | None = None) -> Organisation:
    """The same company after somebody's last day."""
    left = organisation.people[gone].model_copy(update={"left": day})
    holdings = tuple(
        replace(holding, until=day, successor=successor) if holding.person == gone else holding
        for holding in organisation.holdings
    )
    return replace(organisation, people={**organisation.people, gone: left}, holdings=holdings)


def rules(*ask: str, **more: Any) -> TaskRules:
    told = {"ask": list(ask) or ["position:buying"], "title": {"en": "Order this?", "zh": "是否订购?"}}
    return TaskRules.model_validate({**told, **more})


def ask(*whom: str, kind: Any = "approve", key: str = "PR-1", content: str = "v1", amount: str | None = None,
        requester: str | None = "chen", apart_from: frozenset[str] = frozenset(), flow: str = "procure_to_pay",
        **more: Any) -> Ask:  # fmt: skip
    return Ask(
        kind, rules(*whom, **more), flow, key, "sign_off", f"purchase_requisition:oa:{key}", content,
        requester=requester, apart_from=apart_from, amount=None if amount is None else Decimal(amount),
        currency=None if amount is None else "CNY",
    )  # fmt: skip


def delegation(
    principal: str, delegate: str, *, number: int = 1, days: tuple[int, int] = (23, 27), **more: Any
) -> Delegation:
    first, last = (date(2026, 11, day) for day in days)
    return Delegation.of_days(f"d{number}", principal, delegate, first, last, zone="Asia/Shanghai", **more)
