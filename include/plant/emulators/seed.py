"""The master data every system of the plant starts with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

SEED_FILE = Path(__file__).resolve().parents[1] / "seed.yaml"


@dataclass(frozen=True)
class Seed:
    """Customers, items, suppliers and staff as the plant's seed file tells them."""

    currency: str
    customers: tuple[dict[str, Any], ...]
    items: tuple[dict[str, Any], ...]
    suppliers: tuple[dict[str, Any], ...] = ()
    staff: tuple[dict[str, Any], ...] = ()

    @classmethod
    def load(cls, path: Path = SEED_FILE) -> Seed:
        """Read the seed file; numbers there are quoted, so nothing is rounded."""
        told = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        kinds = ("customers", "items", "suppliers", "staff")
        return cls(told["company"]["currency"], *(tuple(told[kind]) for kind in kinds))
