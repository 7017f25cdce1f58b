"""Approve, reject, urge, delegate, revoke, cancel, leave, let time pass, in any order, over a real ledger.

The oracle shares no code with the hub: it knows who holds which chair and remembers what was said.
"""

from __future__ import annotations

import itertools
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.unit.people.company import NAMES, NOW, ask, company, without
from throughline.ledger import Ledger, migrate
from throughline.people.answering import Refused, Reply
from throughline.people.delegating import WrongDelegation, delegate, revoke
from throughline.people.desk import Desk
from throughline.people.organisation import Organisation
from throughline.people.passing_time import sweep

_numbers = itertools.count(1)
CHAIRS = {"position:buyer": {"li", "sun"}, "position:buying": {"wang"}, "role:board": {"wang", "zhao", "he"}}
CASES = st.sampled_from([
    (("position:buyer",), {}),
    (("position:buyer",), {"four_eyes": True}),
    (("position:buyer", "position:buying"), {"needs": "all"}),
    (("role:board",), {"needs": 2}),
    (("role:board",), {"needs": 2, "four_eyes": True, "amount": "900"}),
])  # fmt: skip
VERDICTS = st.sampled_from(["approved", "approved", "approved", "rejected", "sent_back"])
PEOPLE = st.sampled_from(NAMES)


