"""The small pure rules: quorum, forms, and the schedule of what happens when nobody answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.unit.people.company import CN, NOW, OFFICE, rules
from throughline.people.forms import FormField, check_form
from throughline.people.quorum import judge
from throughline.people.schedule import fire, next_moment, plan
from throughline.people.seats import Seat

BOARD = (Seat("a", ("wang",)), Seat("b", ("zhao",)), Seat("c", ("he",)))
CHAIRS = {"wang": "a", "zhao": "b", "he": "c"}


@dataclass(frozen=True)
class Vote:
    person: str
    verdict: str

    @property
    def principal(self) -> str:
        return self.person

    @property
    def seats(self) -> tuple[str, ...]:
        return (CHAIRS[self.person],)


@pytest.mark.parametrize(
    ("needs", "four_eyes", "said", "outcome"),
    [
        ("first", False, "", "open"),
        ("first", False, "wang+", "approved"),
        ("first", False, "wang-", "rejected"),
        ("first", True, "wang+", "open"),
        ("first", True, "wang+ he+", "approved"),
        ("first", True, "wang+ he-", "rejected"),
        ("all", False, "wang+ zhao+", "open"),
        ("all", False, "wang+ zhao+ he+", "approved"),
        ("all", False, "wang-", "rejected"),
        (2, False, "wang+", "open"),
        (2, False, "wang-", "open"),
        (2, False, "wang- zhao+ he+", "approved"),
        (2, False, "wang- zhao-", "rejected"),
        (2, False, "wang+ zhao- he-", "rejected"),
        (2, False, "wang+ zhao<", "sent_back"),
        (3, False, "wang-", "rejected"),
        (1, True, "wang+", "open"),
    ],
)
def test_when_it_is_decided(needs, four_eyes, said, outcome):
    words = {"+": "approved", "-": "rejected", "<": "sent_back"}
    votes = [Vote(word[:-1], words[word[-1]]) for word in said.split()]
    found = {judge(rules(needs=needs, four_eyes=four_eyes), BOARD, order) for order in permutations(votes)}
    assert found == {outcome}, "the order in which people answered made a difference"


AMOUNT = FormField.model_validate(
    {"title": {"en": "A", "zh": "额"}, "kind": "number", "required": True, "at_least": "0.01", "at_most": "100.00"}
)
FORM = {
    "amount": AMOUNT,
    "pieces": FormField.model_validate({"title": {"en": "P", "zh": "数"}, "kind": "integer"}),
    "day": FormField.model_validate({"title": {"en": "D", "zh": "日"}, "kind": "date"}),
    "way": FormField.model_validate({"title": {"en": "W", "zh": "式"}, "kind": "choice", "choices": {
        "sea": {"en": "sea", "zh": "海运"}, "air": {"en": "air", "zh": "空运"}}}),
    "sure": FormField.model_validate({"title": {"en": "S", "zh": "定"}, "kind": "yes_no"}),
    "note": FormField.model_validate({"title": {"en": "N", "zh": "注"}, "longest": 5}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("told", "kept", "wrong"),
    [
        ({"amount": "99.90"}, {"amount": "99.90"}, set()),
        ({"amount": Decimal("99.90")}, {"amount": "99.90"}, set()),
        ({"amount": 5}, {"amount": "5"}, set()),
        ({"amount": 99.9}, {}, {"amount"}),  # a rounded number is not what was typed
        ({"amount": True}, {}, {"amount"}),
        ({"amount": "100.01"}, {}, {"amount"}),
        ({"amount": "0"}, {}, {"amount"}),
        ({"amount": "1.001"}, {}, {"amount"}),
        ({"amount": "1e1"}, {}, {"amount"}),
        ({"amount": "NaN"}, {}, {"amount"}),
        ({"amount": "Infinity"}, {}, {"amount"}),
        ({"amount": "9" * 30}, {}, {"amount"}),
        ({"amount": "十"}, {}, {"amount"}),
        ({"amount": ""}, {}, {"amount"}),
        ({}, {}, {"amount"}),
        ({"amount": "1", "pieces": "1.0"}, {"amount": "1"}, {"pieces"}),
        ({"amount": "1", "pieces": "-3"}, {"amount": "1", "pieces": "-3"}, set()),
        ({"amount": "1", "day": "2026-02-29"}, {"amount": "1"}, {"day"}),
        ({"amount": "1", "day": "2026-02-28"}, {"amount": "1", "day": "2026-02-28"}, set()),
        ({"amount": "1", "way": "rail"}, {"amount": "1"}, {"way"}),
        ({"amount": "1", "way": "sea", "sure": "no"}, {"amount": "1", "way": "sea", "sure": False}, set()),
        ({"amount": "1", "sure": "maybe"}, {"amount": "1"}, {"sure"}),
        ({"amount": "1", "note": "太长的文字了"}, {"amount": "1"}, {"note"}),
        ({"amount": "1", "state": "approved"}, {"amount": "1"}, {"state"}),
        ({"amount": ["1"]}, {}, {"amount"}),
    ],
)
def test_forms(told, kept, wrong):
    found, misfits = check_form(FORM, told)
    assert (found, set(misfits)) == (kept, wrong)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.text(max_size=30) | st.integers() | st.decimals() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*FORM, "else"]), ANYTHING))
def test_no_input_breaks_a_form_and_what_is_kept_is_kept_again(told):
    kept, _ = check_form(FORM, told)
    again, misfits = check_form(FORM, kept)
    assert again == kept
    assert set(misfits) <= {"amount"}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=CN)


TIMED = rules(
    due="1d", soon="2h", remind={"first": "2h", "again": "4h", "at_most": 3},
    escalate={"after": "1h", "again": "8h", "at_most": 2}, expire="3d",
)  # fmt: skip


def test_the_plan_counts_working_time():
    assert [(m.kind, m.nth, m.at) for m in plan(TIMED, NOW, OFFICE)] == [
        ("remind", 1, at(23, 11)), ("remind", 2, at(23, 16)), ("soon", 1, at(23, 16)), ("overdue", 1, at(24, 9)),
        ("escalate", 1, at(24, 10)), ("remind", 3, at(24, 11)), ("escalate", 2, at(25, 10)), ("expire", 1, at(26, 9)),
    ]  # fmt: skip


def test_after_an_outage_several_reminders_are_one():
    moments = plan(TIMED, NOW, OFFICE)
    firing = fire(moments, 0, at(24, 12))
    assert [(m.kind, m.nth) for m in firing.moments] == [
        ("soon", 1), ("overdue", 1), ("escalate", 1), ("remind", 3),
    ]  # fmt: skip
    assert (firing.fired, firing.next_at, firing.escalations) == (6, at(25, 10), 1)
    assert fire(moments, firing.fired, at(24, 12)).moments == ()


@settings(deadline=None)
@given(st.lists(st.integers(0, 60 * 24 * 6), max_size=12))
def test_however_often_one_looks_each_moment_fires_once(minutes):
    moments = plan(TIMED, NOW, OFFICE)
    fired, seen = 0, []
    for minute in [*sorted(minutes), 60 * 24 * 6]:
        firing = fire(moments, fired, NOW + timedelta(minutes=minute))
        fired, seen = firing.fired, [*seen, *firing.moments]
        assert firing.next_at == next_moment(moments, fired)
    assert fired == len(moments)
    assert len(seen) == len(set(seen))
    assert [m for m in seen if m.kind != "remind"] == [m for m in moments if m.kind != "remind"]


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"soon": "1h"}, "say when it is due"),
        ({"due": "1h", "soon": "2h"}, "shorter than"),
        ({"due": "2h", "expire": "1h"}, "expires before"),
        ({"due": "90"}, "not a length of working time"),
        ({"needs": 0}, "greater than 0"),
        ({"ask": [{"chief": "x"}]}, "name exactly one of"),
        ({"ask": [{"superior_of": "boss"}]}, "only the requester"),
        ({"form": {"a": {"title": {"en": "a", "zh": "a"}, "at_least": "1"}}}, "only a number"),
        ({"form": {"a": {"title": {"en": "a", "zh": "a"}, "kind": "number", "at_least": 1.5}}}, "in quotes"),
    ],
)
def test_rules_that_cannot_be_meant_are_refused(more, complaint):
    with pytest.raises(ValidationError, match=complaint):
        rules(**more) if "ask" not in more else type(TIMED).model_validate({"title": {"en": "a", "zh": "a"}, **more})


def test_rules_survive_the_ledger():
    kept = rules(
        "role:board", needs=2, four_eyes=True, due="90m", remind={"first": "1h", "again": "1d"},
        form={"amount": AMOUNT.model_dump(mode="json")},
    )  # fmt: skip
    assert type(kept).model_validate(kept.model_dump(mode="json")) == kept
