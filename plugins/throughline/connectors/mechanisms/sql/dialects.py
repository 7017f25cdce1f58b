"""The databases whose tables can be read."""

from __future__ import annotations

from enum import StrEnum


class Dialect(StrEnum):
    """Named as the parser of queries names it."""

    POSTGRESQL = "postgres"
    SQLSERVER = "tsql"


DIALECTS = {"postgresql": Dialect.POSTGRESQL, "sqlserver": Dialect.SQLSERVER}
KINDS = {Dialect.POSTGRESQL: ("xid8", "xmin"), Dialect.SQLSERVER: ("rowversion",)}
"""By which columns each of them tells what was written when."""
