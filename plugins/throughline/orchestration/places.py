"""Where the plant's own files lie: `include/` beside `dags/`, or wherever `THROUGHLINE_INCLUDE` says."""

from __future__ import annotations

import os
from pathlib import Path


def include_directory() -> Path:
    """The folder with `systems/`, `flows/`, `codes/`, `mappings/` (an installed package has no checkout around it)."""
    chosen = os.environ.get("THROUGHLINE_INCLUDE")
    return Path(chosen).expanduser() if chosen else Path(__file__).resolve().parents[3] / "include"
