"""The desk over a real ledger: opened once, answered once, superseded, handed over, reminded, escalated, expired."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, timedelta

import psycopg
import pytest

from tests.unit.people.company import NOW, OFFICE, ask, company, delegation, without
from throughline.errors import Misconfigured
from throughline.ledger import tasks
from throughline.people.answering import Refused, Reply
from throughline.people.desk import Desk
from throughline.people.organisation import Holding
from throughline.people.passing_time import hand_over, refresh, sweep


def reply(person: str, verdict: str = "approved", *, content: str = "v1", request: str = "r1", **more) -> Reply:
    comment = more.pop("comment", "why" if verdict in ("rejected", "sent_back") else "")
    return Reply(person, verdict, content, request, comment=comment, **more)


def opened(books, desk: Desk, question) -> int:
    with books() as open_books:
        return desk.open(open_books, [question])[question.key]


def answered(books, desk: Desk, task: int, given: Reply) -> str:
    with books() as open_books:
        return desk.answer(open_books, task, given).task.state


def notices(dsn: str) -> list[tuple]:
    with psycopg.connect(dsn) as connection:
        return connection.execute("select person, occasion, state from notices order by id").fetchall()


def audit(books) -> list[tuple]:
    with books() as open_books:
        return [(line.actor, line.action, line.details.get("by")) for line in open_books.audit.lines()]


def test_opening_again_is_opening_once(books, desk, dsn):
    question = ask(remind={"first": "4h", "again": "8h"}, due="2d")
    first, again = opened(books, desk, question), opened(books, desk, question)
    assert first == again
    assert notices(dsn) == [("wang", "opened", "planned")]
    assert answered(books, desk, first, reply("wang")) == "approved"
    assert opened(books, desk, question) == first
    with books() as open_books:
        verdict = desk.verdicts(open_books, [question])[question.key]
    assert (verdict.state, verdict.content_hash, verdict.people) == ("approved", "v1", ("wang",))


def test_a_changed_document_withdraws_the_question_and_refuses_the_old_answer(books, desk):
    old = opened(books, desk, ask())
    new = opened(books, desk, ask(content="v2"))
    assert new != old
    with pytest.raises(Refused) as refused:
        answered(books, desk, old, reply("wang"))
    assert refused.value.code == "changed"
    with pytest.raises(Refused) as refused:
        answered(books, desk, new, reply("wang"))
    assert refused.value.code == "changed"
    assert answered(books, desk, new, reply("wang", content="v2")) == "approved"
    back = opened(books, desk, ask())  # changed back while nothing was approved about it
    assert back not in (old, new)
    assert answered(books, desk, back, reply("wang", request="r3")) == "approved"


def test_the_same_request_again_is_the_same_answer_and_another_by_its_id_is_refused(books, desk, dsn):
    task = opened(books, desk, ask())
    assert answered(books, desk, task, reply("wang")) == "approved"
    assert answered(books, desk, task, reply("wang")) == "approved"
    with pytest.raises(Refused) as refused:
        answered(books, desk, task, reply("wang", "rejected"))
    assert refused.value.code == "other_request"
    with pytest.raises(Refused) as refused:
        answered(books, desk, task, reply("wang", request="r2"))
    assert refused.value.code == "closed"
    assert [line for line in audit(books) if line[1] == "answered"] == [("wang", "answered", "wang")]


def test_two_approvers_at_once_give_exactly_one_outcome(books, desk, dsn):
    for n in range(8):
        task = opened(books, desk, ask("position:buyer", key=f"PR-{n}"))
        outcomes: list[str] = []
        start = threading.Barrier(2)

        def decide(person: str, verdict: str, task=task, outcomes=outcomes, start=start) -> None:
            start.wait()
            try:
                outcomes.append(answered(books, desk, task, reply(person, verdict, request=person)))
            except Refused as refused:
                outcomes.append(refused.code)

        threads = [threading.Thread(target=decide, args=about) for about in (("li", "approved"), ("sun", "rejected"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(outcomes) in (["approved", "closed"], ["closed", "rejected"])
        with psycopg.connect(dsn) as connection:
            [(answers,)] = connection.execute("select count(*) from task_answers where task_id = %s", [task]).fetchall()
        assert answers == 1


def test_a_delegate_answers_for_the_principal_and_the_audit_says_so(books, desk):
    on_leave = Desk(replace(desk.organisation, delegations=(delegation("wang", "li"),)))
    task = opened(books, on_leave, ask())
    assert answered(books, on_leave, task, reply("li")) == "approved"
    assert ("li", "answered", "li for wang") in audit(books)


def test_after_x_for_y_neither_answers_again(books, desk):
    on_leave = Desk(
        replace(desk.organisation, delegations=(delegation("wang", "li"), delegation("zhao", "li", number=2)))
    )
    task = opened(books, on_leave, ask("role:board", needs=2))
    assert answered(books, on_leave, task, reply("li", request="li-1")) == "open"
    for person in ("wang", "li"):
        with pytest.raises(Refused) as refused:
            answered(books, on_leave, task, reply(person, request=f"{person}-2"))
        assert refused.value.code == "answered_already"
    assert answered(books, on_leave, task, reply("zhao")) == "approved"


def test_whoever_lost_the_position_cannot_answer_and_the_new_holder_can(books, desk):
    task = opened(books, desk, ask())
    moved = tuple(
        Holding("buying", "he", date(2026, 1, 1)) if holding.position == "buying" else holding
        for holding in desk.organisation.holdings
    )
    later = Desk(replace(desk.organisation, holdings=moved))
    with pytest.raises(Refused) as refused:
        answered(books, later, task, reply("wang"))
    assert refused.value.code == "unknown"
    assert answered(books, later, task, reply("he")) == "approved"


def test_nothing_stays_with_somebody_who_left(books, desk, clock, dsn):
    task = opened(books, desk, ask())
    named = opened(books, desk, ask("person:wang", key="PR-2"))
    gone = Desk(without(desk.organisation, "wang", date(2026, 11, 23), successor="sun"))
    clock.pass_(days=1)
    with books() as open_books:
        assert sweep(gone, open_books).handed_over == 2
        assert sweep(gone, open_books).handed_over == 0
        assert open_books.tasks.people([task, named]) == {
            task: {"sun": ["position:buying"]}, named: {"sun": ["person:wang"]},
        }  # fmt: skip
        assert open_books.tasks.held_by(["wang"]) == []
    assert ("sun", "handed_over:2026-11-24", "planned") in notices(dsn)
    assert answered(books, gone, task, reply("sun")) == "approved"


def test_without_a_successor_it_goes_to_the_superior_and_the_owner_is_asked_to_appoint(books, desk, clock):
    task = opened(books, desk, ask())
    gone = Desk(without(desk.organisation, "wang", date(2026, 11, 23)))
    clock.pass_(days=1)
    with books() as open_books:
        assert hand_over(gone, open_books) == 1
        assert list(open_books.tasks.people([task])[task]) == ["zhou"]
    another = opened(books, gone, ask("position:steward", key="PR-9"))
    again = opened(books, gone, ask("position:steward", key="PR-10"))
    with books() as open_books:
        assert list(open_books.tasks.people([another])[another]) == ["zhou"]
        asked = {row.subject: row for row, _ in gone.tasks_of(open_books, "zhou").tasks if row.flow == "organisation"}
    assert set(asked) == {"position:steward", "position:buying"}
    assert again != another
    assert "空缺" in asked["position:steward"].rules["title"]["zh"]
    done = reply("zhou", "done", content=asked["position:steward"].content_hash)
    assert answered(books, gone, asked["position:steward"].id, done) == "done"


def test_a_new_organisation_is_looked_up_for_all_that_is_open(books, desk):
    tasks = [opened(books, desk, ask(key=f"PR-{n}")) for n in range(5)]
    moved = tuple(h for h in desk.organisation.holdings if h.position != "buying")
    later = Desk(replace(desk.organisation, holdings=(*moved, Holding("buying", "he", date(2026, 1, 1)))))
    with books() as open_books:
        changed, after = refresh(later, open_books, limit=3)
        assert (changed, after) == (3, tasks[2])
        assert refresh(later, open_books, after=after, limit=3) == (2, None)
        assert {name for named in open_books.tasks.people(tasks).values() for name in named} == {"he"}


def test_time_reminds_escalates_and_ends_it(books, desk, clock, dsn):
    question = ask(
        "position:buyer", due="1d", soon="2h", remind={"first": "2h", "again": "2h", "at_most": 2},
        escalate={"after": "1h", "again": "4h"}, expire="3d",
    )  # fmt: skip
    task = opened(books, desk, question)

    def swept(hours: float) -> list[tuple]:
        before = len(notices(dsn))
        clock.now = NOW + timedelta(hours=hours)
        with books() as open_books:
            sweep(desk, open_books)
            sweep(desk, open_books)
        return [row[:2] for row in notices(dsn)[before:]]

    assert swept(1.9) == []
    assert swept(2) == [("li", "remind:1"), ("sun", "remind:1")]
    # 8 working hours from 09:00 end at 09:00 the next day: 24 hours on
    assert swept(23.5) == [
        ("li", "remind:2"), ("sun", "remind:2"), ("li", "soon:1"), ("sun", "soon:1"),
    ]  # fmt: skip
    assert swept(24) == [("li", "overdue:1"), ("sun", "overdue:1"), ("chen", "overdue:1")]
    assert swept(25) == [("li", "escalate:1"), ("sun", "escalate:1"), ("wang", "escalate:1")]
    with books() as open_books:
        assert set(open_books.tasks.people([task])[task]) == {"li", "sun", "wang"}
        [level] = open_books.tasks.levels()
        assert (level.open, level.overdue, level.escalated) == (1, 1, 1)
    assert swept(72) == [("chen", "expire:1")]
    with books() as open_books:
        verdict = desk.verdicts(open_books, [question])[question.key]
        assert open_books.tasks.next_due() is None
    assert (verdict.state, verdict.people) == ("timed_out", ())
    with pytest.raises(Refused) as refused:
        answered(books, desk, task, reply("wang"))
    assert refused.value.code == "closed"


def test_a_superior_answers_after_escalation_and_not_before(books, desk, clock):
    task = opened(books, desk, ask("position:buyer", due="1h", escalate={"after": "1h", "again": "1h"}))
    with pytest.raises(Refused):
        answered(books, desk, task, reply("wang"))
    clock.pass_(hours=2)
    with books() as open_books:
        sweep(desk, open_books)
    assert answered(books, desk, task, reply("wang")) == "approved"


def test_an_answer_stops_the_reminders(books, desk, clock, dsn):
    task = opened(books, desk, ask(remind={"first": "2h", "again": "2h", "at_most": 5}))
    clock.pass_(hours=2)
    with books() as open_books:
        sweep(desk, open_books)
    answered(books, desk, task, reply("wang"))
    clock.pass_(days=9)
    with books() as open_books:
        assert sweep(desk, open_books).tasks == 0
    assert [row for row in notices(dsn) if row[0] == "wang"] == [
        ("wang", "opened", "dropped"), ("wang", "remind:1", "dropped"),
    ]  # fmt: skip


def test_urging_tells_those_who_wait_but_not_every_minute(books, desk, clock, dsn):
    task = opened(books, desk, ask())
    with books() as open_books:
        desk.urge(open_books, task, "chen")
    with books() as open_books, pytest.raises(Refused) as refused:
        desk.urge(open_books, task, "chen")
    assert refused.value.code == "too_soon"
    with books() as open_books, pytest.raises(Refused) as refused:
        desk.urge(open_books, task, "he")
    assert refused.value.code == "unknown"
    clock.pass_(hours=1)
    with books() as open_books:
        desk.urge(open_books, task, "chen")
    assert [row[1] for row in notices(dsn)] == ["opened", "urge:1", "urge:2"]


def test_a_cancelled_process_takes_its_questions_along(books, desk):
    task = opened(books, desk, ask())
    with books() as open_books:
        assert desk.end(open_books, [task], "cancelled", "the requisition was cancelled", actor="crm") == 1
        assert desk.end(open_books, [task], "withdrawn", "again") == 0
        assert desk.tasks_of(open_books, "wang").tasks == ()
    with pytest.raises(Refused) as refused:
        answered(books, desk, task, reply("wang"))
    assert refused.value.code == "closed"


def test_too_few_people_is_a_clear_message_and_nothing_is_opened(books, desk):
    lonely = Desk(company(holdings=(Holding("boss", "zhou", date(2026, 1, 1)),)))
    with books() as open_books, pytest.raises(Misconfigured, match=r"too few people .*2 needed, 1 may"):
        lonely.open(open_books, [ask(four_eyes=True)])
    with books() as open_books:
        assert open_books.tasks.listed() == []


def test_a_company_that_loses_positions_and_its_owner_still_sweeps(books, desk, clock):
    timed = {"due": "1h", "remind": {"first": "1h", "again": "1h"}, "expire": "2h", "requester": None}
    asked = ("position:steward", "role:board", "head_of:finance", "person:sun")
    tasks_ = [opened(books, desk, ask(name, key=name, **timed)) for name in asked]
    people = {"chen": desk.organisation.people["chen"]}
    boss = {"boss": desk.organisation.positions["boss"]}
    whole = {"company": desk.organisation.departments["company"]}
    bare = Desk(replace(desk.organisation, positions=boss, departments=whole, holdings=(), people=people))
    clock.pass_(hours=1)
    with books() as open_books:
        assert sweep(bare, open_books).tasks == 4
    clock.pass_(hours=1)
    with books() as open_books:
        assert sweep(bare, open_books).tasks == 4
        assert {row.state for row in open_books.tasks.load(tasks_)} == {"timed_out"}


def test_ten_thousand_waiting_tasks_cost_nothing_to_a_question_for_what_is_due(books, desk, dsn, clock):
    waiting = opened(books, desk, ask(key="late", remind={"first": "4h", "again": "8h"}))
    with psycopg.connect(dsn) as connection:
        connection.execute(TEN_THOUSAND_MORE, [waiting])
        connection.execute(
            "insert into task_people select 'wang', id, '{position:buying}' from tasks on conflict do nothing"
        )
    early = opened(books, desk, ask(key="early", remind={"first": "1h", "again": "8h"}))
    clock.pass_(hours=1)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze tasks")
        connection.execute("vacuum analyze task_people")
        [(count,)] = connection.execute("select count(*) from tasks where next_at is not null").fetchall()
        assert count == 10_002
        assert rows_read(connection, tasks._DUE, clock.now, 500) == 1
        assert rows_read(connection, tasks._NEXT) == 1
        assert rows_read(connection, tasks._SEATED) <= 4
    with books() as open_books:
        swept = sweep(desk, open_books)
        assert (swept.tasks, swept.notices, swept.handed_over) == (1, 1, 0)
        assert open_books.tasks.load([early])[0].fired == 1


TEN_THOUSAND_MORE = """
insert into tasks (key, place, kind, flow, step, subject, content_hash, rules, plan, due_at, next_at, opened_at)
select key || n, place || n, kind, flow, step, subject || n, content_hash, rules, plan, due_at,
    next_at + n * interval '1 second', opened_at
