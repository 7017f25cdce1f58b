"""Equal stamps and coarse clocks (F10): whatever is written, changed or shown late between looks, all of it is seen.

The source's clock ticks in steps of up to a second, so that many rows share a stamp and a row may change again within
the step in which it was read. The look reads the closed interval again and the ledger knows contents by their hash.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.unit.connectors.test_polling import KEYSET, POLL, TIES, Store
from throughline.connectors.contract import Captured

TIMES = {
    "millisecond": "{kind: modified_time, format: ms, overlap: {seconds: 60, every: 20, between: 2}}",
    "second": "{kind: modified_time, format: s, overlap: {seconds: 60, every: 20, between: 2}}",
}
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 9), st.integers(0, 900)),
        st.tuples(st.just("write"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("pass"), st.sampled_from([0, 1, 3, 400, 999, 1000, 2500]), st.just(0)),
        st.tuples(st.just("look"), st.just(0), st.just(0)),
    ),
    min_size=5, max_size=40,
)  # fmt: skip


class CoarseStore(Store):
    """Rows stamped by a clock that ticks in steps, and shown some milliseconds after they were stamped."""

    step = 1
    unit = 1

    def write(self, key: int, late: int) -> None:
        now = int(self.clock.now.timestamp() * 1000)
        stamp = now // self.step * self.step
        version = 1 + max((row["version"] for row in self.rows if row["id"] == key), default=0)
        self.rows.append(
            {"id": key, "number": f"N{key}", "changed": stamp // self.unit, "version": version, "shown": now + late}
        )

    def newest(self) -> dict[int, int]:
        """What each row says in the end."""
        return {key: max(r["version"] for r in self.rows if r["id"] == key) for key in {r["id"] for r in self.rows}}

    async def notes(self, request: Any) -> Any:
        kept, now = self.rows, int(self.clock.now.timestamp() * 1000)
        shown = [row for row in kept if row["shown"] <= now]
        newest = {row["id"]: row for row in sorted(shown, key=lambda row: row["version"])}
        self.rows = list(newest.values())
        try:
            return await super().notes(request)
        finally:
            self.rows = kept


async def look(connector: Any, cursor: Any, seen: dict[int, int]) -> Any:
    async for page in connector.changes("note", cursor):
        for record in page.records:
            take(record, seen)
        cursor = page.cursor
    return cursor


def take(record: Captured, seen: dict[int, int]) -> None:
    """As the ledger does: an older stamp does not move a record back, an equal one counts."""
    key, version = int(record.their_id), int(record.raw["version"])
    seen[key] = max(seen.get(key, 0), version)


@pytest.fixture
def site(serve, clock):
    store = CoarseStore(clock)
    return store, serve(store.app), clock.now


SECONDS = (POLL % (KEYSET, TIMES["second"], TIES)).replace("{at: changed, format: ms}", "{at: changed, format: s}")
FORMS = {"millisecond": (POLL % (KEYSET, TIMES["millisecond"], TIES), 1), "second": (SECONDS, 1000)}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(acts=ACTS, step=st.sampled_from([1, 3, 10, 500, 1000]))
@example(acts=[("write", 1, 0), ("look", 0, 0), ("write", 1, 0)], step=1000)
async def test_all_that_is_written_is_seen(site, connect, clock, form, acts, step):
    (store, host, begin), (profile, unit) = site, FORMS[form]
    clock.now, store.rows, store.step, store.unit = begin, [], max(step, unit), unit
    cursor: Any = None
    seen: dict[int, int] = {}
    async with connect(host, profile) as connector:
        for act, value, late in acts:
            if act == "write":
                store.write(value, late)
            elif act == "pass":
                clock.now += timedelta(milliseconds=value)
            else:
                cursor = await look(connector, cursor, seen)
        clock.now += timedelta(seconds=1)
        await look(connector, cursor, seen)
    assert seen == store.newest()
