"""What a list leaves out is asked for record by record; rows may come as bare lists; a login may introduce itself."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

NOTES = """
note:
  fence: W2 + W3
  identity: {their_id: id, changed: {at: changed, format: "%Y-%m-%d %H:%M:%S"}}
  poll:
    call: {name: notes, path: /notes, body: {day: $since, columns: $columns}}
    records: .
    columns: [id, changed]
    cursor: {kind: modified_time, format: "%Y-%m-%d", overlap: {seconds: 60, every: 20, between: 2}}
    details:
      whole:
        call: {name: whole, path: /whole, body: {id: $found.id}}
        record: data
      lines:
        call: {name: lines, path: /lines, body: {id: $found.id, keys: $columns}}
        record: rows
        columns: [line, quantity.amount]
"""
VERDICT = """
- {is: ok, when: [{at: ".", equals: []}]}
- {is: ok, when: [{at: "0.0", present: true}]}
- {is: ok, when: [{at: code, equals: 0}]}
- {is: absent, when: [{at: code, equals: 404}]}
"""


class Notes:
    def __init__(self) -> None:
        self.rows = [["7", "2026-11-23 07:00:00"], ["8", "2026-11-23 07:30:00"]]
        self.asked: list[dict] = []
        self.gone: set[str] = set()
        self.app = Starlette(routes=[
            Route("/notes", self.notes, methods=["POST"]), Route("/whole", self.whole, methods=["POST"]),
            Route("/lines", self.lines, methods=["POST"]),
        ])  # fmt: skip

    async def notes(self, request):
        self.asked.append(await request.json())
        return JSONResponse(self.rows)

    async def whole(self, request):
        told = await request.json()
        self.asked.append(told)
        if told["id"] in self.gone:
            return JSONResponse({"code": 404})
        return JSONResponse({"code": 0, "data": {"title": f"note {told['id']}"}})

    async def lines(self, request):
        told = await request.json()
        assert told["keys"] == "line,quantity.amount"
        return JSONResponse({"code": 0, "rows": [[10, told["id"]], [20, "1"]]})


async def poll(connector, cursor=None):
    records = []
    async for page in connector.changes("note", cursor):
        records += page.records
        cursor = page.cursor
    return [record.raw for record in records], cursor


async def test_each_record_gets_its_details_and_columns_their_names(serve, connect):
    notes = Notes()
    async with connect(serve(notes.app), NOTES, verdict=VERDICT) as connector:
        records, _ = await poll(connector)
    assert notes.asked[0] == {"day": "1970-01-01", "columns": "id,changed"}
    assert records[0] == {
        "id": "7", "changed": "2026-11-23 07:00:00", "whole": {"title": "note 7"},
        "lines": [{"line": 10, "quantity": {"amount": "7"}}, {"line": 20, "quantity": {"amount": "1"}}],
    }  # fmt: skip


async def test_a_question_by_whole_days_costs_no_detail_of_what_was_read_before(serve, connect, clock):
    notes = Notes()
    async with connect(serve(notes.app), NOTES, verdict=VERDICT) as connector:
        _, cursor = await poll(connector)
        notes.asked.clear()
        clock.advance(5)
        notes.rows.append(["9", "2026-11-23 07:31:00"])
        records, _ = await poll(connector, cursor)
    assert [record["id"] for record in records] == ["8", "9"], "8 lies inside the overlap and comes again"
    assert [told["id"] for told in notes.asked if "id" in told] == ["8", "9"]


async def test_what_is_gone_before_its_detail_is_asked_for_is_left_out(serve, connect):
    notes = Notes()
    notes.gone = {"7"}
    async with connect(serve(notes.app), NOTES, verdict=VERDICT) as connector:
        records, _ = await poll(connector)
    assert [record["id"] for record in records] == ["8"]


async def test_ids_inside_a_window_page_without_the_stamp_and_never_move_the_cursor_early(serve, connect):
    asked = []

    async def notes(request):
        told = await request.json()
        asked.append(told)
        rows = [{"id": n, "changed": f"2026-11-23 07:00:0{9 - n}"} for n in range(1, 6) if n > told["above"]]
        return JSONResponse({"code": 0, "rows": rows[:2]})

    objects = """
note:
  fence: W2 + W3
  identity: {their_id: id, changed: {at: changed, format: "%Y-%m-%d %H:%M:%S"}}
  poll:
    call: {name: notes, path: /notes, body: {since: $since, above: $position.id, size: $page.size}}
    records: rows
    cursor: {kind: modified_time, format: s, window: closed, overlap: {seconds: 60}}
    paging: {kind: keyset, size: 2, keys: [id], first: 0}
"""
    app = Starlette(routes=[Route("/notes", notes, methods=["POST"])])
    async with connect(serve(app), objects) as connector:
        pages = [page async for page in connector.changes("note", None)]
    assert [[record.their_id for record in page.records] for page in pages] == [["1", "2"], ["3", "4"], ["5"]]
    assert [told["above"] for told in asked] == [0, 2, 4]
    assert [page.cursor["at"][:19] for page in pages] == ["1970-01-01T00:00:00"] * 2 + ["2026-11-23T07:00:08"]


async def test_a_login_may_introduce_itself_by_headers_of_its_own_making(serve, connect):
    async def login(request):
        known = request.headers.get("secret") == "drowssap"
        return JSONResponse({"code": 0, "token": "t-1"} if known else {"code": 1})

    async def ping(request):
        return JSONResponse({"code": 0 if request.headers.get("token") == "t-1" else 20016})

    app = Starlette(routes=[Route("/login", login, methods=["POST"]), Route("/ping", ping, methods=["POST"])])
    top = "auth: {kind: session, introduction: hello, credential: named, calls: [{path: /login, keeps: {t: token}}]}"
    signer = {"hello": lambda _: {"secret": "drowssap"}, "named": lambda _, kept: {"token": kept["t"]}}
    objects = "note: {operations: {create: {tier: T4, calls: [{path: /ping}], answer: {their_id: $uuid}}}}"
    async with connect(serve(app), objects, top=top, signer=signer) as connector:
        assert "lets us in" in await connector.test()
