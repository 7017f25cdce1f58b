"""Reading everything (fence W3) into a real ledger: what was missed comes in, what is gone is marked, never rashly."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from throughline.connectors.contract import Captured, WholePage
from throughline.errors import Transient
from throughline.ledger import Ledger, migrate
from throughline.ledger.entries import Translation
from throughline.local_platform.embedded_postgres import EmbeddedPostgres
from throughline.process.snapshots import Snapshot, SnapshotReport

KIND = "customer"


class Clock:
    now = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Limit:
    share: float = 0.02
    documents: int = 5


@dataclass
class Source:
    """A system whose records a test adds and takes away; it is its own connector."""

    role: str = "crm"
    product: str = "trial"
    rows: dict[str, str] = field(default_factory=dict)
    asks_single: bool = True
    fail_after: int | None = None
    shifting: bool = False
    total: int | None = None
    hidden: set[str] = field(default_factory=set)
    """left out of the pages, there when asked for"""
    between: Any = None
    page: int = 10
    pages_read: int = 0

    def record(self, key: str) -> Captured:
        return Captured(KIND, key, {"id": key, "name": self.rows[key]}, number=f"N{key}")

    async def whole(self, document: str, position: Mapping[str, Any] | None = None) -> AsyncIterator[WholePage]:
        keys = sorted(key for key in self.rows if key not in self.hidden)
        keys = [key for key in keys if position is None or key > position["after"]]
        for first in range(0, len(keys), self.page):
            if self.fail_after is not None and self.pages_read >= self.fail_after:
                raise Transient("the page did not come")
            self.pages_read += 1
            part = [key for key in keys[first : first + self.page] if key in self.rows]
            position = {"after": keys[first : first + self.page][-1]}
            yield WholePage(tuple(map(self.record, part)), position, complete=not self.shifting, total=self.total)
            if self.between is not None:
                self.between()

    async def again(self, document: str, their_ids: Sequence[str]) -> Mapping[str, Captured] | None:
        if not self.asks_single:
            return None
        return {key: self.record(key) for key in their_ids if key in self.rows}

    def __call__(self, role: str) -> Source:
        return self

    async def __aenter__(self) -> Source:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return None


@pytest.fixture(scope="module")
def ledger_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    postgres.create_database("snapshot_template")
    migrate(postgres.dsn("snapshot_template"))
    yield "snapshot_template"
    postgres.drop_database("snapshot_template")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(postgres: EmbeddedPostgres, ledger_database: str, clock: Clock) -> Iterator[Ledger]:
    postgres.create_database("snapshot_ledger", template=ledger_database)
    ledger = Ledger(postgres.dsn("snapshot_ledger"), clock=clock)
    yield ledger
    ledger.close()
    postgres.drop_database("snapshot_ledger")


@pytest.fixture
def source() -> Source:
    return Source(rows={f"{number:03d}": "first" for number in range(100)})


async def take(ledger: Ledger, source: Source, **more: Any) -> SnapshotReport:
    return await Snapshot(ledger, source, "crm", KIND, Limit(**more)).take()  # type: ignore[arg-type]


def live(ledger: Ledger) -> dict[str, str]:
    """What the ledger believes to be there, by id, in its newest words."""
    with ledger.transaction() as books:
        rows = books.records._session.rows(
            "select r.their_id, p.body->>'name' from source_records r join record_versions v on v.id = r.version_id"
            " join payloads p on p.version_id = v.id and p.part = 'raw' where not r.deleted"
        )
    return dict(rows)


def parked(ledger: Ledger) -> list[Any]:
    with ledger.transaction() as books:
        return books.parked.open()


async def test_what_is_missing_or_different_is_taken_in_and_nothing_twice(ledger, source):
    report = await take(ledger, source)
    assert (report.outcome, report.read, report.stored, report.deleted) == ("done", 100, 100, 0)
    source.rows["007"] = "other"
    report = await take(ledger, source)
    assert (report.read, report.stored) == (100, 1)
    assert live(ledger) == source.rows
    assert ledger_keys(ledger) == 0


def understand(ledger: Ledger) -> None:
    """As intake would: each record is a document from now on."""
    with ledger.transaction() as books:
        pending = books.records.pending(limit=1000)
        books.records.translated(
            [Translation(entry.version_id, f"customer:crm:{entry.their_id}", entry.raw) for entry in pending]
        )


def ledger_keys(ledger: Ledger) -> int:
    with ledger.transaction() as books:
        return int(books.records._session.value("select count(*) from snapshot_keys"))


async def test_what_is_gone_is_marked_after_a_second_look_and_can_come_back(ledger, source):
    await take(ledger, source)
    understand(ledger)
    gone = source.rows.pop("042")
    report = await take(ledger, source)
    assert (report.missing, report.deleted, report.examples) == (1, 1, ("N042",))
    assert live(ledger) == source.rows
    with ledger.transaction() as books:
        deleted = [version for version in books.records.pending(limit=1000) if version.deleted]
    assert [(version.their_id, version.raw["name"]) for version in deleted] == [("042", "first")]
    source.rows["042"] = gone
    report = await take(ledger, source)
    assert (report.stored, report.missing) == (1, 0)
    assert live(ledger) == source.rows


async def test_where_single_records_cannot_be_asked_for_two_readings_in_a_row_must_miss_it(ledger, source):
    source.asks_single = False
    await take(ledger, source)
    source.hidden = {"001", "002"}
    report = await take(ledger, source)
    assert (report.missing, report.deleted) == (2, 0)
    assert "next snapshot" in report.reason
    source.hidden = {"002"}  # 001 only slipped between two pages
    report = await take(ledger, source)
    assert (report.missing, report.deleted) == (1, 1)
    assert set(source.rows) - set(live(ledger)) == {"002"}
    source.hidden = {"001"}
    assert (await take(ledger, source)).deleted == 0


async def test_what_only_slipped_between_pages_is_found_by_its_id(ledger, source):
    await take(ledger, source)
    source.hidden = {"001"}
    source.rows["001"] = "changed meanwhile"
    report = await take(ledger, source)
    assert (report.missing, report.deleted, report.stored) == (1, 0, 1)
    assert live(ledger) == source.rows


async def test_an_empty_answer_deletes_nothing_and_asks_a_person(ledger, source):
    await take(ledger, source)
    rows, source.rows = source.rows, {}
    report = await take(ledger, source)
    assert (report.outcome, report.deleted, report.missing) == ("stopped", 0, 100)
    assert live(ledger) == rows
    (case,) = parked(ledger)
    assert (case.error_kind, case.role, case.subject) == ("MassDelete", "crm", f"crm/{KIND}")
    assert case.details["owner"] == "crm"
    assert case.details["missing"] == 100
    assert len(case.details["examples"]) == 10
    source.rows = rows  # it was only its permission: the next reading comes out well
    assert (await take(ledger, source)).outcome == "done"
    assert parked(ledger) == []
    assert live(ledger) == rows


@pytest.mark.parametrize(
    ("gone", "limit", "outcome"),
    [(2, {}, "done"), (4, {}, "done"), (5, {}, "stopped"), (40, {}, "stopped"), (40, {"share": 0.5}, "done"),
     (3, {"documents": 1}, "stopped"), (2, {"documents": 1}, "done")],
)  # fmt: skip
async def test_the_brake_stops_where_the_system_declares_it(ledger, source, gone, limit, outcome):
    await take(ledger, source)
    for key in sorted(source.rows)[:gone]:
        del source.rows[key]
    report = await take(ledger, source, **limit)
    assert (report.outcome, report.deleted) == (outcome, gone if outcome == "done" else 0)


async def test_a_person_lets_a_mass_deletion_through_once(ledger, source):
    await take(ledger, source)
    for key in sorted(source.rows)[:30]:
        del source.rows[key]
    assert (await take(ledger, source)).outcome == "stopped"
    assert (await take(ledger, source)).outcome == "stopped"
    (case,) = parked(ledger)
    source.rows["003"] = "first"
    with ledger.transaction() as books:  # told of again before the person said yes
        books.records.store("crm", [Captured(KIND, "003", {"id": "003", "name": "back"}, number="N003")])
        assert books.parked.replay(signature=case.signature, by="a person")
    assert set(live(ledger)) == set(source.rows)
    assert parked(ledger) == []
    report = await take(ledger, source)
    assert (report.outcome, report.missing, report.stored) == ("done", 0, 1)
    with ledger.transaction() as books:
        assert books.parked.replay(signature=case.signature, by="a person") == []


async def test_a_reading_that_was_cut_short_deletes_nothing_and_goes_on_where_it_was(ledger, source):
    await take(ledger, source)
    del source.rows["099"]
    source.pages_read, source.fail_after = 0, 4
    with pytest.raises(Transient):
        await take(ledger, source)
    assert len(live(ledger)) == 100
    source.pages_read, source.fail_after = 0, None
    report = await take(ledger, source)
    assert source.pages_read == 6  # of ten
    assert (report.outcome, report.read, report.deleted) == ("done", 99, 1)


async def test_a_reading_left_for_long_begins_again(ledger, source, clock):
    source.fail_after = 4
    with pytest.raises(Transient):
        await take(ledger, source)
    clock.now += timedelta(hours=7)
    source.pages_read, source.fail_after = 0, None
    assert (await take(ledger, source)).read == 100
    assert source.pages_read == 10
    assert ledger_keys(ledger) == 0


@pytest.mark.parametrize("trouble", [{"shifting": True}, {"total": 101}])
async def test_a_reading_during_which_rows_moved_deletes_nothing(ledger, source, trouble):
    await take(ledger, source)
    del source.rows["050"]
    for name, value in trouble.items():
        setattr(source, name, value)
    report = await take(ledger, source)
    assert (report.outcome, report.deleted) == ("incomplete", 0)
    assert "050" in live(ledger)
    assert ledger_keys(ledger) == 0


async def test_news_captured_while_it_reads_are_newer_than_what_it_read(ledger, source):
    await take(ledger, source)
    turns = iter(range(1))

    def captured_meanwhile() -> None:
        if next(turns, None) is None:
            return
        with ledger.transaction() as books:
            told = [Captured(KIND, key, {"id": key, "name": "newer"}, number=f"N{key}") for key in ("050", "777")]
            books.records.store("crm", told)

    source.between = captured_meanwhile  # what the pages say is older: 050 changed, 777 was made after they were asked
    report = await take(ledger, source)
    assert report.deleted == report.missing == 0
    assert live(ledger)["050"] == "newer"
    assert live(ledger)["777"] == "newer"


async def test_of_two_readers_one_goes_on(ledger, source):
    await take(ledger, source)
    other: list[SnapshotReport] = []
    source.page = 50
    turns = iter(range(1))
    first = Snapshot(ledger, source, "crm", KIND, Limit())  # type: ignore[arg-type]

    class Second(Source):
        pass

    second_source = Second(rows=dict(source.rows), page=50)

    async def meanwhile() -> None:
        other.append(await take(ledger, second_source))

    original = source.whole

    async def whole(document: str, position: Mapping[str, Any] | None = None) -> AsyncIterator[WholePage]:
        async for page in original(document, position):
            yield page
            if next(turns, None) is not None:
                await meanwhile()

    source.whole = whole  # type: ignore[method-assign]
    report = await first.take()
    assert sorted([report.outcome, other[0].outcome]) == ["done", "taken_over"]
    assert live(ledger) == source.rows


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.sets(st.integers(0, 30), min_size=1), after=st.sets(st.integers(0, 30)), single=st.booleans(),
    hidden=st.sets(st.integers(0, 30), max_size=3),
)  # fmt: skip
async def test_whatever_is_there_stays_and_whatever_is_gone_goes(ledger, before, after, single, hidden):
    """For any two states of a source: what it still has is never deleted for long, what it lost is in the end."""
    with ledger.transaction() as books:
        books.records._session.run("truncate source_records, record_versions, payloads, snapshots, parked cascade")
    source = Source(rows={f"{key:02d}": "a" for key in before}, asks_single=single, page=4)
    await take(ledger, source, share=1.0)
    source.rows = {f"{key:02d}": "b" for key in after}
    source.hidden = {f"{key:02d}" for key in hidden}
    await take(ledger, source, share=1.0)
    assert not {f"{key:02d}" for key in before & after} - set(live(ledger))
    source.hidden = set()
    for _ in range(2):
        await take(ledger, source, share=1.0)
    if after:
        assert live(ledger) == source.rows
    else:
        assert set(live(ledger)) == {f"{key:02d}" for key in before}  # an empty answer is never believed alone
