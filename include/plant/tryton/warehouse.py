"""The warehouse that Tryton runs, for the day driver: its people work at the same pace as those of the other one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, cast

from include.plant.day.pace import Pace
from include.plant.day.warehouse import FluxWarehouse, Warehouse
from include.plant.emulators.clients import WarehousePeople
from include.plant.tryton.people import TrytonWarehousePeople


def open_warehouse(wms: Mapping[str, Any], pace: Pace) -> Warehouse:
    """The warehouse of a day's config: `{kind: tryton_wms, url, password?, login?, database?}`."""
    password = wms.get("password") or os.environ.get("THROUGHLINE_PLANT_PASSWORD", "")
    people = TrytonWarehousePeople(
        wms["url"], password=password, login=wms.get("login", "people"), database=wms.get("database", "wms")
    )
    return FluxWarehouse(cast(WarehousePeople, people), pace)  # the same hands, another system
