"""Quantities of one item made comparable: everything in the item's base unit, by the item's own factors, exactly."""

from __future__ import annotations

from decimal import Decimal

from throughline.canonical import Item, Quantity
from throughline.errors import Invalid, Unknown
from throughline.rules.dossier import Dossier

ZERO = Decimal(0)


def in_base(quantity: Quantity, item_ref: str, dossier: Dossier) -> Decimal:
    """How many of the item's base unit a quantity is."""
    item = dossier.get(item_ref, Item)
    if item is None:
        raise Unknown(f"the item {item_ref} is not known yet, so its units cannot be converted", awaited=item_ref)
    if quantity.unit == item.unit:
        return quantity.value
    factor = item.factors.get(quantity.unit)
    if factor is None:
        raise Invalid(f"the item {item_ref} has no unit '{quantity.unit}'; its units are {_units(item)}", field="unit")
    return quantity.value * factor


def base_unit(item_ref: str, dossier: Dossier) -> str:
    """The item's base unit."""
    item = dossier.get(item_ref, Item)
    if item is None:
        raise Unknown(f"the item {item_ref} is not known yet", awaited=item_ref)
    return item.unit


def is_made(item_ref: str, dossier: Dossier) -> bool:
    """Whether the company makes this item itself, rather than taking it from stock."""
    item = dossier.get(item_ref, Item)
    if item is None:
        raise Unknown(f"the item {item_ref} is not known yet", awaited=item_ref)
    return item.made


def plain(value: Decimal) -> str:
    """A number as people write it: without an exponent and without idle zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _units(item: Item) -> str:
    return ", ".join([item.unit, *item.factors])
