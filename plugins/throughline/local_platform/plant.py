"""The real systems of the plant in a box, as this instance runs them."""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

from throughline.local_platform.settings import PROJECT, Settings, write_private


def plant_module(name: str) -> Any:
    """A module of the plant in a box; it lies in the project beside this package, not inside it."""
    if str(PROJECT) not in sys.path:
        sys.path.append(str(PROJECT))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # of no interest to whoever starts the plant
        return importlib.import_module(f"include.plant.{name}")


def tryton_server(settings: Settings) -> Any:
    """The Tryton server of this instance (see `include.plant.tryton`), on the instance's own PostgreSQL."""
    return plant_module("tryton").TrytonServer(
        home=settings.state / "plant",
        postgres_url=settings.dsn("").rstrip("/"),
        port=settings.ports["tryton"],
        databases=("erp",),
    )


def day_file(settings: Settings) -> Path:
    """Where the day driver reads which systems its people work in."""
    return settings.state / "plant" / "day.yaml"


def write_day_file(settings: Settings) -> None:
    """Tell the plant's people where the MES and the warehouse are (JSON is YAML)."""
    systems = {role: {"url": f"http://127.0.0.1:{settings.ports[role]}"} for role in ("mes", "wms")}
    systems["mes"]["secret"] = settings.secrets["mes_secret"]
    day_file(settings).parent.mkdir(parents=True, exist_ok=True)
    write_private(day_file(settings), json.dumps(systems, indent=2))
