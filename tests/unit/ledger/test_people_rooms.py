"""What the database itself promises about people: asked once, answered once, told once, whoever forgets to check."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from throughline.errors import Transient
from throughline.ledger import Ledger
from throughline.ledger.task_entries import AnswerRow, NewNotice, NewTask, TaskChange


def new(key: str = "k1", place: str = "p1", **more: Any) -> NewTask:
    nothing = {"about": None, "requester": None, "apart_from": (), "amount": None, "currency": None, "plan": ()}
    task = NewTask(key, place, "approve", "f", "s", "", None, "doc", "v1", {}, **nothing, due_at=None, next_at=None)
    return replace(task, **more)


def answer(task: int, person: str, principal: str, now: datetime) -> AnswerRow:
    return AnswerRow(task, person, principal, ["seat"], [], "approved", "r", "d", {}, "", now)


def change(task: int, version: int, state: str, closed_at: datetime | None) -> TaskChange:
    return TaskChange(task, state, version, 0, 0, 0, None, None, closed_at, "")


def test_a_key_is_opened_once_and_a_place_holds_one_open_task(ledger: Ledger) -> None:
    with ledger.transaction() as books:
        first = books.tasks.open([new()])
        assert books.tasks.open([new()]) == {}
        assert books.tasks.open([new("k2")]) == {}
        assert books.tasks.by_key(["k1"])["k1"].id == first["k1"]
        books.tasks.save([change(first["k1"], 2, "withdrawn", books.now)])
        assert set(books.tasks.open([new("k2")])) == {"k2"}


def test_a_change_that_missed_another_one_is_not_written(ledger: Ledger) -> None:
    with ledger.transaction() as books:
        task = books.tasks.open([new()])["k1"]
        books.tasks.save([change(task, 2, "approved", books.now)])
    with ledger.transaction() as books, pytest.raises(Transient):
        books.tasks.save([change(task, 2, "rejected", books.now)])
    with ledger.transaction() as books:
        assert [row.state for row in books.tasks.load([task])] == ["approved"]


@pytest.mark.parametrize(("person", "principal"), [("wang", "wang"), ("wang", "li"), ("sun", "wang")])
def test_nobody_answers_twice_and_no_right_is_used_twice(ledger: Ledger, person: str, principal: str) -> None:
    with ledger.transaction() as books:
        task = books.tasks.open([new()])["k1"]
        books.tasks.add_answer(answer(task, "wang", "wang", books.now))
    with pytest.raises(psycopg.errors.UniqueViolation), ledger.transaction() as books:
        books.tasks.add_answer(answer(task, person, principal, books.now))


def test_the_end_of_a_task_takes_its_people_and_its_timer(ledger: Ledger) -> None:
    with ledger.transaction() as books:
        task = books.tasks.open([new(next_at=books.now)])["k1"]
        books.tasks.seat({task: {"wang": ["a"], "li": ["b"]}})
        books.tasks.seat({task: {"wang": ["a"]}})
        assert books.tasks.people([task]) == {task: {"wang": ["a"]}}
        assert [row.id for row in books.tasks.due()] == [task]
        assert books.tasks.seated() == ["wang"]
        ended = replace(change(task, 2, "cancelled", books.now), next_at=books.now)
        books.tasks.save([ended])
        assert (books.tasks.people([task]), books.tasks.due(), books.tasks.next_due()) == ({}, [], None)


def test_everybody_with_a_task_is_found_person_by_person(ledger: Ledger) -> None:
    names = [f"p{n:02d}" for n in range(30)]
    with ledger.transaction() as books:
        made = books.tasks.open([new(f"k{n}", f"p{n}") for n in range(5)])
        books.tasks.seat({task: {name: ["a"] for name in names} for task in made.values()})
        assert books.tasks.seated() == names
        assert books.tasks.held_by(["p03"]) == sorted(made.values())


def test_a_link_is_spent_once_and_forgotten_when_it_is_too_old(ledger: Ledger, clock: Any) -> None:
    with ledger.transaction() as books:
        task = books.tasks.open([new()])["k1"]
        until = books.now + timedelta(hours=1)
        assert books.tasks.use_link("n", task, "wang", until)
        assert not books.tasks.use_link("n", task, "wang", until)
        assert books.tasks.forget_links() == 0
    clock.pass_(hours=2)
    with ledger.transaction() as books:
        assert books.tasks.forget_links() == 1


def test_a_notice_goes_one_way(ledger: Ledger, clock: Any) -> None:
    with ledger.transaction() as books:
        task = books.tasks.open([new()])["k1"]
        notice = NewNotice("key", task, "wang", "opened", "mail", books.now)
        assert books.notices.plan([notice]) == 1
        assert books.notices.plan([notice, notice]) == 0
        [row] = books.notices.take([one.id for one in books.notices.due()])
        books.notices.begin([row.id], "message")
        assert books.notices.due() == []
        books.notices.drop([row.id], "too late: it is on its way")
    clock.pass_(minutes=20)
    with ledger.transaction() as books:
        assert books.notices.left_sending(timedelta(minutes=10)) == ["message"]
        assert books.notices.settle("message", "sent") == 1
        assert books.notices.settle("message", "failed") == 0
        assert books.notices.put_off("message", books.now, "late") == 0
        assert books.notices.plan([notice]) == 0
        [row] = books.notices.of_tasks([task])
        assert (row.state, row.attempts) == ("sent", 1)


def test_delegations_end_on_time_or_are_taken_back(ledger: Ledger, clock: Any) -> None:
    with ledger.transaction() as books:
        about = {"since": books.now, "until": books.now + timedelta(hours=2), "flows": ["f"], "may_pass_on": False,
                 "note": "", "made_by": "wang"}  # fmt: skip
        row, fresh = books.delegations.make("r1", "wang", "li", **about)
        again, repeated = books.delegations.make("r1", "wang", "li", **about)
        assert (fresh, repeated, row) == (True, False, again)
        assert [one.id for one in books.delegations.lasting()] == [row.id]
    clock.pass_(hours=1)
    with ledger.transaction() as books:
        assert books.delegations.revoke(row.id, by="wang")
        assert books.delegations.lasting() == []
    clock.pass_(minutes=1)
    with ledger.transaction() as books:
        assert books.delegations.revoke(row.id, by="wang") is None
    clock.pass_(hours=3)
    with ledger.transaction() as books:
        other, _ = books.delegations.make("r2", "wang", "li", **{**about, "until": books.now + timedelta(hours=1)})
    clock.pass_(hours=2)
    with ledger.transaction() as books:
        assert books.delegations.lasting() == []
        assert books.delegations.revoke(other.id, by="wang") is None


@pytest.mark.parametrize(
    "statement",
    [
        "update tasks set state = 'approved'",  # without a moment
        "update tasks set closed_at = now()",
        "update tasks set state = 'maybe', closed_at = now()",
        "update tasks set amount = 1",
        "insert into delegations (request_id, principal, delegate, since, until, made_by, made_at) "
        "values ('x', 'a', 'a', now(), now() + interval '1 day', 'a', now())",
        "insert into delegations (request_id, principal, delegate, since, until, made_by, made_at) "
        "values ('x', 'a', 'b', now(), now(), 'a', now())",
    ],
)
def test_what_cannot_be_is_refused_by_the_database(ledger: Ledger, ledger_dsn: str, statement: str) -> None:
    with ledger.transaction() as books:
        books.tasks.open([new()])
    with psycopg.connect(ledger_dsn) as database, pytest.raises(psycopg.errors.CheckViolation):
        database.execute(statement)