class AnyOrder(RuleBasedStateMachine):
    """One question at a time, and everything that may happen to it."""

    dsn = ""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = NOW
        self.ledger = Ledger(self.dsn, clock=lambda: self.now)
        self.organisation: Organisation = company()
        self.said: list[tuple[str, str, str]] = []
        self.delegations: dict[int, tuple[str, str]] = {}
        self.gone: set[str] = set()
        self.outcome: str | None = None
        self.task = 0

    def teardown(self) -> None:
        self.ledger.close()

    @property
    def desk(self) -> Desk:
        return Desk(self.organisation)

    @initialize(case=CASES, requester=st.sampled_from(["chen", "li", "zhao", None]))
    def open(self, case: tuple[tuple[str, ...], dict[str, Any]], requester: str | None) -> None:
        whom, more = case
        with psycopg.connect(self.dsn) as database:
            database.execute("truncate tasks, delegations restart identity cascade")
        self.question = ask(
            *whom, key=f"PR-{next(_numbers)}", requester=requester, due="2h", remind={"first": "1h", "again": "1h"},
            escalate={"after": "1h", "again": "1h"}, expire="2d", **more,
        )  # fmt: skip
        with self.ledger.transaction() as books:
            self.task = self.desk.open(books, [self.question])[self.question.key]

    @rule(person=PEOPLE, verdict=VERDICTS, stale=st.sampled_from([False, False, False, True]))
    def answer(self, person: str, verdict: str, stale: bool) -> None:
        content = "older" if stale else "v1"
        request = f"{person}-{len(self.said)}-{verdict}-{self.now.isoformat()}"
        reply = Reply(person, verdict, content, request, comment="because")
        try:
            with self.ledger.transaction() as books:
                answered = self.desk.answer(books, self.task, reply)
            code = ""
        except Refused as refused:
            code = refused.code
        if code:
            assert code in {"unknown", "own_request", "closed", "changed", "answered_already"}
            return
        assert not stale
        assert self.outcome is None, "an answer counted after the end"
        self.said.append((person, answered.answer.principal, verdict))
        if not answered.task.is_open:
            self.outcome = answered.task.state
        with self.ledger.transaction() as books:
            assert self.desk.answer(books, self.task, reply).repeated, "the same request counts once"

    @rule(principal=PEOPLE, other=PEOPLE, hours=st.integers(1, 40), passing=st.booleans())
    def delegate(self, principal: str, other: str, hours: int, passing: bool) -> None:
        try:
            with self.ledger.transaction() as books:
                made = delegate(
                    self.desk, books, principal, other, since=self.now, until=self.now + timedelta(hours=hours),
                    may_pass_on=passing, made_by=principal, request_id=f"d{next(_numbers)}-{self.task}",
                )  # fmt: skip
            self.delegations[made.id] = (principal, other)
        except WrongDelegation:
            assert principal == other or {principal, other} & self.gone

    @precondition(lambda self: self.delegations)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.delegations)))
        with self.ledger.transaction() as books:
            revoke(self.desk, books, number, by=self.delegations[number][0])

    @rule(minutes=st.integers(1, 60 * 30))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        with self.ledger.transaction() as books:
            sweep(self.desk, books)
            [row] = books.tasks.load([self.task])
        if row.state == "timed_out":
            assert self.outcome in (None, "timed_out")
            self.outcome = "timed_out"

    @rule(by=PEOPLE)
    def urge(self, by: str) -> None:
        try:
            with self.ledger.transaction() as books:
                self.desk.urge(books, self.task, by)
            code = ""
        except Refused as refused:
            code = refused.code
        assert code in {"", "unknown", "closed", "too_soon"}

    @precondition(lambda self: len(self.gone) < 2)
    @rule(who=st.sampled_from(["wang", "li", "zhao", "he", "sun"]), successor=st.sampled_from([None, "chen"]))
    def leave(self, who: str, successor: str | None) -> None:
        yesterday: date = self.organisation.day_of(self.now) - timedelta(days=1)
        self.organisation = without(self.organisation, who, yesterday, successor=successor)
        self.gone.add(who)
        with self.ledger.transaction() as books:
            sweep(self.desk, books)
            assert not set(books.tasks.held_by(self.gone)), "something stays with somebody who left"

    @rule()
    def cancel(self) -> None:
        with self.ledger.transaction() as books:
            ended = self.desk.end(books, [self.task], "cancelled", "not needed")
        if ended:
            assert self.outcome is None
            self.outcome = "cancelled"

    @invariant()
    def one_outcome_by_the_right_people(self) -> None:
        if not self.task:
            return
        with self.ledger.transaction() as books:
            [row] = books.tasks.load([self.task])
            answers = books.tasks.answers([self.task])[self.task]
            people = books.tasks.people([self.task])[self.task]
            lines = [line for line in books.audit.lines(subject=row.subject) if line.action == "answered"]
        assert (row.state == "open") == (self.outcome is None)
        assert self.outcome in (None, row.state)
        assert [(a.person, a.principal, a.verdict) for a in answers] == self.said
        assert [line.details["by"] for line in lines] == [
            one if one == other else f"{one} for {other}" for one, other, _ in self.said
        ]
        self._nobody_oversteps()
        assert bool(people) == (row.state == "open")
        self._decided_as_it_should_be(row.state)

    def _nobody_oversteps(self) -> None:
        voices = [name for person, principal, _ in self.said for name in {person, principal}]
        assert len(voices) == len(set(voices)), "somebody's right was used twice"
        assert self.question.requester not in voices, "somebody decided about their own request"
        chairs = {name for asked in self.question.rules.ask for name in CHAIRS[asked]} | {"wang", "zhou"}  # superiors
        for person, principal, _ in self.said:
            assert self.gone or principal in chairs, "somebody decided without a right"
            assert person == principal or self._stands_for(person, principal), "somebody stood in without being asked"

    def _stands_for(self, person: str, principal: str) -> bool:
        """Whether delegations, made at any time, lead from the one to the other."""
        reached = {principal}
        while more := {other for one, other in self.delegations.values() if one in reached} - reached:
            reached |= more
        return person in reached

    def _decided_as_it_should_be(self, state: str) -> None:
        verdicts = [verdict for *_, verdict in self.said]
        if "sent_back" in verdicts:
            assert state == "sent_back"
            assert verdicts[-1] == "sent_back"
        if state == "approved":
            rules = self.question.rules
            agreed = {person for person, _, verdict in self.said if verdict == "approved"}
            assert len(agreed) >= max(2 if rules.four_eyes else 1, rules.needs if isinstance(rules.needs, int) else 1)
        if state == "rejected":
            assert "rejected" in verdicts


@pytest.mark.parametrize("steps", [25])
def test_any_order(dsn: str, steps: int) -> None:
    migrate(dsn)
    machine = type("OnThisLedger", (AnyOrder,), {"dsn": dsn})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_the_chairs_of_the_oracle_are_those_of_the_company() -> None:
    day = date(2026, 11, 23)
    people = company()
    assert set(people.holders("buyer", day)) == CHAIRS["position:buyer"]
    board = {name for seat in people.with_role("board") for name in people.holders(seat, day)}
    assert board == CHAIRS["role:board"]
