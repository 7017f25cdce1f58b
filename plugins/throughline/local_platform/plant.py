"""The real systems of the plant in a box, as this instance runs them."""

from __future__ import annotations

import importlib
from typing import Any

from throughline.local_platform.settings import Settings


def tryton_server(settings: Settings) -> Any:
    """The Tryton server of this instance (see `include.plant.tryton`), on the instance's own PostgreSQL."""
    module = importlib.import_module("include.plant.tryton")
    return module.TrytonServer(
        home=settings.state / "plant",
        postgres_url=settings.dsn("").rstrip("/"),
        port=settings.ports["tryton"],
        databases=("erp",),
    )
