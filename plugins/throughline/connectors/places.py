"""Where the plant's own files lie: `include/` beside `dags/`, or wherever `THROUGHLINE_INCLUDE` says."""

from __future__ import annotations

import os
from pathlib import Path

PRODUCTS = Path(__file__).parent / "products"
"""The products everybody knows. One that only this plant has lies in `include/products`, in the same shape."""


def include_directory() -> Path:
    """The plant's own folder: `systems/`, `flows/`, `codes/`, … (an installed package has no checkout around it)."""
    chosen = os.environ.get("THROUGHLINE_INCLUDE")
    return Path(chosen).expanduser() if chosen else Path(__file__).resolve().parents[3] / "include"


def product_folders() -> tuple[Path, ...]:
    """The folders whose folders are products; a name in the first wins."""
    return PRODUCTS, include_directory() / "products"
