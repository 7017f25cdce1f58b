"""Hundreds of documents stop for one cause; somebody mends it; one replay lets them go on, a few first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stories.plant import FLOW, Plant, quantity
from tests.stories.scripted_systems import captured, refused
from throughline.errors import Invalid
from throughline.ledger.replays import Choice
from throughline.process.replaying import ARRIVED, OPEN, PARKED, Replaying, Watch

BY = "hannah (command line)"


class Unmapped:
    """Words that know no way to write a unit until somebody adds it to the code list."""

    def __init__(self, words: Any) -> None:
        self.words, self.mended = words, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.words, name)

    def write(self, role: str, writings: Any) -> Any:
        if self.mended or role != "erp":
            return self.words.write(role, writings)
        return [Invalid(f"order {w.document.number}: the ERP has no word for '箱'", system="erp") for w in writings]

    def read(self, role: str, document: str, records: Any) -> Any:
        if self.mended or document != "sales_order" or role != "crm" or not self.unreadable:
            return self.words.read(role, document, records)
        return [Invalid(f"order {raw['number']}: '箱' is no unit", system="crm") for raw in records]

    unreadable = False


@pytest.fixture
def plant(postgres_dsn: str) -> Plant:
    return Plant(postgres_dsn)


def unmapped(plant: Plant) -> Unmapped:
    words = Unmapped(plant.engine._shop.words)
    object.__setattr__(plant.engine._shop, "words", words)
    plant.engine._intake._words = words
    return words


def orders(plant: Plant, count: int) -> None:
    """So many confirmed orders, told at once."""
    plant.master_data()
    told = [
        captured("sales_order", f"crm-sales_order-SO-{n:03}", {
            "number": f"SO-{n:03}", "status": "confirmed", "customer": "customer:crm:C-1001",
            "lines": [{"line": "10", "item": "item:erp:FG-100", "quantity": quantity(10)}],
        }, plant.clock()) for n in range(count)
    ]  # fmt: skip
    plant.engine.keep("crm", told)
    plant.engine.take_in()
    run(plant)


def run(plant: Plant) -> None:
    asyncio.run(plant.run())


def signature(plant: Plant) -> str:
    with plant.ledger.transaction() as books:
        (group,) = books.parked.by_signature()
    return group.signature


def replaying(plant: Plant, **chosen: Any) -> Replaying:
    return Replaying(plant.ledger, Choice(**chosen), by=BY)


def watching(plant: Plant) -> Watch:
    return Watch(lambda: run(plant), seconds=5, now=iter_of_seconds().__next__)


def iter_of_seconds() -> Iterator[float]:
    """A clock on which a second passes with every look."""
    moment = 0.0
    while True:
        yield moment
        moment += 1


def test_312_of_one_cause_one_fix_one_replay_with_canaries(plant: Plant) -> None:
    words = unmapped(plant)
    orders(plant, 312)
    with plant.ledger.transaction() as books:
        (group,) = books.parked.by_signature()
    assert (group.count, group.role, group.error_kind) == (312, "erp", "Invalid")
    assert len(group.examples) == 3
    assert not plant.erp.writes
    words.mended = True

    wish = replaying(plant, signature=group.signature)
    tried = wish.try_canaries(3, watch=watching(plant))
    assert tried.passed
    assert [case.subject for case in tried.cases] == [f"sales_order:crm:SO-{n:03}" for n in range(3)]
    assert len(plant.erp.of("sales_order")) == 3

    released = wish.release(per_minute=60)
    assert (len(released.cases), released.lasts.total_seconds()) == (309, 308)
    plant.engine = plant.worker("another worker, after a crash")
    counts = []
    for _ in range(4):
        run(plant)
        counts.append(len(plant.erp.of("sales_order")))
        plant.clock.pass_time(seconds=30)
        assert replaying(plant, signature=group.signature).release(per_minute=60).cases == ()
    assert counts == [4, 34, 64, 94], "one a second, whoever asks how often"
    plant.clock.pass_time(minutes=5)
    run(plant)
    sent = [write.reference for write in plant.erp.of("sales_order")]
    assert len(sent) == len(set(sent)) == 312
    assert plant.erp.calls["sales_order", "create"] == 312
    assert plant.audit("replay") == [f"sales_order:crm:SO-{n:03}" for n in range(312)]
    assert not plant.parked()


def test_a_cause_that_is_not_mended_costs_three_attempts_and_no_more(plant: Plant) -> None:
    plant.erp.next_time("sales_order", refused)
    for _ in range(40):
        plant.erp.next_time("sales_order", refused)
    orders(plant, 30)
    calls = plant.erp.calls["sales_order", "create"]
    assert (calls, len(plant.parked())) == (30, 30)
    told = []
    watch = Watch(lambda: run(plant), seconds=5, tell=lambda _, fates: told.append([fate.state for fate in fates]))
    tried = replaying(plant, signature=signature(plant)).try_canaries(3, watch=watch)
    assert not tried.passed
    assert told == [[OPEN] * 3, [PARKED] * 3]
    assert [fate.said for _, fate in tried.fared(PARKED)] == ["not in this state"] * 3
    assert plant.erp.calls["sales_order", "create"] - calls == 3
    run(plant)
    assert plant.erp.calls["sales_order", "create"] - calls == 3
    assert len(plant.parked()) == 30


def test_canaries_that_come_to_no_end_let_nothing_follow(plant: Plant) -> None:
    words = unmapped(plant)
    orders(plant, 5)
    words.mended = plant.erp.down = True
    tried = replaying(plant, everything=True).try_canaries(3, watch=watching(plant))
    assert not tried.passed
    assert len(tried.fared(OPEN)) == 3
    assert len(plant.parked()) == 2


def test_an_order_keeps_its_shipments_in_their_order(plant: Plant) -> None:
    asyncio.run(plant.up_to_production())
    words = unmapped(plant)
    for number in ("D-1", "D-2", "D-3"):
        plant.wms_ships(number, 3)
    run(plant)
    orders(plant, 1)
    assert len(plant.parked()) == 4
    words.mended = True
    wish = replaying(plant, everything=True)
    tried = wish.try_canaries(3, watch=watching(plant))
    assert [case.subject for case in tried.cases] == ["shipment:wms:D-1", "sales_order:crm:SO-000"]
    assert tried.passed
    assert len(plant.erp.of("shipment")) == 1
    assert [case.subject for case in wish.release(per_minute=6).cases] == ["shipment:wms:D-2", "shipment:wms:D-3"]
    for _ in range(3):
        run(plant)
        plant.clock.pass_time(seconds=10)
    assert [write.reference for write in plant.erp.of("shipment")] == ["D-1", "D-2", "D-3"]


def test_records_that_could_not_be_read_are_replayed_the_same_way(plant: Plant) -> None:
    words = unmapped(plant)
    words.unreadable = True
    orders(plant, 8)
    with plant.ledger.transaction() as books:
        assert len(books.parked.open()) == 8
        assert books.processes.list(flow=FLOW) == []
    words.mended = True
    wish = replaying(plant, signature=signature(plant))

    def carry() -> None:
        plant.engine.take_in()
        run(plant)

    tried = wish.try_canaries(2, watch=Watch(carry, seconds=5))
    assert [fate.state for fate in tried.fates] == [ARRIVED] * 2
    assert len(plant.erp.of("sales_order")) == 2, "understood, and carried to where the plant must go on"
    assert len(wish.release(per_minute=30).cases) == 6
    for _ in range(6):
        carry()
        plant.clock.pass_time(seconds=2)
    assert sorted(write.reference for write in plant.erp.of("sales_order")) == [f"SO-{n:03}" for n in range(8)]
    with plant.ledger.transaction() as books:
        assert not books.records.has_pending()


def test_a_canary_is_understood_and_then_stops_elsewhere(plant: Plant) -> None:
    words = unmapped(plant)
    words.unreadable = True
    orders(plant, 4)
    words.unreadable = False

    def carry() -> None:
        plant.engine.take_in()
        run(plant)

    tried = replaying(plant, signature=signature(plant)).try_canaries(1, watch=Watch(carry, seconds=5))
    ((_, fate),) = tried.fared(PARKED)
    assert fate.said == "order SO-000: the ERP has no word for '箱'"
    assert not plant.erp.writes
