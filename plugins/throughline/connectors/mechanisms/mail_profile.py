"""What the profile of a mail server may declare."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from throughline.connectors.contract import Tier
from throughline.connectors.yaml_files import Strict


class MailLimits(Strict):
    """How many messages at once, and how long to wait for each answer of the server."""

    concurrency: Annotated[int, Field(gt=0)] = 4
    answer_seconds: Annotated[float, Field(gt=0)] = 30


class MailOperation(Strict):
    """Sending is all that can be done; `tier` says honestly that it cannot be asked about."""

    tier: Literal[Tier.T4]
    late_execution: Annotated[float, Field(ge=0)] = 0


class MailObject(Strict):
    """One kind of document that goes out by mail."""

    operations: dict[Literal["create"], MailOperation]


class MailProfile(Strict):
    """The declaration of a mail server."""

    product: str
    title: str
    mechanism: Literal["mail"]
    requires: list[str] = Field(default_factory=list)
    limits: MailLimits = MailLimits()
    objects: dict[str, MailObject]
