"""Opens a connector for a product; a product is known by having a folder with a profile.yaml."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

from throughline.connectors.contract import Connection, Connector
from throughline.connectors.mechanisms.http.connector import HttpConnector
from throughline.connectors.mechanisms.http.product_parts import ProductParts, load_parts
from throughline.connectors.mechanisms.http.profile import load_profile
from throughline.errors import Misconfigured

PRODUCTS = Path(__file__).parent / "products"


def _utc_now() -> datetime:
    return datetime.now(UTC)


def products() -> tuple[str, ...]:
    """The names of all products there are."""
    return tuple(sorted(folder.parent.name for folder in PRODUCTS.glob("*/profile.yaml")))


@cache
def parts_of(product: str) -> ProductParts:
    """The Python modules of a product, beside its profile."""
    return load_parts(f"throughline.connectors.products.{product}")


def open_connector(
    product: str, role: str, connection: Connection, *, transport: Any = None,
    clock: Callable[[], datetime] = _utc_now, randomness: Random | None = None,
) -> Connector:  # fmt: skip
    """A connector for the system that plays this role; use it as an async context manager."""
    path = profile_path(product)
    return HttpConnector(
        load_profile(path), parts_of(product), path, role, connection, clock=clock,
        randomness=randomness or SystemRandom(), transport=transport,
    )  # fmt: skip


def profile_path(product: str) -> Path:
    """Where a product's profile lies, or `Misconfigured` naming the products there are."""
    path = PRODUCTS / product / "profile.yaml"
    if product not in products():
        raise Misconfigured(f"there is no product {product}; there are {', '.join(products())}", where=str(path))
    return path
