"""Asking what changed, against a server whose rows come and go between pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from throughline.connectors.mechanisms.http.cursors import open_window
from throughline.connectors.mechanisms.http.declared_objects import Cursor
from throughline.connectors.mechanisms.http.stamps import compile_read_stamp, compile_write_stamp
from throughline.errors import Invalid, Misconfigured

POLL = """
note:
  fence: W2 + W3
  identity: {their_id: id, number: number, revision: [changed], changed: {at: changed, format: ms}}
  poll:
    call: {name: notes, path: /notes, body: %s}
    records: notes
    cursor: %s
    paging: %s
"""
TIME = "{kind: modified_time, format: ms, overlap: {seconds: 60, every: 20, between: 2}}"
CLOSED = "{kind: modified_time, format: ms, window: closed, overlap: {seconds: 60}}"
KEYSET = "{after: $position.at, id: $position.id, size: $page.size}"
NUMBERED = "{from: $since, to: $until, page: $page.number, size: $page.size}"
ABOVE = "{above: $position.id, size: $page.size}"
TIES = """
      kind: keyset
      size: 3
      keys: [changed, id]
      ties: {name: ties, path: /notes, body: {same: $position.at, id: $position.id, size: $page.size}}
"""


class Store:
    """Rows with a change stamp, told page by page in the order asked for; `between` happens after each page."""

    def __init__(self, clock) -> None:
        self.rows: list[dict] = []
        self.asked: list[dict] = []
        self.between = lambda: None
        self.clock = clock
        self.app = Starlette(routes=[Route("/notes", self.notes, methods=["POST"]),
                                     Route("/next", self.notes, methods=["GET"])])  # fmt: skip

    def add(self, number, seconds_ago=0.0, **more):
        changed = int((self.clock.now - timedelta(seconds=seconds_ago)).timestamp() * 1000)
        self.rows.append({"id": number, "number": f"N{number}", "changed": changed, **more})

    async def notes(self, request):
        told = dict(request.query_params) if request.method == "GET" else await request.json()
        self.asked.append(told)
        rows = sorted((row for row in self.rows if self.wanted(row, told)), key=lambda r: (r["changed"], r["id"]))
        size, start = int(told.get("size", 1000)), int(told.get("offset", 0))
        if "page" in told:
            start = (int(told["page"]) - 1) * size
        page = rows[start : start + size]
        answer = {"code": 0, "notes": page, "total": len(rows)}
        if "link" in told and start + size < len(rows):
            answer["next"] = f"{told['link']}/next?size={size}&offset={start + size}&link={told['link']}"
        self.between()
        return JSONResponse(answer)

    @staticmethod
    def wanted(row, told):
        if "same" in told:
            return row["changed"] == told["same"] and row["id"] > told["id"]
        if "above" in told:
            return row["id"] > told["above"]
        return row["changed"] > told.get("after", -1) and told.get("from", 0) <= row["changed"] <= told.get("to", 1e18)


async def poll(connector, cursor=None, **window):
    records = []
    async for page in connector.changes("note", cursor, **window):
        records += page.records
        cursor = page.cursor
    return [int(record.their_id) for record in records], cursor


@pytest.fixture
def store(clock):
    return Store(clock)


@pytest.mark.parametrize("count", [0, 1, 3, 6, 7, 20])
@pytest.mark.parametrize(
    ("body", "cursor", "paging"),
    [
        (KEYSET, TIME, TIES),
        (NUMBERED, CLOSED, "{kind: page, size: 3, total: total}"),
        ("{from: $since, offset: $page.offset, size: $page.size}", TIME, "{kind: offset, size: 3}"),
        ("{size: 100}", "{kind: snapshot}", "{kind: none}"),
        (ABOVE, "{kind: id_greater}", "{kind: keyset, size: 3, keys: [id]}"),
    ],
    ids=["keyset", "page", "offset", "none", "id"],
)  # fmt: skip
async def test_every_row_comes_once_and_the_pages_end(serve, connect, store, count, body, cursor, paging):
    for number in range(1, count + 1):
        store.add(number, seconds_ago=1000 - number // 4)  # four share each stamp
    fence = {"snapshot": "W3", "id_greater": "W1"}.get(cursor[7:].partition("}")[0], "W2 + W3")
    async with connect(serve(store.app), (POLL % (body, cursor, paging)).replace("W2 + W3", fence)) as connector:
        numbers, _ = await poll(connector)
    assert sorted(numbers) == list(range(1, count + 1))


async def test_keyset_loses_nothing_while_rows_change_between_pages(serve, connect, store, clock):
    for number in range(1, 31):
        store.add(number, seconds_ago=500)

    def one_changes():
        clock.advance(0.01)
        oldest = min(store.rows, key=lambda row: row["changed"])
        oldest["changed"] = int(clock.now.timestamp() * 1000)

    changes = iter(range(12))
    store.between = lambda: one_changes() if next(changes, None) is not None else None
    async with connect(serve(store.app), POLL % (KEYSET, TIME, TIES)) as connector:
        numbers, _ = await poll(connector)
    assert set(numbers) == set(range(1, 31))


async def test_shifting_pages_are_read_again_until_they_hold_still(serve, connect, store, clock):
    for number in range(1, 10):
        store.add(number, seconds_ago=100 - number)
    turns = iter(range(2))

    def first_row_leaves():
        if next(turns, None) is not None:
            store.rows[0]["changed"] = int((clock.now + timedelta(seconds=5)).timestamp() * 1000)
            store.rows.append(store.rows.pop(0))

    store.between = first_row_leaves
    paging = "{kind: page, size: 3, total: total}"
    async with connect(serve(store.app), POLL % (NUMBERED, CLOSED, paging)) as connector:
        numbers, cursor = await poll(connector)
        assert set(range(3, 10)) <= set(numbers)
        clock.advance(10)
        later, _ = await poll(connector, cursor)
    assert set(numbers) | set(later) == set(range(1, 10))


async def test_pages_that_never_hold_still_do_not_move_the_cursor(serve, connect, store, clock):
    for number in range(1, 10):
        store.add(number, seconds_ago=100 - number)
    added = iter(range(100, 1000))
    store.between = lambda: store.add(next(added), seconds_ago=90)
    async with connect(serve(store.app), POLL % (NUMBERED, CLOSED, "{kind: page, size: 3, total: total}")) as connector:
        _, cursor = await poll(connector)
    assert cursor == {"at": "1970-01-01T00:00:00+00:00", "deep": "1970-01-01T00:00:00+00:00"}


async def test_links_are_followed_on_our_host_only(serve, connect, store):
    for number in range(1, 8):
        store.add(number)
    host = serve(store.app)
    body = f"{{size: 3, link: {host!r}}}"
    paging = "{kind: next_link, next: next}"
    async with connect(host, POLL % (body, TIME, paging)) as connector:
        assert (await poll(connector))[0] == [1, 2, 3, 4, 5, 6, 7]
    async with connect(host, POLL % ("{size: 3, link: 'http://evil.example'}", TIME, paging)) as connector:
        with pytest.raises(Invalid, match="another host"):
            await poll(connector)


async def test_pages_that_stand_still_are_an_error_not_a_loop(serve, connect, store):
    for number in range(1, 8):
        store.add(number)
    store.wanted = lambda row, told: True
    async with connect(serve(store.app), POLL % (KEYSET, TIME, TIES)) as connector:
        with pytest.raises(Invalid, match="do not advance"):
            await poll(connector)


async def test_a_row_that_appears_late_is_seen_by_the_deep_look_back(serve, connect, store, clock):
    store.add(1)
    async with connect(serve(store.app), POLL % (KEYSET, TIME, TIES)) as connector:
        _, cursor = await poll(connector)
        for _ in range(6):
            clock.advance(5)
            store.add(len(store.rows) + 1)
            numbers, cursor = await poll(connector, cursor)
        store.add(99, seconds_ago=35)  # its transaction took 35 seconds
        seen: list[int] = []
        for _ in range(5):
            clock.advance(5)
            numbers, cursor = await poll(connector, cursor)
            seen += numbers
    assert 99 in seen
    spans = {(clock.now.timestamp() * 1000 - asked["after"]) // 1000 for asked in store.asked if "after" in asked}
    assert min(spans) < 60


async def test_between_deep_looks_only_the_last_moments_are_read_again(serve, connect, store, clock):
    for number in range(1, 5):
        store.add(number, seconds_ago=10 - number)
    async with connect(serve(store.app), POLL % (KEYSET, TIME, TIES)) as connector:
        _, cursor = await poll(connector)
        clock.advance(1)
        again, cursor = await poll(connector, cursor)
        assert again == [2, 3, 4]  # two seconds back and the smallest step
        clock.advance(30)
        deep, _ = await poll(connector, cursor)
    assert deep == [1, 2, 3, 4]


async def test_a_row_from_the_future_does_not_hide_the_present(serve, connect, store, clock):
    store.add(1, seconds_ago=-86_400)
    async with connect(serve(store.app), POLL % (KEYSET, TIME, TIES)) as connector:
        _, cursor = await poll(connector)
        assert datetime.fromisoformat(cursor["at"]) <= clock.now
        clock.advance(1)
        store.add(2)
        assert 2 in (await poll(connector, cursor))[0]


async def test_an_interrupted_poll_resumes_from_the_last_stored_page(serve, connect, store, clock):
    for number in range(1, 11):
        store.add(number, seconds_ago=100 - number)
    async with connect(serve(store.app), POLL % (KEYSET, TIME, TIES)) as connector:
        stored, seen = None, set()
        async for page in connector.changes("note", None):
            seen |= {int(record.their_id) for record in page.records}
            stored = page.cursor
            break
        numbers, _ = await poll(connector, stored)
    assert seen == {1, 2, 3}
    assert seen | set(numbers) == set(range(1, 11))


async def test_a_backfill_reads_exactly_its_window_and_leaves_the_cursor(serve, connect, store, clock):
    for number in range(1, 11):
        store.add(number, seconds_ago=100 - number)
    since, until = clock.now - timedelta(seconds=96), clock.now - timedelta(seconds=92)
    async with connect(serve(store.app), POLL % (KEYSET, TIME, TIES)) as connector:
        numbers, cursor = await poll(connector, {"at": "kept"}, since=since, until=until)
    assert numbers == [4, 5, 6, 7]
    assert cursor == {"at": "kept"}


async def test_an_idle_poll_says_nothing(serve, connect, store, clock):
    async with connect(serve(store.app), POLL % (KEYSET, TIME, TIES)) as connector:
        _, cursor = await poll(connector)
        clock.advance(1)
        assert [page async for page in connector.changes("note", cursor)] == []


async def test_a_cursor_of_another_kind_and_an_unpolled_document_are_named(serve, connect, store):
    async with connect(serve(store.app), POLL % (KEYSET, TIME, TIES)) as connector:
        with pytest.raises(Misconfigured, match="another kind"):
            await poll(connector, {"id": 7})
        with pytest.raises(Misconfigured, match="knows no order"):
            _ = [page async for page in connector.changes("order")]


async def test_numbers_stay_exact_and_ids_of_any_size_are_kept(serve, connect, store):
    store.add(1763884000000123456789, amount=1.1)
    async with connect(serve(store.app), POLL % (KEYSET, TIME, TIES)) as connector:
        pages = [page async for page in connector.changes("note")]
    record = pages[0].records[0]
    assert record.their_id == "1763884000000123456789"
    assert record.raw["amount"] == Decimal("1.1")


CHILDREN = """
note:
  fence: W2 + W3
  identity: {their_id: id, changed: {at: changed, format: ms}}
  poll:
    call: {path: /notes, body: {after: $position.at, size: $page.size, id: $position.id}}
    records: notes
    cursor: {kind: modified_time, format: ms, overlap: {seconds: 60}}
    paging: {kind: keyset, size: 100, keys: [changed, id]}
    children:
      lines:
        call: {path: /lines, body: {of: $parents, above: $position.id, size: $page.size}}
        records: lines
        parent: note
        at_most: 4
        order_by: line
        paging: {kind: keyset, size: 5, keys: [id]}
