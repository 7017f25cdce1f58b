"""Telling people, each thing once: one message for all, put off over quiet hours, stopped by the answer."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.unit.people.company import CN, NAMES, NOW, OFFICE, ask, company, delegation, person
from throughline.errors import InDoubt, RateLimited, Rejected, Transient
from throughline.people.answering import Reply
from throughline.people.desk import Desk
from throughline.people.links import Links
from throughline.people.messages import SMS_LONGEST
from throughline.people.passing_time import sweep
from throughline.people.quiet import allowed, digest_moment
from throughline.people.telling import Message, Teller

KEY = "k" * 40


class Post:
    """Takes messages; `fails` are raised one after the other first."""

    def __init__(self, *fails: Exception) -> None:
        self.fails = list(fails)
        self.messages: list[Message] = []

    def __call__(self, message: Message) -> None:
        if self.fails and (problem := self.fails.pop(0)):
            raise problem
        self.messages.append(message)


def open_(books, desk: Desk, *questions) -> list[int]:
    with books() as open_books:
        made = desk.open(open_books, list(questions))
    return [made[question.key] for question in questions]


def states(dsn: str) -> list[tuple]:
    with psycopg.connect(dsn) as connection:
        return connection.execute("select person, occasion, channel, state from notices order by id").fetchall()


def test_ten_tasks_are_one_message_and_a_second_round_says_nothing(ledger, books, desk):
    open_(books, desk, *(ask(key=f"PR-{n}") for n in range(10)))
    post = Post()
    teller = Teller(ledger, desk, post)
    assert teller.tell().sent == 1
    assert teller.tell().sent == 0
    [message] = post.messages
    assert (message.person, message.channel, message.address) == ("wang", "mail", "wang@x.example")
    assert message.subject == "【贯通】新任务:10 项待办"
    assert all(f"purchase_requisition:oa:PR-{n}(" in message.body for n in range(10))


def test_reminders_gather_at_the_persons_moment_and_list_all_that_waits(ledger, books, desk, clock, dsn):
    remind = {"first": "30m", "again": "8h", "at_most": 1}
    early, late = open_(books, desk, ask(key="PR-1", remind=remind), ask(key="PR-2", remind={**remind, "first": "1h"}))
    post = Post()
    teller = Teller(ledger, desk, post)
    teller.tell()
    for _ in range(8):
        clock.pass_(minutes=30)
        with books() as open_books:
            sweep(desk, open_books)
        teller.tell()
    assert [message.subject for message in post.messages] == ["【贯通】新任务:2 项待办"]
    clock.now = datetime(2026, 11, 23, 14, 0, tzinfo=CN)
    teller.tell()
    assert len(post.messages) == 2
    assert "PR-1" in post.messages[1].body
    assert "PR-2" in post.messages[1].body
    assert {early, late} == {1, 2}


def test_an_answer_stops_what_was_about_to_be_said(ledger, books, desk, dsn):
    [task] = open_(books, desk, ask("position:buyer"))
    with books() as open_books:
        desk.answer(open_books, task, Reply("li", "approved", "v1", "request-1"))
    post = Post()
    assert Teller(ledger, desk, post).tell().sent == 1  # the requester hears how it ended, the buyers nothing more
    assert [(message.person, "已批准" in message.body) for message in post.messages] == [("chen", True)]
    assert {row[3] for row in states(dsn) if row[0] in ("li", "sun")} == {"dropped"}


def test_whoever_agreed_is_not_reminded_while_others_are(ledger, books, desk, clock):
    [task] = open_(books, desk, ask("position:buyer", four_eyes=True, remind={"first": "2h", "again": "8h"}))
    with books() as open_books:
        desk.answer(open_books, task, Reply("li", "approved", "v1", "request-1"))
    post = Post()
    teller = Teller(ledger, desk, post)
    clock.pass_(hours=2)
    with books() as open_books:
        sweep(desk, open_books)
    clock.now = datetime(2026, 11, 23, 14, 0, tzinfo=CN)
    teller.tell()
    assert {message.person for message in post.messages} == {"sun"}


def test_a_sender_that_dies_leaves_a_doubt_that_is_never_sent_again(ledger, books, desk, clock, dsn):
    open_(books, desk, ask())

    class Killed(BaseException):
        pass

    with pytest.raises(Killed):
        Teller(ledger, desk, Post(Killed())).tell()
    assert [row[3] for row in states(dsn)] == ["sending"]
    post = Post()
    teller = Teller(ledger, desk, post)
    assert teller.tell().sent == 0
    clock.pass_(minutes=11)
    assert teller.tell().in_doubt == 1
    open_(books, desk, ask())  # a replay of the step plans nothing anew
    assert teller.tell().sent == 0
    assert post.messages == []
    assert [row[3] for row in states(dsn)] == ["in_doubt"]


def test_a_doubt_is_not_sent_again_and_a_passing_failure_is(ledger, books, desk, clock, dsn):
    open_(books, desk, ask())
    post = Post(Transient("no line"), RateLimited("too many", retry_after=600))
    teller = Teller(ledger, desk, post)
    assert teller.tell().put_off == 1
    assert teller.tell().sent == 0
    clock.pass_(minutes=1)
    assert teller.tell().put_off == 1
    clock.pass_(minutes=9)
    assert teller.tell().sent == 0
    clock.pass_(minutes=1)
    assert teller.tell().sent == 1
    open_(books, desk, ask(key="PR-2"))
    assert Teller(ledger, desk, Post(InDoubt("silence"))).tell().in_doubt == 1
    clock.pass_(days=3)
    assert teller.tell().sent == 0
    assert sorted(row[3] for row in states(dsn)) == ["in_doubt", "sent"]


def test_a_channel_that_refuses_is_followed_by_the_next_one(ledger, books, dsn):
    channels = {"dingtalk": "13800000002", "mail": "wang@x.example"}
    people = {name: person(name) for name in NAMES} | {
        "wang": person("wang", channels=channels, tell_by=["dingtalk", "mail"], links_by=["mail"])
    }
    desk = Desk(company(people=people))
    open_(books, desk, ask())
    post = Post(Rejected("the group is gone"))
    numbers = itertools.count(1)
    links = Links("https://hub.example", [KEY], nonce=lambda: str(next(numbers)))
    teller = Teller(ledger, desk, post, links)
    assert teller.tell().failed == 1
    assert teller.tell().sent == 1
    assert [row[1:] for row in states(dsn)] == [("opened", "dingtalk", "failed"), ("opened", "mail", "sent")]
    [mail] = post.messages
    assert mail.channel == "mail"
    token = mail.body.partition("https://hub.example/people/answer?t=")[2].split()[0]
    assert links.read(token, NOW).person == "wang"


def test_a_groups_chat_never_gets_a_link_that_answers(ledger, books):
    people = {name: person(name) for name in NAMES} | {
        "wang": person("wang", channels={"wecom": "wang"}, tell_by=["wecom"])
    }
    desk = Desk(company(people=people))
    open_(books, desk, ask())
    post = Post()
    Teller(ledger, desk, post, Links("https://hub.example", [KEY], nonce=lambda: "n")).tell()
    [message] = post.messages
    assert "people/answer" not in message.body


def test_a_short_message_is_short_and_says_when_the_first_is_due(ledger, books):
    people = {name: person(name) for name in NAMES} | {
        "wang": person("wang", channels={"sms": "13800000001"}, tell_by=["sms"])
    }
    desk = Desk(company(people=people))
    open_(books, desk, *(ask(key=f"PR-{n}", due="1d", title={"en": "x", "zh": "长" * 200}) for n in range(2)))
    post = Post()
    Teller(ledger, desk, post).tell()
    [message] = post.messages
    assert message.body == "【贯通】新任务:2 项待办,最早到期 11-24 09:00"
    assert len(message.body) <= SMS_LONGEST


def test_the_delegate_is_told_too(ledger, books, desk):
    on_leave = Desk(replace(desk.organisation, delegations=(delegation("wang", "li"),)))
    open_(books, on_leave, ask())
    post = Post()
    Teller(ledger, on_leave, post).tell()
    assert {message.person for message in post.messages} == {"wang", "li"}


QUIET = {"start": "20:00", "end": "08:00"}


@pytest.mark.parametrize(
    ("quiet", "moment", "told"),
    [
        (None, (28, 3), (28, 3)),
        (QUIET, (23, 19), (23, 19)),
        (QUIET, (23, 20), (24, 8)),
        (QUIET, (24, 7), (24, 8)),
        (QUIET, (27, 21), (30, 8)),  # Friday evening: not before Monday
        (QUIET, (28, 12), (30, 8)),
        ({**QUIET, "rest_days": False}, (28, 12), (28, 12)),
        ({"start": "12:00", "end": "13:00"}, (23, 12), (23, 13)),
        ({"start": "12:00", "end": "13:00"}, (29, 12), (30, 0)),
    ],
)
def test_quiet_hours(quiet, moment, told):
    somebody = person("li", quiet=quiet)
    day, hour = moment
    found = allowed(somebody, OFFICE, datetime(2026, 11, day, hour, tzinfo=CN))
    assert found == datetime(2026, 11, told[0], told[1], tzinfo=CN)
    assert found.tzinfo is UTC


def test_digests_wait_for_the_persons_moments():
    somebody = person("li", quiet=QUIET, digests=["09:00", "16:00"])
    at = [(23, 8), (23, 9), (23, 10), (23, 17), (27, 17)]
    found = [digest_moment(somebody, OFFICE, datetime(2026, 11, day, hour, tzinfo=CN)) for day, hour in at]
    told = [(23, 9), (23, 9), (23, 16), (24, 9), (30, 8)]
    assert found == [datetime(2026, 11, day, hour, tzinfo=CN) for day, hour in told]
    assert timedelta(0) <= found[0] - datetime(2026, 11, 23, 8, tzinfo=CN)


def test_two_senders_at_once_say_everything_once(ledger, books, desk):
    open_(books, desk, ask("role:board", needs=2), ask("position:buyer", key="PR-2"), ask("position:boss", key="PR-3"))
    post = Post()
    threads = [threading.Thread(target=Teller(ledger, desk, post).tell) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    told = [message.person for message in post.messages]
    assert sorted(told) == ["he", "li", "sun", "wang", "zhao", "zhou"]


def test_a_sender_that_dies_leaves_only_its_own_message_in_doubt(ledger, books, desk, dsn):
    open_(books, desk, ask("position:buyer"), ask("position:boss", key="PR-2"))
    with pytest.raises(KeyboardInterrupt):
        Teller(ledger, desk, Post(KeyboardInterrupt())).tell()
    post = Post()
    assert Teller(ledger, desk, post).tell().sent == 2
    assert sorted(row[3] for row in states(dsn)) == ["sending", "sent", "sent"]