from tasks, generate_series(1, 10000) as n where id = %s
"""


def rows_read(connection: psycopg.Connection, statement: str, *parameters) -> int:
    """How many rows a statement took from tables and indexes, those thrown away included."""
    [(told,)] = connection.execute(f"explain (analyze, format json) {statement}", parameters).fetchall()

    def scanned(node: dict) -> int:
        below = sum(scanned(child) for child in node.get("Plans", []))
        if "Relation Name" not in node or "Scan" not in node["Node Type"]:
            return below
        rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
        return below + int(rows * node["Actual Loops"])

    return scanned(told[0]["Plan"])


def test_a_calendar_without_the_coming_year_is_a_task_for_the_owner(books, desk, clock):
    lacking = replace(OFFICE, chinese=True, where="include/people/calendars/office.yaml:7")
    owners = Desk(replace(desk.organisation, calendars={"office": lacking}))
    with books() as open_books:
        sweep(owners, open_books)
        sweep(owners, open_books)
        [(row, _)] = owners.tasks_of(open_books, "zhou").tasks
    assert "include/people/calendars/office.yaml:7" in row.about["en"]
    assert "add `2027: {off:" in row.about["en"]
    late = ask(key="late", due="40d")
    with books() as open_books, pytest.raises(Misconfigured, match="does not know the holidays of 2027"):
        owners.open(open_books, [late])
    with books() as open_books:
        assert [one.subject for one in open_books.tasks.listed()] == ["calendar:office"]
