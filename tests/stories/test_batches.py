"""Many documents of one step: the next are made ready while the ones before are sent, and none is tried for nothing."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tests.stories.plant import FLOW, Plant
from tests.stories.scripted_systems import slow_down
from throughline.errors import Transient
from throughline.process.delivery import DeliveryRun


@pytest.fixture
def plant(postgres_dsn: str) -> Plant:
    plant = Plant(postgres_dsn)
    object.__setattr__(plant.engine._shop, "batch", 2)
    plant.master_data()
    for number in range(5):
        plant.order(f"SO-{number}")
    return plant


def sent(plant: Plant) -> int:
    with plant.ledger.transaction() as books:
        return sum(row.state == "sent" for row in books.deliveries.unsettled("erp"))


async def test_the_next_documents_are_written_down_while_the_ones_before_are_sent(plant: Plant) -> None:
    original, seen = plant.erp.send, []

    async def slow(*given: Any, **named: Any) -> Any:
        await asyncio.sleep(0.3)
        seen.append(sent(plant))
        return await original(*given, **named)

    plant.erp.send = slow  # type: ignore[method-assign]
    report = await plant.engine.run_step(FLOW, "erp_order")
    assert max(seen) == 4
    assert report.counts == {"done": 5}
    assert plant.erp.calls["sales_order", "create"] == 5
    assert sent(plant) == 0


async def test_what_was_written_down_and_not_called_loses_no_try(plant: Plant) -> None:
    plant.erp.next_time("sales_order", slow_down)
    plant.erp.next_time("sales_order", slow_down)
    await plant.engine.run_step(FLOW, "erp_order")
    called = plant.erp.calls["sales_order", "create"]
    assert called < 5
    assert sent(plant) == 0
    with plant.ledger.transaction() as books:
        assert sum(row.attempts for row in books.deliveries.unsettled("erp")) == called
    await plant.run(minutes=3)
    assert len(plant.erp.of("sales_order")) == 5


async def test_the_next_documents_are_sent_while_the_ones_before_are_recorded(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, record = plant.erp.send, DeliveryRun._record
    third_was_called, waited = threading.Event(), []

    async def send(*given: Any, **named: Any) -> Any:
        carried = await original(*given, **named)
        if plant.erp.calls["sales_order", "create"] == 3:
            third_was_called.set()
        return carried

    def slow_record(run: DeliveryRun, jobs: list[Any]) -> None:
        waited.append(third_was_called.wait(20))
        record(run, jobs)

    plant.erp.send = send  # type: ignore[method-assign]
    monkeypatch.setattr(DeliveryRun, "_record", slow_record)
    report = await plant.engine.run_step(FLOW, "erp_order")
    assert waited[0], "the third document belongs to the second batch"
    assert report.counts == {"done": 5}


async def test_when_recording_fails_it_is_told_and_what_was_called_besides_is_recorded(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, failed = DeliveryRun._record, []

    def fail_once(run: DeliveryRun, jobs: list[Any]) -> None:
        if not failed:
            failed.extend(jobs)
            raise Transient("the hub's database could not be used just now", system="ledger")
        record(run, jobs)

    monkeypatch.setattr(DeliveryRun, "_record", fail_once)
    with pytest.raises(Transient, match="database"):
        await plant.engine.run_step(FLOW, "erp_order")
    assert sent(plant) == len(failed), "only what could not be recorded is left open"
    await plant.run(minutes=10)
    assert len(plant.erp.of("sales_order")) == 5
    assert plant.erp.calls["sales_order", "create"] == 5, "nothing was sent twice"
