"""Where the plant's own files lie, as the DAG builders ask for it."""

from __future__ import annotations

from throughline.connectors.places import include_directory

__all__ = ["include_directory"]
