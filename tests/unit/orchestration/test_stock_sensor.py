"""The stock sensor asks the system itself, exactly, and fires when there is too little."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from throughline.canonical import Quantity, StockLevel
from throughline.connectors.contract import Captured, Page
from throughline.errors import Misconfigured, ThroughlineError, Unknown
from throughline.orchestration import composition
from throughline.orchestration.sensors.stock_below import StockBelowSensor
from throughline.orchestration.triggers.stock_below import StockBelowTrigger
from throughline.process.surroundings import Reading


class FakeWarehouse:
    """Rows of (item, site, quantity); every question is counted."""

    def __init__(self, *rows: tuple[str, str, str]) -> None:
        self.rows = list(rows)
        self.asked = 0

    async def changes(self, document: str, cursor: Any = None) -> AsyncIterator[Page]:
        assert (document, cursor) == ("stock_level", None)
        self.asked += 1
        for item, site, quantity in self.rows:
            raw = {"item": item, "site": site, "quantity": quantity}
            yield Page((Captured("stock_level", item, raw),), {})

    async def __aenter__(self) -> FakeWarehouse:
        return self

    async def __aexit__(self, *exc: object) -> None: ...


class FakeWords:
    def read(self, role: str, document: str, records: Sequence[Any]) -> list[Reading | ThroughlineError]:
        return [self._one(raw) for raw in records]

    def _one(self, raw: dict[str, str]) -> Reading | ThroughlineError:
        if raw["quantity"] == "?":
            return Unknown("an item nobody told us about", awaited="erp/item/x")
        on_hand = Quantity(value=Decimal(raw["quantity"]), unit="pcs")
        level = StockLevel(number=raw["item"], item=f"item:erp:{raw['item']}", site=raw["site"], on_hand=on_hand)
        return Reading(f"stock_level:wms:{raw['item']}", level)


@pytest.fixture
def warehouse(monkeypatch: pytest.MonkeyPatch) -> FakeWarehouse:
    fake = FakeWarehouse(("FG-100", "WH01", "12.5"), ("FG-100", "WH02", "100"), ("RM-1", "WH01", "1"))

    async def later(*_: Any) -> Any:
        return fake

    monkeypatch.setattr(composition, "open_ledger", lambda: None)
    monkeypatch.setattr(composition, "aopen_ledger", later)
    monkeypatch.setattr(composition, "words_over", lambda _: FakeWords())
    monkeypatch.setattr(composition, "open_system", lambda role: fake)
    monkeypatch.setattr(composition, "aopen_system", later)
    return fake


def sensor(**more: Any) -> StockBelowSensor:
    return StockBelowSensor(**{"task_id": "t", "item": "FG-100", "threshold": "12.6", "site": "WH01", **more})


def test_too_little_is_told_at_once(warehouse: FakeWarehouse) -> None:
    assert sensor().execute({}) == {"item": "FG-100", "site": "WH01", "quantity": "12.5"}
    assert warehouse.asked == 1


def test_enough_is_waited_for_in_the_triggerer(warehouse: FakeWarehouse) -> None:
    with pytest.raises(TaskDeferred) as deferred:
        sensor(threshold="12.5", timeout=90).execute({})
    path, kwargs = deferred.value.trigger.serialize()
    assert path == "throughline.orchestration.triggers.stock_below.StockBelowTrigger"
    assert kwargs == {"system": "wms", "item": "FG-100", "threshold": "12.5", "site": "WH01", "every": 30.0}
    assert deferred.value.timeout.total_seconds() == 90
    assert sensor().retries >= 1


def test_all_sites_together_and_the_canonical_id(warehouse: FakeWarehouse) -> None:
    assert sensor(site=None, item="item:erp:FG-100", threshold="112.6").execute({})["quantity"] == "112.5"


def test_what_the_system_has_no_line_for_it_has_none_of(warehouse: FakeWarehouse) -> None:
    assert sensor(item="FG-999", threshold="1").execute({})["quantity"] == "0"


def test_a_line_that_cannot_be_read_is_not_taken_for_an_empty_shelf(warehouse: FakeWarehouse) -> None:
    warehouse.rows = [("FG-100", "WH01", "?")]
    with pytest.raises(Unknown):
        sensor().execute({})


@pytest.mark.parametrize("threshold", ["", "many", "NaN", None])
def test_a_threshold_that_is_no_quantity_is_refused(warehouse: FakeWarehouse, threshold: Any) -> None:
    with pytest.raises(Misconfigured, match="not a quantity"):
        sensor(threshold=threshold).execute({})
    assert warehouse.asked == 0


async def test_the_trigger_fires_once_when_the_stock_falls(warehouse: FakeWarehouse) -> None:
    events = StockBelowTrigger(system="wms", item="FG-100", threshold="10", site="WH01", every=0.02).run()

    async def fall() -> None:
        while warehouse.asked < 3:
            await asyncio.sleep(0.01)
        warehouse.rows[0] = ("FG-100", "WH01", "9")

    import asyncio

    falling = asyncio.ensure_future(fall())
    event = await asyncio.wait_for(anext(events), 5)
    await falling
    assert event.payload == {"item": "FG-100", "site": "WH01", "quantity": "9"}
    with pytest.raises(StopAsyncIteration):
        await anext(events)
