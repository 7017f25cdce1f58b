"""The orders of the demo: what a sales desk enters on a morning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from throughline.local_platform.plant import plant_module

if TYPE_CHECKING:
    from throughline.local_platform.settings import Settings

_CUSTOMERS = ("C-1001", "C-1002", "C-1003")
_LINES: tuple[list[dict[str, str]], ...] = (
    [{"item": "FG-100", "quantity": "10", "unit": "pcs", "price": "1200.00"}],
    [{"item": "FG-200", "quantity": "24", "unit": "pcs", "price": "86.50"}],
    [{"item": "FG-100", "quantity": "3", "unit": "carton", "price": "4800.00"}],
    [
        {"item": "FG-100", "quantity": "6", "unit": "pcs", "price": "1200.00"},
        {"item": "FG-200", "quantity": "18", "unit": "pcs", "price": "86.50"},
    ],
    [{"item": "FG-200", "quantity": "7", "unit": "pcs", "price": "86.50"}],
)


def crm_people(settings: Settings) -> Any:
    """The sales desk, logged in to this instance's CRM."""
    people = plant_module("emulators.clients").CrmPeople
    return people(f"http://127.0.0.1:{settings.ports['crm']}", secret=settings.secrets["crm_secret"])


def confirm_orders(settings: Settings, count: int) -> list[str]:
    """Enter and confirm so many orders; returns their numbers."""
    people = crm_people(settings)
    try:
        return [
            people.place_order(_CUSTOMERS[place % len(_CUSTOMERS)], _LINES[place % len(_LINES)])
            for place in range(count)
        ]
    finally:
        people.close()
