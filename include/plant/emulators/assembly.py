"""Puts one emulator together: its file, its product, its faults, its door."""

from __future__ import annotations

from typing import Any

from include.plant.emulators.black_lake import BlackLake
from include.plant.emulators.calls import Facade
from include.plant.emulators.document_store import DocumentStore
from include.plant.emulators.door import build_app
from include.plant.emulators.fault_rules import FaultRules
from include.plant.emulators.flux import Flux
from include.plant.emulators.flux_callbacks import CallbackSender
from include.plant.emulators.fxiaoke import Fxiaoke
from include.plant.emulators.seed import Seed
from include.plant.emulators.settings import Settings

_SEEDED = "_seeded"


def assemble(settings: Settings) -> Any:
    """The ASGI application for these settings; master data goes in when the file is new."""
    store, faults = DocumentStore(settings.state), FaultRules()
    if settings.product == "flux":
        flux = Flux(settings, store)
        sender = CallbackSender(settings, flux.outbox, faults)
        _seed_once(flux)
        return build_app(flux, faults, sender.running)
    facade: Facade = Fxiaoke(settings, store) if settings.product == "fxiaoke" else BlackLake(settings, store)
    _seed_once(facade)
    return build_app(facade, faults)


def _seed_once(facade: Facade) -> None:
    with facade.store.transaction():
        if facade.store.next_number(_SEEDED) == 1:
            facade.plant_seed(Seed.load())
