"""Where a sale is delivered to: an address of the customer, made when the order names one the ERP does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from throughline.connectors.products.tryton_erp.verbs.models import Models

ADDRESS = "party.address"
_FIELDS = ("party_name", "street_unstructured", "city")


async def delivery_address(models: Models, party: int, ship_to: Mapping[str, Any] | None) -> int | None:
    """The id of the customer's address that says the same, or of a new one; the first one when the order says none."""
    known = await models.search(ADDRESS, [["party", "=", party]], _FIELDS)
    wanted = _words(ship_to or {})
    if not wanted:
        return known[0]["id"] if known else None
    for address in known:
        if all((address.get(field) or "") == value for field, value in wanted.items()):
            return int(address["id"])
    return await models.create(ADDRESS, {"party": party, "delivery": True, **wanted})


def _words(ship_to: Mapping[str, Any]) -> dict[str, str]:
    spoken = {
        "party_name": ship_to.get("recipient"),
        "street_unstructured": ship_to.get("street"),
        "city": ship_to.get("city"),
    }
    return {field: str(value) for field, value in spoken.items() if value}
