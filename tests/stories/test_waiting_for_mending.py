"""What waits for somebody outside: an item that is known by name only, a secret that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stories.plant import FLOW, Plant
from throughline.errors import Misconfigured, Unknown
from throughline.ledger.entries import Identity
from throughline.ledger.replays import Choice
from throughline.process.replaying import Replaying
from throughline.process.sweep import Engine


@pytest.fixture
def plant(postgres_dsn: str) -> Plant:
    return Plant(postgres_dsn)


class Incomplete:
    """Words that miss the units of an item whose name is known."""

    def __init__(self, words: Any) -> None:
        self.words, self.missing, self.asked = words, True, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.words, name)

    def write(self, role: str, writings: Any) -> Any:
        self.asked += 1
        if self.missing and role == "erp":
            return [Unknown("its units are not known", awaited="item:erp:FG-100@erp") for _ in writings]
        return self.words.write(role, writings)

    def read(self, role: str, document: str, records: Any) -> Any:
        self.asked += 1
        if self.missing and document == "work_order":
            return [Unknown("its units are not known", awaited="erp/item/erp-item-FG-100") for _ in records]
        return self.words.read(role, document, records)


def incomplete(plant: Plant) -> Incomplete:
    words = Incomplete(plant.engine._shop.words)
    object.__setattr__(plant.engine._shop, "words", words)
    plant.engine._intake._words = words
    with plant.ledger.transaction() as books:
        books.identities.register([Identity("erp", "item", "erp-item-FG-100", "item:erp:FG-100", "FG-100")])
    return words


async def test_a_name_that_is_known_and_not_complete_is_asked_once_a_run_with_growing_pauses(plant: Plant) -> None:
    plant.master_data(items=False)
    words = incomplete(plant)
    plant.order()
    pauses = []
    for _ in range(4):
        asked = words.asked
        await plant.engine.run_step(FLOW, "erp_order")
        assert words.asked == asked + 1
        step = plant.step("erp_order")
        assert (step.state, step.awaited, step.error) == (
            "retrying", "item:erp:FG-100@erp", "its units are not known")  # fmt: skip
        assert step.ready_at is not None
        pauses.append((step.ready_at - plant.clock()).total_seconds())
        plant.clock.now = step.ready_at
    assert pauses == sorted(set(pauses))
    words.missing = False
    plant.clock.pass_time(seconds=60)
    await plant.run()
    assert plant.step("erp_order").state == "done"


async def test_a_record_that_misses_what_is_known_by_name_waits_for_its_news(plant: Plant) -> None:
    plant.master_data(items=False)
    words = incomplete(plant)
    asked = words.asked
    plant.erp_plans("WO-1", 10)
    assert words.asked == asked + 2
    plant.engine.take_in()
    assert words.asked == asked + 2
    words.missing = False
    plant.item_is_told("FG-100")
    with plant.ledger.transaction() as books:
        assert books.records.current(["work_order:erp:WO-1"])


async def test_a_wrong_secret_lets_everything_wait_and_fails_the_task(plant: Plant) -> None:
    plant.master_data()
    plant.erp.wrong = True
    for number in range(5):
        plant.order(f"SO-{number}")
    for pause in (60, 120, 240, 480, 600, 600):
        with pytest.raises(Misconfigured, match="the secret is wrong"):
            await plant.engine.run_step(FLOW, "erp_order")
        steps = [plant.step("erp_order", number=f"SO-{number}") for number in range(5)]
        assert {(step.state, step.error) for step in steps} == {("retrying", "connection erp: the secret is wrong")}
        assert {(step.ready_at - plant.clock()).total_seconds() for step in steps if step.ready_at} == {pause}
        assert not plant.engine.plan(FLOW)
        plant.clock.pass_time(seconds=pause)
    with plant.ledger.transaction() as books:
        assert not books.parked.open()
        assert {row.attempts for row in books.deliveries.unsettled("erp")} == {0}
    plant.erp.wrong = False
    await plant.run()
    assert len(plant.erp.of("sales_order")) == 5


@pytest.mark.parametrize("by_replay", [True, False])
async def test_a_person_need_not_wait_for_the_pause(plant: Plant, *, by_replay: bool) -> None:
    plant.master_data()
    plant.erp.wrong = True
    plant.order()
    with pytest.raises(Misconfigured):
        await plant.engine.run_step(FLOW, "erp_order")
    plant.erp.wrong = False
    keys = ["sales_order:crm:SO-1"]
    if by_replay:
        plant.engine.replay(keys=keys, by="hannah")
        await plant.engine.sweep(FLOW)
    else:
        assert plant.engine.plan(FLOW) == {}
        await plant.engine.sweep(FLOW, keys)
    assert plant.step("erp_order").state == "done"


def without_login(plant: Plant) -> Engine:
    def refuse(role: str) -> Any:
        raise Misconfigured("it has no extra 'permanent_code'", where=f"connection {role}")

    engine = plant.worker("worker-3")
    object.__setattr__(engine._shop, "connectors", refuse)
    return engine


async def test_a_connection_that_cannot_be_opened_is_no_reason_to_try_all_the_time(plant: Plant) -> None:
    plant.master_data()
    plant.order()
    engine = without_login(plant)
    for pause in (60, 120):
        with pytest.raises(Misconfigured):
            await engine.run_step(FLOW, "erp_order")
        assert not engine.plan(FLOW)
        assert "permanent_code" in (plant.step("erp_order").error or "")
        plant.clock.pass_time(seconds=pause - 1)
        assert not engine.plan(FLOW)
        plant.clock.pass_time(seconds=1)
        assert engine.plan(FLOW)
    await plant.run()
    assert plant.step("erp_order").state == "done"


async def test_a_wrong_table_lets_its_documents_wait_without_parking_them(plant: Plant) -> None:
    plant.master_data()
    plant.order()
    words = plant.engine._shop.words

    class Broken(Incomplete):
        def write(self, role: str, writings: Any) -> Any:
            if self.missing:
                raise Misconfigured("there is no table", where="include/mappings")
            return self.words.write(role, writings)

    broken = Broken(words)
    object.__setattr__(plant.engine._shop, "words", broken)
    with pytest.raises(Misconfigured, match="no table"):
        await plant.engine.run_step(FLOW, "erp_order")
    assert plant.step("erp_order").state == "retrying"
    broken.missing = False
    plant.clock.pass_time(seconds=60)
    await plant.run()
    assert plant.step("erp_order").state == "done"


class BrokenReading(Incomplete):
    """Words whose table for work orders of the ERP cannot be loaded."""

    def read(self, role: str, document: str, records: Any) -> Any:
        self.asked += 1
        if self.missing and (role, document) == ("erp", "work_order"):
            raise Misconfigured("fields.number: what is this?", where="include/mappings/tryton_erp/work_order.yaml:8")
        return self.words.read(role, document, records)


async def test_what_a_broken_table_stops_waits_and_resumes_by_itself(plant: Plant) -> None:
    plant.master_data()
    plant.order()
    await plant.run()
    words = BrokenReading(plant.engine._shop.words)
    plant.engine._intake._words = words
    plant.erp_plans("WO-SO-1", 6)
    plant.erp_plans("WO-SO-2", 4)
    with plant.ledger.transaction() as books:
        assert not books.parked.open()
        assert not books.records.has_pending(), "nobody asks again and again"
        (held,) = books.records.put_off_now()
        told = books.records.told("WO-SO-1")
    assert (held.role, held.document, held.count) == ("erp", "work_order", 2)
    assert held.reason == "include/mappings/tryton_erp/work_order.yaml:8: fields.number: what is this?"
    assert (told[0].state, told[0].reason) == ("pending", held.reason)
    plant.item_is_told("FG-300")
    asked = words.asked
    assert plant.engine.take_in().held == 0
    assert words.asked == asked, "its neighbours are understood meanwhile, and it is left alone"
    plant.clock.pass_time(seconds=60)
    with plant.ledger.transaction() as books:
        assert books.records.has_pending("erp")
    assert plant.engine.take_in().held == 2
    words.missing = False
    plant.clock.pass_time(seconds=60)
    assert plant.engine.take_in().translated == 2
    await plant.run()
    assert len(plant.mes.of("work_order")) == 2
    with plant.ledger.transaction() as books:
        assert books.records.put_off_now() == []


async def test_a_person_need_not_wait_for_what_a_broken_table_stopped(plant: Plant) -> None:
    plant.master_data()
    plant.order()
    words = BrokenReading(plant.engine._shop.words)
    plant.engine._intake._words = words
    plant.erp_plans("WO-SO-1", 10)
    with plant.ledger.transaction() as books:
        (held,) = books.records.put_off_now()
    words.missing = False
    assert Replaying(plant.ledger, Choice(signature=held.signature), by="hannah").release().hurried == 1
    assert plant.engine.take_in().translated == 1
