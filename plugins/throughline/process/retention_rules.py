"""How long a plant keeps what it was told: `include/retention.yaml`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from throughline.connectors.yaml_files import Strict, read_model

Days = Annotated[int, Field(ge=1, le=36_500)]


class RetentionRules(Strict):
    """Days after which contents go; hashes stay."""

    payload_days: Annotated[int, Field(ge=31, le=36_500)] = 400
    """contents of documents; never less than a month, because they go by the month"""
    inbox_days: Days = 30
    """bodies of messages that were read"""


def retention_in(include: Path) -> RetentionRules:
    """What this plant declares, or the usual; a mistake is told with its line."""
    path = include / "retention.yaml"
    return read_model(path, RetentionRules) if path.exists() else RetentionRules()