"""


async def test_lines_are_put_into_their_headers_in_order(serve, connect, store):
    for number in range(1, 11):
        store.add(number)
    lines = [{"id": n, "note": str(n % 10 + 1), "line": str(100 - n)} for n in range(1, 36)]
    asked = []

    async def tell(request):
        told = await request.json()
        asked.append(told)
        found = [ln for ln in lines if int(ln["note"]) in told["of"] and ln["id"] > told["above"]]
        return JSONResponse({"code": 0, "lines": found[: told["size"]]})

    store.app.router.routes.append(Route("/lines", tell, methods=["POST"]))
    async with connect(serve(store.app), CHILDREN) as connector:
        pages = [page async for page in connector.changes("note")]
    records = {record.their_id: record.raw["lines"] for page in pages for record in page.records}
    assert sum(map(len, records.values())) == 35
    for number, found in records.items():
        assert [line["note"] for line in found] == [number] * len(found)
        assert [int(line["line"]) for line in found] == sorted(int(line["line"]) for line in found)
    assert {len(told["of"]) for told in asked} == {4, 2}


@pytest.mark.parametrize(
    ("form", "zone", "written"),
    [
        ("ms", "UTC", 1795420800123),
        ("s", "UTC", 1795420800),
        ("iso", "Asia/Shanghai", "2026-11-23T16:00:00.123000+08:00"),
        ("%Y-%m-%d %H:%M:%S", "Asia/Shanghai", "2026-11-23 16:00:00"),
    ],
)
def test_moments_are_written_and_read_the_products_way(form, zone, written):
    moment = datetime(2026, 11, 23, 8, 0, 0, 123000, tzinfo=UTC)
    assert compile_write_stamp(form, zone)(moment) == written
    lost = timedelta(milliseconds=123) if form in ("s", "%Y-%m-%d %H:%M:%S") else timedelta(0)
    assert compile_read_stamp(form, zone)(written) == moment - lost
    with pytest.raises(Invalid):
        compile_read_stamp(form, zone)("no moment")


def test_a_clock_that_was_ahead_for_a_while_does_not_put_the_deep_look_off() -> None:
    """The clock ran two days ahead when the last deep look was taken; now it is right again."""
    declared = Cursor.model_validate({"kind": "modified_time", "overlap": {"seconds": 120, "every": 30, "between": 2}})
    now = datetime(2026, 11, 23, 8, tzinfo=UTC)
    stored = {"at": now.isoformat(), "deep": (now + timedelta(days=2)).isoformat()}
    window = open_window(declared, stored, now)
    assert window.since <= now - timedelta(seconds=120)
    assert window.deep == now
