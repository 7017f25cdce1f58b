"""Reading everything (fence W3) over HTTP: complete, taken up where it was, honest about pages that moved."""

from __future__ import annotations

import json

import pytest

from tests.unit.connectors.test_polling import ABOVE, CLOSED, KEYSET, NUMBERED, POLL, TIES, TIME, Store
from throughline.connectors.contract import ReadsWhole
from throughline.errors import Misconfigured

AGAIN = """
    again: {call: {name: single, path: /notes, body: {ids: $their_ids}}, ids: number, at_most: 2}
"""


class Shelf(Store):
    """A store that can also be asked for single rows."""

    @staticmethod
    def wanted(row, told):
        return row["id"] in told["ids"] if "ids" in told else Store.wanted(row, told)


@pytest.fixture
def store(clock):
    return Shelf(clock)


async def read(connector, position=None):
    pages = [page async for page in connector.whole("note", position)]
    return [int(record.their_id) for page in pages for record in page.records], pages


@pytest.mark.parametrize("count", [0, 1, 3, 7, 20])
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
)
async def test_everything_is_read(serve, connect, store, count, body, cursor, paging):
    for number in range(1, count + 1):
        store.add(number, seconds_ago=1000 - number // 4)
    store.add(99, seconds_ago=-30)  # stamped by a clock that runs ahead of ours
    fence = {"snapshot": "W3", "id_greater": "W1 + W3"}.get(cursor[7:].partition("}")[0], "W2 + W3")
    async with connect(serve(store.app), (POLL % (body, cursor, paging)).replace("W2 + W3", fence)) as connector:
        assert isinstance(connector, ReadsWhole)
        numbers, pages = await read(connector)
        assert sorted(numbers) == [*range(1, count + 1), 99]
        assert all(page.complete for page in pages)
        assert await connector.again("note", ["1"]) is None
        with pytest.raises(Misconfigured):
            await connector.again("letter", ["1"])


async def test_an_interrupted_reading_goes_on_behind_its_last_full_page(serve, connect, store):
    for number in range(1, 21):
        store.add(number, seconds_ago=1000 - number // 6)  # six share a stamp, pages hold three
    async with connect(serve(store.app), POLL % (KEYSET, TIME, TIES)) as connector:
        _, pages = await read(connector)
        for place, page in enumerate(pages):
            done = {int(record.their_id) for each in pages[: place + 1] for record in each.records}
            if page.position is None:
                continue
            rest, _ = await read(connector, json.loads(json.dumps(page.position)))
            assert sorted([*done, *rest]) == list(range(1, 21))


async def test_pages_that_moved_say_so(serve, connect, store):
    for number in range(1, 10):
        store.add(number, seconds_ago=100 - number)
    added = iter(range(100, 1000))
    store.between = lambda: store.add(next(added), seconds_ago=90)
    paging = "{kind: page, size: 3, total: total}"
    async with connect(serve(store.app), POLL % (NUMBERED, CLOSED, paging)) as connector:
        _, pages = await read(connector)
    assert not pages[-1].complete
    assert pages[-1].total is not None


async def test_single_records_are_asked_for_in_portions(serve, connect, store):
    for number in range(1, 8):
        store.add(number, seconds_ago=10)
    profile = (POLL % (KEYSET, TIME, TIES)).rstrip() + AGAIN
    async with connect(serve(store.app), profile) as connector:
        found = await connector.again("note", ["2", "77", "5", "7", "88"])
    assert found is not None
    assert sorted(found) == ["2", "5", "7"]
    assert [asked["ids"] for asked in store.asked if "ids" in asked] == [[2, 77], [5, 7], [88]]
