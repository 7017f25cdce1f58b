"""The real systems of the plant in a box, as this instance runs them."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

from throughline.local_platform.settings import Settings, write_private


def tryton_server(settings: Settings) -> Any:
    """The Tryton server of this instance (see `include.plant.tryton`), on the instance's own PostgreSQL."""
    module = importlib.import_module("include.plant.tryton")
    return module.TrytonServer(
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
