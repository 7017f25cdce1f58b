"""A red task leaves its sentence in the ledger, and takes it away when the work succeeds."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tests.stories.plant import FLOW, Plant
from tests.stories.scripted_systems import ScriptedLandscape
from throughline.errors import Misconfigured
from throughline.ledger import Ledger
from throughline.orchestration import composition
from throughline.orchestration.hub import Hub
from throughline.orchestration.sweep_by_hand import sweep_until_quiet
from throughline.orchestration.triggers.source_changes import SourceChangesTrigger


@pytest.fixture
def plant(postgres_dsn: str) -> Plant:
    plant = Plant(postgres_dsn)
    plant.master_data()
    plant.order()
    return plant


def hub_of(plant: Plant) -> Hub:
    landscape: Any = ScriptedLandscape()
    return Hub(plant.engine, landscape, lambda role: plant.systems[role])


def troubles(ledger: Ledger) -> list[tuple[str, str, int]]:
    with ledger.transaction() as books:
        return [(one.place, one.sentence, one.times) for one in books.troubles.lasting()]


def test_a_step_that_cannot_work_says_why_until_it_can(plant: Plant) -> None:
    plant.erp.wrong = True
    hub = hub_of(plant)
    for minutes in (1, 2):
        with pytest.raises(Misconfigured):
            hub.run_step(FLOW, "erp_order", None)
        assert not hub.run_step(FLOW, "erp_order", None).outcomes, "nothing is ready: that proves nothing"
        plant.clock.pass_time(minutes=minutes)
    assert troubles(plant.ledger) == [(f"step erp_order of {FLOW}", "connection erp: the secret is wrong", 2)]
    plant.erp.wrong = False
    assert hub.run_step(FLOW, "erp_order", None).moved == 1
    assert troubles(plant.ledger) == []


def test_sweeps_by_hand_go_on_past_what_a_person_must_mend(plant: Plant) -> None:
    plant.crm.wrong = True
    plant.wms_ships("D-0", 1, order="SO-0")
    with pytest.raises(Misconfigured, match="the secret is wrong"):
        sweep_until_quiet(hub_of(plant))
    assert len(plant.erp.of("sales_order")) == len(plant.wms.of("outbound_order")) == 1
    assert not plant.crm.writes
    plant.crm.wrong = False
    plant.clock.pass_time(minutes=1)
    assert sweep_until_quiet(hub_of(plant)) > 0
    assert len(plant.crm.of("order_update")) == 1


@pytest.mark.parametrize("wrong", [True, False])
async def test_a_watcher_says_what_keeps_it_from_looking(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, *, wrong: bool
) -> None:
    with ledger.transaction() as books:
        books.troubles.note("reading crm", "an older trouble", "s", role="crm")

    class Crm:
        def objects(self) -> dict[str, Any]:
            return {}

        async def __aenter__(self) -> Crm:
            if wrong:
                raise Misconfigured("check login and password", where="connection crm")
            return self

        async def __aexit__(self, *exc: object) -> None:
            return None

    async def opened(_role: str) -> Crm:
        return Crm()

    monkeypatch.setattr(composition, "aopen_system", opened)
    monkeypatch.setattr(
        composition, "landscape", lambda: SimpleNamespace(system=lambda _: SimpleNamespace(captures=[]))
    )
    watching = asyncio.ensure_future(anext(SourceChangesTrigger(role="crm", every=0.05).run(), None))
    expected = [("reading crm", "connection crm: check login and password", 1)] if wrong else []
    async with asyncio.timeout(20):
        while [entry[:2] for entry in troubles(ledger)] != [entry[:2] for entry in expected]:
            await asyncio.sleep(0.05)
    watching.cancel()
