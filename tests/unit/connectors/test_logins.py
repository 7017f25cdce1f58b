"""Every way to say who is calling, against a real server; a lost login is renewed once and never stormed."""

from __future__ import annotations

import asyncio
import base64

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from throughline.errors import Misconfigured

NOTE = """
note:
  operations:
    create:
      tier: T4
      calls: [{name: create, path: /note, body: $payload}]
      answer: {their_id: $calls.create.id}
"""
TOKEN = """
auth:
  kind: token
  call: {path: /login, body: {id: $connection.login, secret: $connection.password}}
  token: token
  ttl: 600
  place: %s
"""


class Site:
    """A server with a login; it counts logins and says what each call carried."""

    def __init__(self) -> None:
        self.logins = 0
        self.valid = ""
        self.refuse_login = self.refuse_all = False
        self.seen: list[dict[str, object]] = []
        self.app = Starlette(routes=[
            Route("/login", self.login, methods=["POST"]), Route("/note", self.note, methods=["POST"]),
        ])  # fmt: skip

    async def login(self, request):
        self.logins += 1
        await asyncio.sleep(0.05)
        if self.refuse_login or (await request.json())["secret"] != "the-password-123":
            return JSONResponse({"code": 1, "says": "bad secret"})
        self.valid = f"token-{self.logins}"
        answer = JSONResponse({"code": 0, "token": self.valid, "user": 7})
        answer.set_cookie("sid", self.valid)
        return answer

    async def note(self, request):
        body = await request.json()
        self.seen.append({"headers": dict(request.headers), "query": dict(request.query_params), "body": body})
        carried = f"{request.headers} {request.query_params} {body}"
        if self.refuse_all or self.valid not in carried:
            return JSONResponse({"code": 20016, "says": "token invalid"})
        return JSONResponse({"code": 0, "id": f"N{len(self.seen)}"})


async def write(connector, number="1"):
    return await connector.send("note", "create", {"number": number}, reference=number, key=f"k{number}")


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("{kind: header, name: authorization, prefix: 'Bearer '}",
         lambda s: s["headers"]["authorization"] == "Bearer token-1"),
        ("{kind: query, name: access_token}", lambda s: s["query"] == {"access_token": "token-1"}),
        ("{kind: body, name: token}", lambda s: s["body"] == {"number": "1", "token": "token-1"}),
        ("{kind: cookie, name: sid}", lambda s: s["headers"]["cookie"] == "sid=token-1"),
    ],
)  # fmt: skip
async def test_a_token_travels_where_the_profile_says(serve, connect, place, found):
    site = Site()
    async with connect(serve(site.app), NOTE, top=TOKEN % place) as connector:
        assert (await write(connector)).their_id == "N1"
    assert found(site.seen[0])


async def test_basic_header_and_session_logins(serve, connect):
    site = Site()
    host = serve(site.app)
    async with connect(host, NOTE, top="auth: {kind: basic}") as connector:
        await write(connector)
    expected = base64.b64encode(b"the-login:the-password-123").decode()
    assert site.seen[-1]["headers"]["authorization"] == f"Basic {expected}"
    async with connect(host, NOTE, top="auth: {kind: header, headers: {x-key: $connection.password}}") as connector:
        await write(connector)
    assert site.seen[-1]["headers"]["x-key"] == "the-password-123"
    session = """
auth:
  kind: session
  cookies: true
  credential: credential
  calls:
    - {path: /login, body: {secret: $connection.password}, keeps: {user: user, token: token}}
    - {path: /note, body: {me: $session.user}, keeps: {note: id}}
"""
    signer = {"credential": lambda connection, kept: {"x-session": f"{connection.login}:{kept['user']}"}}
    async with connect(host, NOTE, top=session, signer=signer) as connector:
        await write(connector)
    preferences, call = site.seen[-2:]
    assert preferences["body"] == {"me": 7}
    for one in (preferences, call):
        assert one["headers"]["x-session"] == "the-login:7"
        assert one["headers"]["cookie"] == "sid=token-1"


async def test_a_signer_changes_the_request_it_signs(serve, connect, clock):
    site = Site()

    def sign(connection, outgoing, now, options):
        outgoing.headers["x-sign"] = f"{outgoing.body['number']}{connection.password}{now:%H%M}{options['salt']}"

    top = "auth: {kind: signed, signer: sign, options: {salt: s}}"
    async with connect(serve(site.app), NOTE, top=top, signer={"sign": sign}) as connector:
        await write(connector)
    assert site.seen[0]["headers"]["x-sign"] == "1the-password-1230800s"


