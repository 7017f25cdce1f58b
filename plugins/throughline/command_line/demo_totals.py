"""What the demo led to, counted in the systems themselves over their own APIs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from throughline.local_platform.plant import plant_module

if TYPE_CHECKING:
    from throughline.local_platform.settings import Settings


def totals(settings: Settings, numbers: Sequence[str]) -> dict[str, int]:
    """Of these orders: how many the CRM has, how many sales the ERP, how many shipments, how many mails went out."""
    tally = plant_module("tally").Tally(
        crm_url=f"http://127.0.0.1:{settings.ports['crm']}",
        crm_secret=settings.secrets["crm_secret"],
        erp_url=f"http://127.0.0.1:{settings.ports['tryton']}",
        erp_password=settings.secrets["erp_password"],
        mails=settings.mail,
    )
    counted: dict[str, int] = tally.count(numbers)
    return counted
