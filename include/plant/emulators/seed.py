"""The master data every system of the plant starts with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

SEED_FILE = Path(__file__).resolve().parents[1] / "seed.yaml"


@dataclass(frozen=True)
class Seed:
    """Customers and items as the plant's seed file tells them."""

    currency: str
    customers: tuple[dict[str, Any], ...]
    items: tuple[dict[str, Any], ...]

    @classmethod
    def load(cls, path: Path = SEED_FILE) -> Seed:
        """Read the seed file; numbers there are quoted, so nothing is rounded."""
        told = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        return cls(told["company"]["currency"], tuple(told["customers"]), tuple(told["items"]))