async def test_fifty_calls_that_lose_their_token_log_in_once(serve, connect):
    site = Site()
    top = (TOKEN % "{kind: query, name: t}") + "limits: {concurrency: 50}"
    async with connect(serve(site.app), NOTE, top=top) as connector:
        await write(connector)
        site.valid = "expired by the server"
        assert site.logins == 1
        await asyncio.gather(*(write(connector, str(number)) for number in range(50)))
    assert site.logins == 2


async def test_an_old_token_is_renewed_before_it_is_refused(serve, connect, clock):
    site = Site()
    async with connect(serve(site.app), NOTE, top=TOKEN % "{kind: query, name: t}") as connector:
        await write(connector)
        clock.advance(601)
        await write(connector)
    assert site.logins == 2
    assert len(site.seen) == 2


async def test_a_wrong_secret_names_the_connection_and_is_not_tried_again_at_once(serve, connect, clock):
    site = Site()
    site.refuse_login = True
    async with connect(serve(site.app), NOTE, top=TOKEN % "{kind: query, name: t}") as connector:
        for _ in range(5):
            with pytest.raises(Misconfigured, match=r"connection trial_connection: .*login"):
                await write(connector)
        assert site.logins == 1
        clock.advance(61)
        site.refuse_login = False
        await write(connector)
    assert site.logins == 2


async def test_a_fresh_token_that_is_refused_does_not_start_a_login_storm(serve, connect):
    site = Site()
    site.refuse_all = True
    async with connect(serve(site.app), NOTE, top=TOKEN % "{kind: query, name: t}") as connector:
        for _ in range(10):
            with pytest.raises(Misconfigured, match="trial_connection"):
                await write(connector)
    assert site.logins == 2
    assert len(site.seen) == 2


class Shelf:
    """Logins that outlive a process."""

    def __init__(self) -> None:
        self.kept = {}
        self.lock = asyncio.Lock()

    def alone(self, connection):
        return self.lock

    def take(self, connection):
        return self.kept.get(connection.name)

    def put(self, connection, values, until):
        self.kept[connection.name] = (values, until)


async def test_a_login_on_the_shelf_serves_other_processes_until_it_is_refused(serve, connect, clock):
    site, shelf = Site(), Shelf()
    host, top = serve(site.app), TOKEN % "{kind: query, name: t}"
    for number in range(3):
        async with connect(host, NOTE, top=top, shelf=shelf) as connector:
            await write(connector, str(number))
    assert site.logins == 1
    async with connect(host, NOTE, top=top, shelf=shelf) as first, connect(host, NOTE, top=top, shelf=shelf) as second:
        await write(first)
        await write(second)
        site.valid = "withdrawn"
        await write(first)
        await write(second)
    assert site.logins == 2
    clock.advance(601)
    async with connect(host, NOTE, top=top, shelf=shelf) as connector:
        await write(connector)
    assert site.logins == 3


async def test_a_refused_login_on_the_shelf_is_not_tried_again_by_other_processes(serve, connect, clock):
    site, shelf = Site(), Shelf()
    host, top = serve(site.app), TOKEN % "{kind: query, name: t}"
    site.refuse_login = True
    for _ in range(3):
        async with connect(host, NOTE, top=top, shelf=shelf) as connector:
            with pytest.raises(Misconfigured, match="check login and password"):
                await write(connector)
    assert site.logins == 1
    site.refuse_login = False
    clock.advance(61)
    async with connect(host, NOTE, top=top, shelf=shelf) as connector:
        await write(connector)
    assert site.logins == 2


async def test_fifty_connectors_with_a_wrong_secret_try_it_once_a_minute(serve, connect, clock):
    site, shelf = Site(), Shelf()
    host, top = serve(site.app), TOKEN % "{kind: query, name: t}"
    site.refuse_login = True

    async def attempt():
        async with connect(host, NOTE, top=top, shelf=shelf) as connector:
            await write(connector)

    for minute in range(1, 4):
        told = await asyncio.gather(*(attempt() for _ in range(50)), return_exceptions=True)
        assert {type(error) for error in told} == {Misconfigured}
        assert site.logins == minute
        clock.advance(59)
        with pytest.raises(Misconfigured, match="a moment ago"):
            await attempt()
        assert site.logins == minute
        clock.advance(1)


async def test_a_fresh_token_that_is_refused_stops_the_other_processes_too(serve, connect):
    site, shelf = Site(), Shelf()
    host, top = serve(site.app), TOKEN % "{kind: query, name: t}"
    site.refuse_all = True
    for _ in range(10):
        async with connect(host, NOTE, top=top, shelf=shelf) as connector:
            with pytest.raises(Misconfigured, match="trial_connection"):
                await write(connector)
    assert site.logins == 2
