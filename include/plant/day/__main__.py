"""`python -m include.plant.day --config FILE --speed 60`: let the plant's people work until stopped."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from include.plant.day.pace import Pace
from include.plant.day.shop_floor import ShopFloor
from include.plant.day.warehouse import FluxWarehouse, Warehouse
from include.plant.day.workday import Area, run
from include.plant.emulators.clients import MesPeople, WarehousePeople

_TRYTON_WAREHOUSE = "include.plant.tryton.warehouse:open_warehouse"


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the config file and work."""
    parser = argparse.ArgumentParser(prog="python -m include.plant.day", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="which systems to work in, see README.md")
    parser.add_argument("--speed", type=float, default=60, help="60: a minute of the plant takes a second")
    told = parser.parse_args(arguments)
    config = YAML(typ="safe").load(told.config.read_text(encoding="utf-8"))
    working = [True]
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: working.clear())
    run(areas(config, told.speed), float(config.get("poll_seconds", 0.3)), lambda: bool(working))


def areas(config: Mapping[str, Any], speed: float) -> list[Area]:
    """The areas a config file names."""
    pace = Pace.told(config.get("pace") or {}, speed)
    made = []
    if mes := config.get("mes"):
        people = MesPeople(mes["url"], mes.get("login", "cli_plant"), mes.get("secret", ""), timeout=2)
        made.append(Area("shop floor", ShopFloor(people, pace).work, say))
    if wms := config.get("wms"):
        warehouse = open_warehouse(wms, pace)
        made.append(Area("warehouse", lambda now: [*warehouse.receive_expected(now), *warehouse.ship_ready(now)], say))
    return made


def open_warehouse(wms: Mapping[str, Any], pace: Pace) -> Warehouse:
    """The warehouse of the kind the config file names; another kind is `module:function(wms, pace)`."""
    kind = wms.get("kind", "flux")
    if kind == "flux":
        return FluxWarehouse(WarehousePeople(wms["url"], timeout=2), pace)
    module, _, name = (_TRYTON_WAREHOUSE if kind == "tryton_wms" else str(kind)).partition(":")
    opened: Warehouse = getattr(importlib.import_module(module), name)(wms, pace)
    return opened


def say(sentence: str) -> None:
    """One line on standard output."""
    sys.stdout.write(f"{datetime.now().astimezone():%H:%M:%S} {sentence}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
