"""Who may answer: positions, co-holders, heads, roles, vacancies, own requests, limits, delegations, successors."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.people.company import NAMES, NOW, ask, company, delegation, rules, without
from throughline.errors import Misconfigured
from throughline.people.asking import problems_in
from throughline.people.delegation import Delegation, acting_for
from throughline.people.organisation_files import load_people
from throughline.people.seats import Lookup

FOLDER = Path(__file__).parents[3] / "include" / "people"


def lookup(organisation=None, *delegations, at=NOW) -> Lookup:
    return Lookup(organisation or company(), delegations, at)


def able(question, where: Lookup, level: int = 0) -> set[str]:
    return set(where.everybody(question, where.seats(question, level)))


@pytest.mark.parametrize(
    ("whom", "more", "people"),
    [
        (["position:buyer"], {}, {"li", "sun"}),  # co-management: either of them
        (["position:buyer"], {"requester": "li"}, {"sun"}),
        (["head_of:finance"], {}, {"zhao"}),
        (["role:board"], {}, {"wang", "zhao", "he"}),
        (["role:board"], {"requester": "zhao"}, {"wang", "zhou", "he"}),  # the board's empty chair goes up
        (["person:sun"], {}, {"sun"}),
        (["superior_of:requester"], {"requester": "li"}, {"wang"}),
        (["superior_of:requester"], {"requester": "wang"}, {"zhou"}),
        (["superior_of:requester"], {"requester": "chen"}, {"zhou"}),  # holds no position: the owner
        (["position:steward"], {}, {"wang"}),  # vacant: the department's head
        (["position:buying"], {"requester": "wang"}, {"zhou"}),
        (["position:buying"], {"amount": "1000.00"}, {"wang"}),
        (["position:buying"], {"amount": "1000.01"}, {"zhou"}),
        (["position:buying"], {"amount": "-1000.01"}, {"zhou"}),
        (["position:buyer"], {"apart_from": frozenset({"sun"})}, {"li"}),
        (["position:boss"], {"requester": "zhou"}, set()),
    ],
)
def test_who_may_answer(whom, more, people):
    assert able(ask(*whom, **more), lookup()) == people


def test_another_currency_than_the_limits_goes_up():
    question = replace(ask("position:buying", amount="1"), currency="EUR")
    assert able(question, lookup()) == {"zhou"}


def test_too_few_for_four_eyes_lets_superiors_in():
    assert able(ask("position:buying", four_eyes=True), lookup()) == {"wang", "zhou"}
    assert able(ask("position:buyer", four_eyes=True), lookup()) == {"li", "sun"}
    assert able(ask("position:buyer", four_eyes=True, requester="li"), lookup()) == {"sun", "wang"}


def test_escalation_adds_one_superior_at_a_time():
    question = ask("position:buyer")
    assert [able(question, lookup(), level) for level in range(4)] == [
        {"li", "sun"}, {"li", "sun", "wang"}, {"li", "sun", "wang", "zhou"}, {"li", "sun", "wang", "zhou"},
    ]  # fmt: skip


def test_a_delegate_has_the_principals_limit_and_nothing_more():
    on_leave = lookup(None, delegation("wang", "li"))
    assert able(ask(amount="1000.00"), on_leave) == {"wang", "li"}
    assert able(ask(amount="1000.01"), on_leave) == {"zhou"}


@pytest.mark.parametrize(
    ("made", "people"),
    [
        ([delegation("wang", "li", days=(24, 27))], {"wang"}),  # begins tomorrow
        ([delegation("wang", "li", days=(20, 22))], {"wang"}),  # ended yesterday
        ([delegation("wang", "li", days=(20, 23))], {"wang", "li"}),  # the last day counts
        ([delegation("wang", "li", flows=frozenset({"other"}))], {"wang"}),
        ([delegation("wang", "li", flows=frozenset({"procure_to_pay"}))], {"wang", "li"}),
        ([delegation("wang", "li"), delegation("li", "he", number=2)], {"wang", "li"}),
        ([delegation("wang", "li", may_pass_on=True), delegation("li", "he", number=2)], {"wang", "li", "he"}),
        ([delegation("wang", "li", may_pass_on=True), delegation("li", "wang", number=2)], {"wang", "li"}),
        ([delegation("wang", "chen")], {"wang"}),  # the requester is no delegate for their own request
        ([delegation("chen", "wang")], {"zhou"}),  # who answers for the requester does not decide either
        ([replace(delegation("wang", "li"), revoked_at=NOW)], {"wang"}),
    ],
)
def test_delegations(made, people):
    assert able(ask(), lookup(None, *made)) == people


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.booleans()), max_size=8))
def test_a_chain_of_delegations_never_goes_further_than_each_allows(told):
    made = [
        Delegation(f"d{n}", one, other, NOW - timedelta(hours=1), NOW + timedelta(hours=1), None, passing)
        for n, (one, other, passing) in enumerate(told)
        if one != other
    ]
    known = {each.id: each for each in made}
    for name in NAMES:
        for way in acting_for(name, made, "procure_to_pay", NOW):
            steps = [known[number] for number in way.through]
            assert steps[0].principal == way.principal
            assert steps[-1].delegate == name
            assert all(a.delegate == b.principal and a.may_pass_on for a, b in pairwise(steps))


def test_the_last_day_belongs_to_the_position_and_to_the_person():
    gone = without(company(), "wang", date(2026, 11, 23), successor="sun")
    evening = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai
    assert able(ask(), lookup(gone, at=evening)) == {"wang"}
    assert able(ask(), lookup(gone, at=evening + timedelta(minutes=1))) == {"sun"}


def test_a_delegation_ends_on_the_moment():
    made = delegation("wang", "li")
    last = lookup(None, made, at=made.until - timedelta(microseconds=1))
    assert able(ask(), last) == {"wang", "li"}
    assert able(ask(), lookup(None, made, at=made.until)) == {"wang"}
    assert able(ask(), lookup(None, made, at=made.since)) == {"wang", "li"}
    assert able(ask(), lookup(None, made, at=made.since - timedelta(microseconds=1))) == {"wang"}


def test_what_the_organisation_did_away_with_goes_to_the_owner():
    smaller = {name: seat for name, seat in company().positions.items() if name in ("boss", "buyer")}
    departments = {"company": company().departments["company"]}
    holdings = tuple(holding for holding in company().holdings if holding.position in smaller)
    left = lookup(company(positions=smaller, departments=departments, holdings=holdings))
    for asked in ("position:steward", "role:board", "head_of:finance", "person:eve", "superior_of:requester"):
        assert able(ask(asked, amount="5"), left) == {"zhou"}


def test_what_a_flow_names_must_be_there():
    wrong = rules("position:ceo", "head_of:it", "role:nobody", "person:eve", calendar="moon")
    assert list(problems_in(wrong, company())) == [
        "there is no position ceo in include/people", "there is no department it in include/people",
        "no position in include/people has the role nobody", "there is no person eve in include/people",
        "there is no calendar moon in include/people/calendars",
    ]  # fmt: skip
    assert list(problems_in(rules("position:buyer", calendar="office"), company())) == []


def test_the_plants_own_organisation_is_sound():
    plant = load_people(FOLDER)
    assert plant.vacancies(date(2026, 11, 23)) == ("quality_manager",)
    assert plant.superior("buyer") == "purchasing_manager"
    assert plant.holders("accountant", date(2026, 11, 23)) == ("chen.jie", "he.ping")
    question = ask("role:supplier_board", needs=2)
    where = Lookup(plant, plant.delegations, datetime(2026, 12, 22, 2, tzinfo=UTC))
    assert set(where.everybody(question, where.seats(question))) == {"wang.lei", "zhao.yun", "zhou.min", "li.na"}


@pytest.mark.parametrize(
    ("file", "line", "instead", "complaint"),
    [
        ("organisation", "owner: general_manager", "owner: king", "there is no position king"),
        ("organisation", "head: finance_manager", "head: nobody", "there is no position nobody"),
        ("organisation", "department: warehouse}", "department: barn}", "there is no department barn"),
        ("organisation", "5000.00 CNY", "5000.00 yuan", "currency"),
        ("organisation", "5000.00 CNY", "-5 CNY", "greater than 0"),
        ("holders", "person: wang.lei", "person: wang.li", "there is no person wang.li"),
        ("holders", "since: 2026-06-01", "since: 2026-06-31", "is not a day"),
        ("holders", "since: 2026-06-01", "since: 2026-06-01, until: 2026-05-31", "ends before it begins"),
        ("people", "tell_by: [dingtalk, mail]", "tell_by: [feishu]", "no address there"),
        ("people", "calendar: three_shifts", "calendar: moon", "there is no calendar moon"),
        ("people", "language: en", "langage: en", "Extra inputs"),
        ("delegations", "delegate: li.na", "delegate: wang.lei", "to the same person"),
        ("delegations", "until: 2026-12-31", "until: 2026-12-01", "ends before it begins"),
    ],
)
def test_a_mistake_is_told_with_file_and_line(tmp_path, file, line, instead, complaint):
    shutil.copytree(FOLDER, tmp_path / "people")
    path = tmp_path / "people" / f"{file}.yaml"
    text = path.read_text()
    assert line in text
    path.write_text(text.replace(line, instead, 1))
    with pytest.raises(Misconfigured, match=complaint) as told:
        load_people(tmp_path / "people")
    name, _, number = told.value.where.rpartition(":")
    assert name.endswith(f"{file}.yaml")
    assert abs(int(number) - text[: text.index(line)].count("\n") - 1) <= 4


def test_a_superior_that_goes_round_is_told(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "people")
    path = tmp_path / "people" / "organisation.yaml"
    text = path.read_text().replace(
        "zh: 采购员}, department", "zh: 采购员}, reports_to: supplier_steward, department"
    ).replace("zh: 供应商管理员}, department", "zh: 供应商管理员}, reports_to: buyer, department")  # fmt: skip
    path.write_text(text)
    with pytest.raises(Misconfigured, match="goes round in a circle"):
        load_people(tmp_path / "people")
