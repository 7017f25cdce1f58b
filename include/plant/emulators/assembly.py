"""Puts one emulator together: its file, its product, its faults, its door."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from include.plant.emulators.black_lake import BlackLake
from include.plant.emulators.calls import Facade
from include.plant.emulators.channels.products import CHANNELS
from include.plant.emulators.document_store import DocumentStore, wall_milliseconds
from include.plant.emulators.door import build_app
from include.plant.emulators.fault_rules import FaultRules
from include.plant.emulators.flux import Flux
from include.plant.emulators.flux_callbacks import CallbackSender
from include.plant.emulators.fxiaoke import Fxiaoke
from include.plant.emulators.kingdee.facade import Kingdee
from include.plant.emulators.seed import Seed
from include.plant.emulators.seeyon.facade import Seeyon
from include.plant.emulators.settings import Settings
from include.plant.emulators.weaver.facade import Weaver
from include.plant.emulators.xieke.facade import Xieke

FACADES: Mapping[str, Callable[[Settings, DocumentStore], Facade]] = {
    **CHANNELS, "fxiaoke": Fxiaoke, "black_lake": BlackLake, "weaver_ecology": Weaver, "kingdee_cloud": Kingdee,
    "xieke_srm": Xieke, "seeyon": Seeyon,
}  # fmt: skip
"""The products that need nothing beside their façade; FLUX calls back and is put together by itself."""

_SEEDED = "_seeded"


def assemble(settings: Settings) -> Any:
    """The ASGI application for these settings; master data goes in when the file is new."""
    store, faults = DocumentStore(settings.state, _clock(settings)), FaultRules()
    if settings.product == "flux":
        flux = Flux(settings, store)
        sender = CallbackSender(settings, flux.outbox, faults)
        _seed_once(flux)
        return build_app(flux, faults, sender.running)
    facade = FACADES[settings.product](settings, store)
    _seed_once(facade)
    return build_app(facade, faults)


def _clock(settings: Settings) -> Callable[[], int]:
    return lambda: wall_milliseconds() + int(settings.clock_offset_seconds * 1000)


def _seed_once(facade: Facade) -> None:
    with facade.store.transaction():
        if facade.store.next_number(_SEEDED) == 1:
            facade.plant_seed(Seed.load())
