"""The databases whose tables can be read."""

from __future__ import annotations

from enum import StrEnum


class Dialect(StrEnum):
    """Named as the parser of queries names it."""

    POSTGRESQL = "postgres"


DIALECTS = {"postgresql": Dialect.POSTGRESQL}
