"""The shape of a reason's entry in the tables of codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Code:
    """What a reason means: the state it leads to, who is asked, whether a person may accept it, its sentences."""

    state: Literal["note", "waiting", "exception", "duplicate", "blocked"]
    owners: tuple[str, ...]
    en: str
    zh: str
    releasable: bool = False


BUYER = ("buyer",)
WAREHOUSE = ("warehouse",)
FINANCE = ("finance",)
STEWARD = ("supplier_steward",)
