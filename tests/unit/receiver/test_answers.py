"""People's doors on real sockets: who may, once, in time, about what they saw; and nothing told to strangers."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import shutil
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import psycopg
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.people.company import NOW, ask, company
from throughline.errors import Misconfigured
from throughline.ledger import Ledger, migrate
from throughline.people.desk import Desk
from throughline.people.links import BadLink, Link, Links
from throughline.receiver.answers import AnswerDoors
from throughline.receiver.application import create_app
from throughline.receiver.people_doors import PeopleDoor, people_door

KEY = "k" * 40
TOKENS = {name: f"token-of-{name}-{'x' * 20}" for name in ("wang", "li", "sun", "chen", "zhou")}


class Hub:
    """A receiver with open doors for people, and the ledger behind it."""

    def __init__(self, dsn: str) -> None:
        self.now = NOW
        self.dsn = dsn
        self.ledger = Ledger(dsn, clock=lambda: self.now)
        self.desk = Desk(company())
        numbers = itertools.count(1)
        self.links = Links("http://hub.example", [KEY], nonce=lambda: f"nonce-{next(numbers)}")
        tokens = {name: hashlib.sha256(token.encode()).digest() for name, token in TOKENS.items()}
        doors = AnswerDoors(self.ledger, PeopleDoor(lambda: self.desk, self.links, tokens), lambda: self.now)
        self.app = create_app(self.ledger, {}, clock=lambda: self.now, people=doors)
        self.client = httpx.Client(timeout=20)

    def open(self, *whom: str, **more) -> int:
        question = ask(*whom, **more)
        with self.ledger.transaction() as books:
            return self.desk.open(books, [question])[question.key]

    def get(self, path: str, who: str = "wang") -> httpx.Response:
        return self.client.get(path, headers={"authorization": f"Bearer {TOKENS.get(who, who)}"})

    def answer(self, task: int, who: str = "wang", *, request: str = "request-1", **body) -> httpx.Response:
        told = {"verdict": "approved", "content_hash": "v1", **body}
        headers = {"authorization": f"Bearer {TOKENS.get(who, who)}", "idempotency-key": request}
        return self.client.post(f"/people/tasks/{task}/answers", json=told, headers=headers)

    def link(self, task: int, who: str = "wang", content: str = "v1") -> str:
        return self.links.address(task, who, content, self.now).removeprefix("http://hub.example")

    def press(self, link: str, verdict: str = "approved", **fields: str) -> httpx.Response:
        told = {"t": link.partition("t=")[2], "verdict": verdict, **fields}
        return self.client.post("/people/answer", data=told)

    def rows(self, statement: str) -> list[tuple]:
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture
def hub(postgres_dsn):
    migrate(postgres_dsn)
    hub = Hub(postgres_dsn)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(hub.app, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    hub.client.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield hub
    server.should_exit = server.force_exit = True
    thread.join(5)
    hub.client.close()
    hub.ledger.close()


def test_somebody_sees_their_tasks_and_answers_one_once(hub):
    task = hub.open(amount="900.10", form={"reason": {"title": {"en": "R", "zh": "理由"}, "required": True}})
    other = hub.open("position:finance", key="PR-2")
    [listed] = hub.get("/people/tasks").json()["tasks"]
    assert (listed["id"], listed["amount"], listed["content_hash"]) == (task, "900.10", "v1")
    assert hub.get(f"/people/tasks/{task}").json()["form"]["reason"]["required"] is True
    assert hub.answer(task).status_code == 422
    assert hub.answer(task).json()["fields"]["reason"]["zh"] == "必填"
    first = hub.answer(task, values={"reason": "用完了"})
    again = hub.answer(task, values={"reason": "用完了"})
    assert (first.status_code, first.json()["state"], first.json()["repeated"]) == (200, "approved", False)
    assert (again.status_code, again.json()["state"], again.json()["repeated"]) == (200, "approved", True)
    assert hub.answer(task, values={"reason": "else"}).status_code == 422
    assert hub.answer(task, request="request-2", values={"reason": "x"}).status_code == 409
    assert hub.rows("select person, form->>'reason' from task_answers") == [("wang", "用完了")]
    assert hub.get(f"/people/tasks/{other}").status_code == 404


def test_what_is_none_of_theirs_looks_like_what_does_not_exist(hub):
    task = hub.open()
    for number in (task, task + 1000, 2**63, 10**40, "9" * 5000, "١", "-1", "x"):
        seen, tried = hub.get(f"/people/tasks/{number}", "sun"), hub.answer(number, "sun")
        assert (seen.status_code, tried.status_code) == (404, 404)
        assert seen.json() == tried.json() == {
            "error": "unknown", "message": {"en": "there is no such task for you", "zh": "没有您的此项任务"},
        }  # fmt: skip


def test_nobody_gets_in_without_a_token_and_nobody_answers_their_own_request(hub):
    task = hub.open(requester="li")
    for headers in (
        {},
        {"authorization": "Bearer"},
        {"authorization": "Basic d2FuZzp4"},
        {"authorization": "Bearer x"},
    ):
        for path in ("/people/tasks", f"/people/tasks/{task}"):
            assert hub.client.get(path, headers=headers).status_code == 401
        assert hub.client.post(f"/people/tasks/{task}/answers", headers=headers, json={}).status_code == 401
        assert hub.client.post(f"/people/tasks/{task}/urges", headers=headers).status_code == 401
    own = hub.answer(task, "li")
    assert (own.status_code, own.json()["error"]) == (403, "own_request")
    assert hub.rows("select count(*) from task_answers") == [(0,)]


def test_every_route_for_people_is_closed_to_strangers(hub):
    """Walked, not listed: whoever adds a route without a check fails here."""
    walked = 0
    for route in hub.app.routes:
        if not route.path.startswith("/people"):
            continue
        for method in route.methods - {"HEAD"}:
            path = route.path.replace("{task}", "1")
            status = hub.client.request(method, path).status_code
            assert status in (401, 404, 415), f"{method} {path} answered {status}"
            walked += 1
    assert walked == 6


def test_too_many_wrong_tokens_are_not_even_compared(hub):
    answers = [hub.get("/people/tasks", "wrong").status_code for _ in range(22)]
    assert answers == [401] * 20 + [429] * 2
    hub.now += timedelta(seconds=30)
    assert hub.get("/people/tasks").status_code == 200


def test_too_many_calls_of_one_person_wait_while_others_go_on(hub):
    answers = [hub.get("/people/tasks").status_code for _ in range(121)]
    assert answers == [200] * 120 + [429]
    assert int(hub.get("/people/tasks").headers["retry-after"]) >= 1
    assert hub.get("/people/tasks", "li").status_code == 200


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ('{"verdict":"approved","content_hash":"v1","state":"approved"}', {}, 400),
        ('{"verdict":"approved"}', {}, 400),
        ('{"verdict":1,"content_hash":"v1"}', {}, 400),
        ("[" * 9000, {}, 400),
        ("\xff", {}, 400),
        ('{"verdict":"approved","content_hash":"v1"}', {"idempotency-key": "short"}, 400),
        ('{"verdict":"approved","content_hash":"v1"}', {"content-type": "text/plain"}, 415),
        ('{"verdict":"approved","content_hash":"v1","comment":"' + "x" * 21_000 + '"}', {}, 413),
        ('{"verdict":"maybe","content_hash":"v1"}', {}, 422),
        ('{"verdict":"approved","content_hash":"v1","values":{"state":"approved"}}', {}, 422),
        ('{"verdict":"rejected","content_hash":"v1"}', {}, 422),
        ('{"verdict":"approved","content_hash":"v0"}', {}, 409),
        ('{"verdict":"approved","content_hash":"v1","on_behalf_of":"zhou"}', {}, 404),
    ],
)
def test_what_does_not_fit_is_refused(hub, body, headers, status):
    task = hub.open()
    told = {"authorization": f"Bearer {TOKENS['wang']}", "idempotency-key": "request-1",
            "content-type": "application/json", **headers}  # fmt: skip
    answer = hub.client.post(f"/people/tasks/{task}/answers", content=body.encode("latin-1"), headers=told)
    assert (answer.status_code, hub.rows("select state from tasks")) == (status, [("open",)]), answer.text


DEEP = st.integers(1, 3000).map(lambda depth: b'{"verdict":"approved","content_hash":"v1","values":' + b'{"a":' * depth)
BODIES = st.one_of(
    st.binary(max_size=200),
    DEEP,
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=9) | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=6,
    ).map(lambda value: json.dumps({"verdict": "approved", "content_hash": "v1", "values": value}).encode()),
    st.text(max_size=60).map(
        lambda text: json.dumps({"verdict": text, "content_hash": "v1", "comment": text}).encode()
    ),
)
FORMS = st.dictionaries(st.sampled_from(["verdict", "comment", "field.limit", "t", "x"]), st.text(max_size=30))


def test_no_body_brings_a_door_down(hub):
    form = {"limit": {"kind": "number", "title": {"en": "L", "zh": "L"}}}
    task, numbers = hub.open("position:buyer", form=form), itertools.count(1)

    @settings(max_examples=80, deadline=None)
    @given(BODIES, FORMS)
    def attempt(body: bytes, fields: dict[str, str]) -> None:
        hub.now += timedelta(minutes=1)
        headers = {"authorization": f"Bearer {TOKENS['li']}", "idempotency-key": f"request-{next(numbers)}",
                   "content-type": "application/json"}  # fmt: skip
        answer = hub.client.post(f"/people/tasks/{task}/answers", content=body, headers=headers)
        assert answer.status_code < 500, answer.text
        token = hub.links.token(Link(task, "sun", "v1", hub.now + timedelta(days=1), f"fuzz-{next(numbers)}"))
        assert hub.client.post("/people/answer", data={"t": token, **fields}).status_code < 500

    attempt()
    many = {f"f{n}": "x" for n in range(200)}
    assert hub.client.post("/people/answer", data=many).status_code == 400


def test_urging_through_the_door(hub):
    task = hub.open(requester="chen")
    headers = {"authorization": f"Bearer {TOKENS['chen']}"}
    assert hub.client.post(f"/people/tasks/{task}/urges", headers=headers).json() == {"id": task, "urged": 1}
    assert hub.client.post(f"/people/tasks/{task}/urges", headers=headers).status_code == 429


def test_opening_a_link_does_nothing_and_pressing_the_button_answers_once(hub):
    task = hub.open()
    link = hub.link(task)
    before = hub.rows("select * from tasks") + hub.rows("select * from used_links")
    for _ in range(3):
        page = hub.client.get(link)
        assert (page.status_code, hub.client.head(link).status_code) == (200, 200)
    assert "批准" in page.text
    assert "Approve" in page.text
    assert before == hub.rows("select * from tasks") + hub.rows("select * from used_links")
    answers = [hub.press(link), hub.press(link), hub.client.get(link)]
    assert [answer.status_code for answer in answers] == [200, 410, 410]
    assert hub.rows("select person, verdict, request_id from task_answers") == [("wang", "approved", "link:nonce-1")]


def test_pressing_at_once_counts_once(hub):
    task = hub.open("position:buyer", four_eyes=True)
    link, answers = hub.link(task, "li"), []
    threads = [threading.Thread(target=lambda: answers.append(hub.press(link).status_code)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(answers) == [200, 410, 410, 410]
    assert hub.rows("select count(*) from task_answers") == [(1,)]


def test_a_link_is_for_one_content_one_person_and_one_week(hub):
    task = hub.open()
    old, stranger = hub.link(task), hub.link(task, "sun")
    assert hub.press(stranger).status_code == 404
    assert hub.client.get(stranger).status_code == 410
    hub.open(content="v2")
    assert (hub.press(old).status_code, hub.client.get(old).status_code) == (409, 410)
    hub.now += timedelta(days=7)
    assert (hub.press(old).status_code, hub.client.get(old).status_code) == (404, 404)
    assert hub.rows("select count(*) from task_answers") == [(0,)]


def test_a_form_filled_in_badly_does_not_spend_the_link(hub):
    limit = {"kind": "number", "title": {"en": "Amount", "zh": "金额"}, "required": True, "at_most": "100.00"}
    task = hub.open(form={"limit": limit})
    link = hub.link(task)
    assert hub.press(link, **{"field.limit": "100.01"}).status_code == 422
    assert hub.press(link, "rejected").status_code == 422
    assert hub.press(link, **{"field.limit": "99.90"}).status_code == 200
    assert hub.rows("select form->>'limit' from task_answers") == [("99.90",)]


def test_what_a_document_says_is_never_markup(hub):
    evil = '"><script>alert(1)</script>'
    form = {"evil": {"kind": "choice", "title": {"en": evil, "zh": evil}, "choices": {"a": {"en": evil, "zh": evil}}}}
    question = ask(key=evil, requester="chen", form=form)
    with hub.ledger.transaction() as books:
        task = hub.desk.open(books, [question])[question.key]
    page = hub.client.get(hub.link(task))
    assert "<script" not in page.text
    assert evil in unescape(page.text)
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("no-referrer", "no-store")
    style = re.search(r"<style>(.*?)</style>", page.text)
    assert style
    assert "sha256-" in policy


NUMBERS = itertools.count(1)
SIGNER = Links("http://hub.example", [KEY], nonce=lambda: f"n{next(NUMBERS)}")
TOKEN = SIGNER.token(Link(7, "wang", "v1", datetime(2026, 12, 1, tzinfo=UTC), "nonce"))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(TOKEN) - 1), st.integers(1, 127))
def test_a_link_that_was_touched_anywhere_is_worthless(place: int, flip: int) -> None:
    touched = TOKEN[:place] + chr(ord(TOKEN[place]) ^ flip) + TOKEN[place + 1 :]
    with pytest.raises(BadLink):
        SIGNER.read(touched, NOW)


@settings(deadline=None)
@given(st.text(max_size=80))
def test_no_text_is_a_link(text: str) -> None:
    for token in (text, f"{text}.{text}", f"{TOKEN}{text}" if text else "", TOKEN.partition(".")[0] + "." + text):
        with pytest.raises(BadLink):
            SIGNER.read(token, NOW)


def test_keys_are_changed_without_losing_links():
    newer = Links("http://hub.example", ["n" * 40, KEY], nonce=lambda: "x")
    assert newer.read(TOKEN, NOW).person == "wang"
    assert Links("", ["n" * 40], nonce=str).read(newer.token(newer.read(TOKEN, NOW)), NOW).task_id == 7
    with pytest.raises(BadLink):
        Links("", ["n" * 40], nonce=str).read(TOKEN, NOW)
    with pytest.raises(Misconfigured, match="32 characters"):
        Links("", ["short"], nonce=str)


def test_the_connection_says_who_may_call(tmp_path):
    folder = Path(__file__).parents[3] / "include" / "people"
    assert people_door({}, folder, lambda: NOW) is None

    def door(**extra):
        told = {"host": "http://hub", "password": KEY, "extra": {"tokens": {"wang.lei": "t" * 24}, **extra}}
        return people_door({"AIRFLOW_CONN_PEOPLE": json.dumps(told)}, folder, lambda: NOW)

    found = door()
    assert found
    assert (found.person_of("t" * 24), found.person_of("t" * 25)) == ("wang.lei", None)
    with pytest.raises(Misconfigured, match=r"not in people\.yaml"):
        door(tokens={"nobody": "t" * 24})
    with pytest.raises(Misconfigured, match="24 characters"):
        door(tokens={"wang.lei": "short"})
    with pytest.raises(Misconfigured, match="the same token"):
        door(tokens={"wang.lei": "t" * 24, "li.na": "t" * 24})
    shutil.copytree(folder, tmp_path / "people")
    clock = [NOW]
    told = {"host": "http://hub", "password": KEY, "extra": {"tokens": {"wang.lei": "t" * 24}}}
    changing = people_door({"AIRFLOW_CONN_PEOPLE": json.dumps(told)}, tmp_path / "people", lambda: clock[0])
    assert changing
    holders = tmp_path / "people" / "holders.yaml"
    holders.write_text(
        holders.read_text().replace("person: wang.lei, since: 2025-03-01", "person: li.na, since: 2025-03-01")
    )
    clock[0] += timedelta(seconds=6)
    assert changing.desk().organisation.holders("purchasing_manager", NOW.date()) == ("li.na",)
    holders.write_text("holders: [")
    clock[0] += timedelta(seconds=6)
    assert changing.desk().organisation.holders("purchasing_manager", NOW.date()) == ("li.na",)
