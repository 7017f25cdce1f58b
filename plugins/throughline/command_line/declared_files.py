"""Where the command line finds the plant's own files."""

from __future__ import annotations

import os
from pathlib import Path


def include_directory() -> Path:
    """The folder with `systems/`, `flows/`, `codes/`, `mappings/`: `THROUGHLINE_INCLUDE`, or the project's own."""
    from throughline.local_platform.settings import PROJECT

    chosen = os.environ.get("THROUGHLINE_INCLUDE")
    return Path(chosen).expanduser() if chosen else PROJECT / "include"
