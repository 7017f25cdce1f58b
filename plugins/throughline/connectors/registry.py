"""Opens a connector for a product; a product is known by having a folder with a profile.yaml."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random, SystemRandom
from typing import Annotated, Any

from pydantic import Field, RootModel

from throughline.connectors.contract import Connection, Connector
from throughline.connectors.inbound import Inbound
from throughline.connectors.mechanisms.http.connector import HttpConnector
from throughline.connectors.mechanisms.http.logins import LoginShelf
from throughline.connectors.mechanisms.http.product_parts import ProductParts, load_parts
from throughline.connectors.mechanisms.http.profile import Profile
from throughline.connectors.mechanisms.mail import MailConnector
from throughline.connectors.mechanisms.mail_profile import MailProfile
from throughline.connectors.yaml_files import read_model
from throughline.errors import Misconfigured

PRODUCTS = Path(__file__).parent / "products"


class AnyProfile(RootModel[Annotated[Profile | MailProfile, Field(discriminator="mechanism")]]):
    """A product's declaration, read by the model of the mechanism it names."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@cache
def products() -> tuple[str, ...]:
    """The names of all products there are."""
    return tuple(sorted(profile.parent.name for profile in PRODUCTS.glob("*/profile.yaml")))


@cache
def profile_of(product: str) -> Profile | MailProfile:
    """What a product declares; read once per process."""
    path = profile_path(product)
    declared = read_model(path, AnyProfile).root
    if declared.product != product:
        raise Misconfigured(f"the folder is named {product} but the product {declared.product}", where=str(path))
    return declared


def profile_path(product: str) -> Path:
    """Where a product's profile lies, or `Misconfigured` naming the products there are."""
    path = PRODUCTS / product / "profile.yaml"
    if product not in products():
        raise Misconfigured(f"there is no product {product}; there are {', '.join(products())}", where=str(path))
    return path


@cache
def parts_of(product: str) -> ProductParts:
    """The Python modules of a product, beside its profile."""
    return load_parts(f"throughline.connectors.products.{product}")


def inbound_of(product: str) -> Inbound | None:
    """How this product's messages to us are verified and read; None for a product that sends none."""
    inbound: Any = parts_of(product).inbound
    found: Inbound | None = inbound
    return found


def open_connector(
    product: str, role: str, connection: Connection, *, transport: Any = None,
    clock: Callable[[], datetime] = _utc_now, randomness: Random | None = None, shelf: LoginShelf | None = None,
) -> Connector:  # fmt: skip
    """A connector for the system that plays this role; use it as an async context manager.

    With a `shelf`, a login is shared with the other processes that use the same one.
    """
    profile = profile_of(product)
    if isinstance(profile, MailProfile):
        return MailConnector(profile, role, connection, clock=clock)
    return HttpConnector(
        profile, parts_of(product), profile_path(product), role, connection, clock=clock,
        randomness=randomness or SystemRandom(), transport=transport, shelf=shelf,
    )  # fmt: skip
