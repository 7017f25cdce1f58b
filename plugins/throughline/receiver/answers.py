"""The doors for people: `/people/tasks` with a token, `/people/answer` with a signed link.

Whoever asks about a task that is none of theirs, or that does not exist, hears the same. A link's page does nothing by
itself, because mail scanners open every link; only its button answers, and only once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from throughline.errors import Invalid, ThroughlineError
from throughline.ledger import Ledger
from throughline.people.answering import Refused, Reply
from throughline.people.links import BadLink, Link
from throughline.people.task_rows import as_task
from throughline.receiver.answer_pages import answered_page, page_of, refusal_page
from throughline.receiver.call_limits import CallLimit
from throughline.receiver.keeping import Keeper
from throughline.receiver.people_doors import PeopleDoor
from throughline.receiver.task_words import read_answer, told

_STATUS = {
    "unknown": 404, "own_request": 403, "closed": 409, "changed": 409, "answered_already": 409, "other_request": 422,
    "wrong_form": 422, "too_soon": 429,
}  # fmt: skip
_REQUEST_ID = re.compile(r"^[A-Za-z0-9_.:-]{8,100}$")
_MOST_BYTES = 20_000
_PAGE = 100
_LONGEST_NUMBER = 18


class _Stop(Exception):
    """An answer is due before the work is done."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class AnswerDoors:
    """The routes for people over one ledger."""

    def __init__(
        self, ledger: Ledger, people: PeopleDoor, clock: Callable[[], datetime], *, seconds: float = 5.0,
        calls_a_minute: int = 120, wrong_tokens_a_minute: int = 20,
    ) -> None:  # fmt: skip
        self._ledger, self._people, self._clock = ledger, people, clock
        self._keeper = Keeper(ledger, seconds=seconds, threads=4)
        self._calls = CallLimit(calls_a_minute, 60, clock)
        self._wrong = CallLimit(wrong_tokens_a_minute, 60, clock)

    def routes(self) -> list[Route]:
        """Every address there is for people; all of them need a token or a signed link."""
        return [
            Route("/people/tasks", self._safe(self._listed), methods=["GET"]),
            Route("/people/tasks/{task}", self._safe(self._one), methods=["GET"]),
            Route("/people/tasks/{task}/answers", self._safe(self._answer), methods=["POST"]),
            Route("/people/tasks/{task}/urges", self._safe(self._urge), methods=["POST"]),
            Route("/people/answer", self._safe(self._page), methods=["GET"]),
            Route("/people/answer", self._safe(self._answer_by_link), methods=["POST"]),
        ]

    def close(self) -> None:
        """Let go of the threads."""
        self._keeper.close()

    def _safe(self, handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        """The handler, whose failures are told in a sentence and with the right status."""

        async def guarded(request: Request) -> Response:
            try:
                response: Response = await handler(request)
            except _Stop as stop:
                return stop.response
            except Refused as refused:
                return _problem(_STATUS[refused.code], refused.code, refused.told.model_dump(), refused.fields)
            except Invalid as wrong:
                return _problem(400, "wrong_request", {"en": wrong.message, "zh": "请求有误"})
            except ThroughlineError:
                return _problem(503, "not_now", {"en": "not stored, please send it again", "zh": "暂时无法保存,请重试"})
            return response

        return guarded

    def _person(self, request: Request) -> str:
        """Who calls, by their token."""
        client = request.client.host if request.client else "somebody"
        if self._wrong.spent(client):
            raise _Stop(_too_many(60))
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        person = self._people.person_of(token.strip()) if scheme.lower() == "bearer" and token else None
        if person is None:
            self._wrong.wait(client)
            response = _problem(401, "no_token", {"en": "a valid token is needed", "zh": "需要有效的令牌"})
            response.headers["www-authenticate"] = "Bearer"
            raise _Stop(response)
        self._limit(f"person {person}")
        return person

    def _limit(self, caller: str) -> None:
        wait = self._calls.wait(caller)
        if wait:
            raise _Stop(_too_many(wait))

    async def _listed(self, request: Request) -> Response:
        person = self._person(request)
        after = request.query_params.get("after", "0")
        if not after.isascii() or not after.isdecimal() or len(after) > _LONGEST_NUMBER:
            raise Invalid("after: must be a number")

        def look() -> dict[str, Any]:
            with self._ledger.transaction() as books:
                page = self._people.desk().tasks_of(books, person, after=int(after), limit=_PAGE)
                return {"tasks": [told(row, task) for row, task in page.tasks], "next": page.following}

        return JSONResponse(await self._keeper.do(look))

    async def _one(self, request: Request) -> Response:
        person, number = self._person(request), _task_number(request)

        def look() -> dict[str, Any] | None:
            with self._ledger.transaction() as books:
                rows = books.tasks.load([number])
                task = as_task(rows[0], books.tasks.answers([number])[number]) if rows else None
                if task is None or not self._people.desk().may_see(task, person, self._people.desk().lookup(books)):
                    return None
                return told(rows[0], task)

        found = await self._keeper.do(look)
        if found is None:
            raise Refused("unknown", "there is no such task for you", "没有您的此项任务")
        return JSONResponse(found)

    async def _answer(self, request: Request) -> Response:
        person, number = self._person(request), _task_number(request)
        request_id = request.headers.get("idempotency-key", "")
        if not _REQUEST_ID.match(request_id):
            raise Invalid("idempotency-key: this header is needed, 8 to 100 letters and digits")
        reply = read_answer(await _body(request, "application/json")).reply(person, request_id)

        def take() -> dict[str, Any]:
            with self._ledger.transaction() as books:
                answered = self._people.desk().answer(books, number, reply, via="API")
                return {"id": number, "state": answered.task.state, "verdict": answered.answer.verdict,
                        "on_behalf_of": answered.answer.principal, "repeated": answered.repeated}  # fmt: skip

        return JSONResponse(await self._keeper.do(take))

    async def _urge(self, request: Request) -> Response:
        person, number = self._person(request), _task_number(request)

        def urge() -> int:
            with self._ledger.transaction() as books:
                return self._people.desk().urge(books, number, person).urged

        return JSONResponse({"id": number, "urged": await self._keeper.do(urge)})

    async def _page(self, request: Request) -> Response:
        """What the link is about, and buttons; looking changes nothing."""
        token = request.query_params.get("t", "")
        link = self._link(request, token)

        def look() -> Response:
            with self._ledger.transaction() as books:
                rows = books.tasks.load([link.task_id])
                if not rows or books.tasks.link_used(link.nonce):
                    return refusal_page(410)
                task = as_task(rows[0], books.tasks.answers([link.task_id])[link.task_id])
                waiting = self._people.desk().waiting(task, self._people.desk().lookup(books))
            if not task.is_open or task.content_hash != link.content_hash or link.person not in waiting:
                return refusal_page(410)
            return page_of(token, task, rows[0].due_at, self._people.desk().organisation.people[link.person])

        return await self._keeper.do(look)

    async def _answer_by_link(self, request: Request) -> Response:
        body = await _body(request, "application/x-www-form-urlencoded")
        fields = _fields(body)
        link = self._link(request, fields.get("t", ""))
        reply = _reply(link, fields)

        def take() -> Response:
            with self._ledger.transaction() as books:
                if not books.tasks.use_link(link.nonce, link.task_id, link.person, link.expires_at):
                    return refusal_page(410)
                answered = self._people.desk().answer(books, link.task_id, reply, via="signed link")
            return answered_page(answered.task, answered.answer.verdict)

        try:
            return await self._keeper.do(take)
        except Refused as refused:
            return refusal_page(_STATUS[refused.code], refused)

    def _link(self, request: Request, token: str) -> Link:
        self._limit(f"link {request.client.host if request.client else ''}")
        links = self._people.links
        try:
            link = links.read(token, self._clock()) if links is not None else None
        except BadLink:
            link = None
        if link is None or link.person not in self._people.desk().organisation.people:
            raise _Stop(refusal_page(404))
        return link


def _fields(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise Invalid("the form has too many fields") from None


def _reply(link: Link, fields: Mapping[str, str]) -> Reply:
    """What the page's form says; a field nobody wrote into is not there."""
    values = {
        name.removeprefix("field."): value for name, value in fields.items() if name.startswith("field.") and value
    }
    comment = fields.get("comment", "")
    return Reply(link.person, fields.get("verdict", ""), link.content_hash, f"link:{link.nonce}", values, comment)


async def _body(request: Request, kind: str) -> bytes:
    """The body, if it is of this kind and not too long."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != kind:
        raise _Stop(_problem(415, "wrong_kind", {"en": f"the body must be {kind}", "zh": f"内容类型必须是 {kind}"}))
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MOST_BYTES:
                too_long = {"en": f"at most {_MOST_BYTES} bytes", "zh": f"最多 {_MOST_BYTES} 字节"}
                raise _Stop(_problem(413, "too_long", too_long))
    except ClientDisconnect:
        return b""
    return bytes(body)


def _task_number(request: Request) -> int:
    """The number in the address; one no database could hold is just not there."""
    told: str = request.path_params["task"]
    return int(told) if told.isascii() and told.isdecimal() and len(told) <= _LONGEST_NUMBER else 0


def _too_many(wait: int) -> Response:
    response = _problem(429, "too_many", {"en": "too many calls", "zh": "请求过于频繁"})
    response.headers["retry-after"] = str(wait)
    return response


def _problem(status: int, code: str, told_: Mapping[str, Any], fields: Mapping[str, Any] | None = None) -> Response:
    body: dict[str, Any] = {"error": code, "message": dict(told_)}
    if fields:
        body["fields"] = {name: title.model_dump() for name, title in fields.items()}
    return JSONResponse(body, status, headers={"cache-control": "no-store"})
