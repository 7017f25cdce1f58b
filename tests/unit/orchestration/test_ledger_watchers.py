"""The watchers over a real PostgreSQL: ready work, news of a source, told until the ledger has caught up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.serde import deserialize, serialize

from throughline.connectors.contract import Captured, ObjectKind, Page
from throughline.ledger import Ledger
from throughline.ledger.work_entries import Start, StepChange
from throughline.orchestration import composition
from throughline.orchestration.triggers.ledger_news import AUDIENCE, News
from throughline.orchestration.triggers.ready_work import Lying, ReadyWorkTrigger
from throughline.orchestration.triggers.source_changes import SourceChangesTrigger


def make_ready(ledger: Ledger, key: str, *, flow: str = "f", state: str = "ready") -> None:
    with ledger.transaction() as books:
        (started,) = books.processes.start([Start(flow, "1", key)])
        books.steps.change([StepChange(started.process_id, "s", "", state)])


async def first(events: AsyncIterator[Any], within: float = 5.0) -> Any:
    return (await asyncio.wait_for(anext(events), within)).payload


# --- ready work ----------------------------------------------------------------------------------------------------


async def test_ready_work_is_told_and_told_again_until_it_is_taken(ledger: Ledger) -> None:
    events = ReadyWorkTrigger(flow="f", settle=0.0, again=0.3).run()
    waiting = asyncio.ensure_future(first(events))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    make_ready(ledger, "sales_order:crm:SO-1")
    assert await waiting == {"flow": "f"}
    assert await first(events) == {"flow": "f"}
    make_ready(ledger, "sales_order:crm:SO-1", state="done")
    quiet = asyncio.ensure_future(first(events, within=60))
    await asyncio.sleep(1.8)
    assert not quiet.done()
    quiet.cancel()


async def test_a_notification_is_heard_at_once(ledger: Ledger) -> None:
    """The clock of this watcher is far slower than the time allowed here."""
    from throughline.orchestration.triggers.ledger_news import ledger_news

    with AUDIENCE.joined("f"):
        stream = ledger_news("ledger", every=30)
        assert (await asyncio.wait_for(anext(stream), 5)).flows == frozenset()
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.4)
        make_ready(ledger, "sales_order:crm:SO-1")
        assert (await asyncio.wait_for(waiting, 3)).flows == {"f"}
        await stream.aclose()  # type: ignore[attr-defined]


async def test_the_stream_goes_on_when_the_database_was_away(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    from throughline.orchestration.triggers import ledger_news as module

    calls = iter([OSError("refused"), None])

    async def afind(name: str) -> Any:
        if error := next(calls, None):
            raise error
        return await found(name)

    found = module.credentials.afind
    monkeypatch.setattr(module.credentials, "afind", afind)
    stream = module.ledger_news("ledger", every=0.05)
    assert (await asyncio.wait_for(anext(stream), 5)).flows == frozenset()
    await stream.aclose()  # type: ignore[attr-defined]


async def test_flows_share_one_stream_and_hear_only_of_themselves() -> None:
    one, other = ReadyWorkTrigger(flow="a", settle=0), ReadyWorkTrigger(flow="b", settle=0)
    assert one.shared_stream_key() == other.shared_stream_key()

    async def stream() -> AsyncIterator[News]:
        assert set(AUDIENCE.flows) == {"b"}
        yield News(frozenset({"a"}))
        yield News(frozenset({"b"}))

    assert [event.payload async for event in other.filter_shared_stream(stream())] == [{"flow": "b"}]
    assert AUDIENCE.flows == []


def test_fresh_work_may_lie_a_moment_before_it_is_mentioned() -> None:
    moment = [0.0]
    lying = Lying(1.5, 5.0, now=lambda: moment[0])
    said = []
    for tick in range(16):
        moment[0] = tick / 2
        if lying.speaks(there=tick != 6):
            said.append(moment[0])
    assert said == [1.5, 5.0]


# --- sources -------------------------------------------------------------------------------------------------------


class FakeSystem:
    """Tells two kinds of documents, a page at a time."""

    def __init__(self) -> None:
        self.records: dict[str, list[Captured]] = {"sales_order": [], "customer": []}
        self.cursors: list[Mapping[str, Any] | None] = []

    def objects(self) -> dict[str, ObjectKind]:
        polled = {name: ObjectKind(name, polled=True) for name in self.records}
        return {**polled, "receipt": ObjectKind("receipt", pushed=True)}

    async def changes(self, document: str, cursor: Mapping[str, Any] | None, **_: Any) -> AsyncIterator[Page]:
        self.cursors.append(cursor)
        for record in self.records[document]:
            yield Page((record,), {"at": record.their_id})

    async def __aenter__(self) -> FakeSystem:
        return self

    async def __aexit__(self, *exc: object) -> None: ...


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> FakeSystem:
    fake = FakeSystem()

    async def aopen_system(role: str) -> FakeSystem:
        assert role == "crm"
        return fake

    landscape = SimpleNamespace(system=lambda _: SimpleNamespace(captures=["sales_order", "customer", "receipt"]))
    monkeypatch.setattr(composition, "aopen_system", aopen_system)
    monkeypatch.setattr(composition, "landscape", lambda: landscape)
    return fake


async def test_a_change_the_ledger_does_not_know_is_told_until_it_does(ledger: Ledger, system: FakeSystem) -> None:
    events = SourceChangesTrigger(role="crm", every=0.05, again=0.2).run()
    waiting = asyncio.ensure_future(first(events))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    order = Captured("sales_order", "1", {"name": "SO-1"})
    system.records["sales_order"].append(order)
    assert await waiting == {"system": "crm", "news": ["sales_order"]}
    assert await first(events) == {"system": "crm", "news": ["sales_order"]}

    with ledger.transaction() as books:
        (stored,) = books.records.store("crm", [order])
        books.watermarks.set("crm", "sales_order", {"at": "1"})
    assert await first(events) == {"system": "crm", "news": ["untranslated"]}
    assert {"at": "1"} in system.cursors
    from throughline.ledger.entries import Translation

    with ledger.transaction() as books:
        books.records.translated([Translation(stored.version_id, "sales_order:crm:SO-1", {"number": "SO-1"})])
    quiet = asyncio.ensure_future(first(events, within=60))
    await asyncio.sleep(0.8)
    assert not quiet.done()
    system.records["sales_order"] = [Captured("sales_order", "1", {"name": "SO-1", "remark": "changed"})]
    assert await quiet == {"system": "crm", "news": ["sales_order"]}


async def test_what_a_system_sent_us_is_told_although_we_do_not_ask_for_it(ledger: Ledger, system: FakeSystem) -> None:
    events = SourceChangesTrigger(role="crm", every=0.05).run()
    waiting = asyncio.ensure_future(first(events))
    await asyncio.sleep(0.2)
    with ledger.transaction() as books:
        assert books.inbox.store("crm", "receipt", "m-1", {}, b"{}")
    assert await waiting == {"system": "crm", "news": ["unread messages"]}


def test_watchers_are_described_in_plain_data() -> None:
    for trigger in (ReadyWorkTrigger(flow="f"), SourceChangesTrigger(role="crm", every=0.5)):
        path, kwargs = trigger.serialize()
        assert path.endswith(type(trigger).__name__)
        assert deserialize(serialize(kwargs)) == kwargs
        assert type(trigger)(**kwargs).serialize() == (path, kwargs)
        assert len(str(kwargs)) < 200
