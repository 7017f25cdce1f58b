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
from throughline.connectors.mechanisms.sql.profile import SqlProfile
from throughline.connectors.places import PRODUCTS as PRODUCTS
from throughline.connectors.places import product_folders
from throughline.connectors.yaml_files import read_model
from throughline.errors import Misconfigured

AnyDeclaration = Profile | MailProfile | SqlProfile


class AnyProfile(RootModel[Annotated[AnyDeclaration, Field(discriminator="mechanism")]]):
    """A product's declaration, read by the model of the mechanism it names."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def products() -> tuple[str, ...]:
    """The names of all products there are, the plant's own among them."""
    return tuple(sorted(_profiles(product_folders())))


def profile_of(product: str) -> AnyDeclaration:
    """What a product declares; read once per process."""
    return _profile_in(product, profile_path(product))


@cache
def _profiles(folders: tuple[Path, ...]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*/profile.yaml")):
            found.setdefault(path.parent.name, path)
    return found


@cache
def _profile_in(product: str, path: Path) -> AnyDeclaration:
    declared = read_model(path, AnyProfile).root
    if declared.product != product:
        raise Misconfigured(f"the folder is named {product} but the product {declared.product}", where=str(path))
    return declared


def profile_path(product: str) -> Path:
    """Where a product's profile lies, or `Misconfigured` naming the products there are."""
    path = _profiles(product_folders()).get(product)
    if path is None:
        missing = PRODUCTS / product / "profile.yaml"
        raise Misconfigured(f"there is no product {product}; there are {', '.join(products())}", where=str(missing))
    return path


@cache
def parts_of(product: str) -> ProductParts:
    """The Python modules of a product, beside its profile; one of the plant's own is data only and has none."""
    if profile_path(product).parent.parent != PRODUCTS:
        return ProductParts()
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
        return MailConnector(profile, role, connection, clock=clock, shelf=shelf)
    if isinstance(profile, SqlProfile):
        from throughline.connectors.mechanisms.sql.connector import SqlConnector  # the driver, only where it is used

        return SqlConnector(profile, role, connection)
    return HttpConnector(
        profile, parts_of(product), profile_path(product), role, connection, clock=clock,
        randomness=randomness or SystemRandom(), transport=transport, shelf=shelf,
    )  # fmt: skip
