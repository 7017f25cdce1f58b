"""The whole declaration of how one product talks HTTP: `products/<product>/profile.yaml`."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from throughline.connectors.mechanisms.http.declared_auth import Auth, NoAuth
from throughline.connectors.mechanisms.http.declared_calls import Call, VerdictRule
from throughline.connectors.mechanisms.http.declared_objects import ObjectDeclared
from throughline.connectors.mechanisms.http.shapes import check_shape
from throughline.connectors.yaml_files import Strict


def known_zone(name: str) -> str:
    """The zone's name unchanged, or ValueError."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name} is not a time zone") from None
    return name


class Rate(Strict):
    """At most so many calls in so many seconds, in all or for each path."""

    calls: Annotated[int, Field(gt=0)]
    seconds: Annotated[float, Field(gt=0)]
    per: Literal["system", "path"] = "system"


class Limits(Strict):
    """How hard we may lean on the system, and how long and how much we listen."""

    concurrency: Annotated[int, Field(gt=0)] = 4
    rate: Rate | None = None
    connect_seconds: Annotated[float, Field(gt=0)] = 5
    answer_seconds: Annotated[float, Field(gt=0)] = 30
    total_seconds: Annotated[float, Field(gt=0)] = 60
    answer_bytes: Annotated[int, Field(gt=0)] = 16_000_000
    keep_alive_seconds: Annotated[float, Field(ge=0)] = 4


class Profile(Strict):
    """How one product talks: who is calling, what answers mean, and what it can do with which document."""

    product: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: str
    mechanism: Literal["http"]
    zone: Annotated[str, AfterValidator(known_zone)] = "UTC"
    auth: Auth = NoAuth()
    headers: Annotated[dict[str, Any], AfterValidator(check_shape)] = Field(default_factory=dict)
    limits: Limits = Limits()
    verdict: Annotated[list[VerdictRule], Field(min_length=1)]
    requires: list[str] = Field(default_factory=list)
    """Names that the connection's extra must hold."""
    calls: dict[str, Call] = Field(default_factory=dict)
    """Calls that `verbs.py` makes by name."""
    inbound: bool = False
    """Whether `inbound.py` verifies and reads what the product sends us by itself."""
    test: Call
    """One harmless reading call, to try a connection."""
    objects: Annotated[dict[str, ObjectDeclared], Field(min_length=1)]

    @model_validator(mode="after")
    def _pushed_is_heard(self) -> Profile:
        if any(declared.push for declared in self.objects.values()) and not self.inbound:
            raise ValueError("a product that pushes needs `inbound: true` and an inbound.py")
        return self
