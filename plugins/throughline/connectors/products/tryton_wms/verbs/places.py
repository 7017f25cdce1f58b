"""The warehouse's places, items and customers, as a document needs them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from throughline.connectors.products.tryton_erp.verbs.models import Models
from throughline.errors import Unknown


@dataclass(frozen=True)
class Places:
    """The one warehouse of the company and its zones, by id."""

    company: int
    party: int
    currency: int
    warehouse: int
    entrance: int
    storage: int
    exit: int


async def places(models: Models) -> Places:
    """Where things are."""
    context = (await models.session.login())["context"]
    company = await models.one("company.company", context["company"], ("party", "currency"))
    zones = ("input_location", "storage_location", "output_location")
    warehouse = (await models.search("stock.location", [["type", "=", "warehouse"]], zones, limit=1))[0]
    return Places(
        company["id"], company["party"], company["currency"], warehouse["id"], *(warehouse[zone] for zone in zones)
    )


async def items(models: Models, numbers: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The products with these item numbers, each with its own unit."""
    wanted = sorted(set(numbers))
    found = await models.search("product.product", [["code", "in", wanted]], ("code", "default_uom"))
    known = {product["code"]: product for product in found}
    for number in wanted:
        if number not in known:
            raise Unknown(f"{models.session.role} has no item {number}", awaited=f"item:erp:{number}@wms", field="item")
    return known


async def customer(models: Models, name: str, ship_to: Mapping[str, Any]) -> tuple[int, int]:
    """The party with this name and its address, both made when they are not there."""
    words = {
        "party_name": ship_to.get("recipient") or "",
        "street_unstructured": ship_to.get("street") or "",
        "city": ship_to.get("city") or "",
    }
    fields = ("addresses.party_name", "addresses.street_unstructured", "addresses.city")
    found = await models.search("party.party", [["name", "=", name]], fields, limit=1)
    if not found:
        party = await models.create("party.party", {"name": name, "addresses": [["create", [words]]]})
        found = [await models.one("party.party", party, fields)]
    for address in found[0]["addresses"]:
        if all((address[field] or "") == word for field, word in words.items()):
            return found[0]["id"], address["id"]
    return found[0]["id"], await models.create("party.address", {"party": found[0]["id"], **words})
