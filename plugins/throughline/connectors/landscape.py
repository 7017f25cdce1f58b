"""Which product plays which role, and who owns which kind of document: `include/systems/*.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from throughline.canonical import DOCUMENTS
from throughline.connectors.fences import fence_words
from throughline.connectors.mechanisms.http.profile import known_zone
from throughline.connectors.mechanisms.mail_profile import MailProfile
from throughline.connectors.mechanisms.sql.profile import SqlProfile
from throughline.connectors.registry import products, profile_of
from throughline.connectors.yaml_files import Strict, read_model, shown
from throughline.errors import Misconfigured

HUB = "hub"


def _known_kind(kind: str) -> str:
    if kind not in DOCUMENTS:
        raise ValueError(f"{kind} is no kind of document; there are {', '.join(sorted(DOCUMENTS))}")
    return kind


def _known_product(name: str) -> str:
    if name not in products():
        raise ValueError(f"there is no product {name}; there are {', '.join(products())}")
    return name


Kind = Annotated[str, AfterValidator(_known_kind)]


class Deliver(Strict):
    """How hard the hub may write to this system."""

    concurrency: Annotated[int, Field(gt=0, le=64)] = 4


class StopAt(Strict):
    """When a snapshot deletes nothing and asks a person: more is missing than this part of all known, and so many."""

    share: Annotated[float, Field(ge=0, le=1)] = 0.02
    documents: Annotated[int, Field(ge=1)] = 5


class SnapshotPlan(Strict):
    """When everything a system has is read again (fence W3), by the system's own clock."""

    at: Annotated[str, Field(pattern=r"^[\d*/,-]+( [\d*/,-]+){4}$")] = "10 2 * * *"
    stop_at: StopAt = StopAt()


class System(Strict):
    """One connected system: its role, the product that plays it, its connection, what it owns and tells."""

    role: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    product: Annotated[str, AfterValidator(_known_product)]
    connection: str
    owns: list[Kind] = Field(default_factory=list)
    captures: list[Kind] = Field(default_factory=list)
    poll_seconds: Annotated[float, Field(gt=0)] = 5
    deliver: Deliver = Deliver()
    snapshot: SnapshotPlan = SnapshotPlan()
    zone: Annotated[str, AfterValidator(known_zone)] = "UTC"

    @property
    def zone_info(self) -> ZoneInfo:
        """The system's time zone."""
        return ZoneInfo(self.zone)


@dataclass(frozen=True)
class Landscape:
    """All connected systems by role."""

    systems: Mapping[str, System]
    owners: Mapping[str, str]

    @classmethod
    def load(cls, folder: Path) -> Landscape:
        """Read every system file of a folder; what does not fit together is an error naming the file and line."""
        systems: dict[str, System] = {}
        owners: dict[str, str] = {}
        for path in sorted(folder.glob("*.yaml")):
            system = read_model(path, System)
            _check(path, system, owners)
            systems[system.role] = system
            owners |= dict.fromkeys(system.owns, system.role)
        if not systems:
            raise Misconfigured("there is no system file in this folder", where=shown(folder))
        return cls(systems, owners)

    def owner_of(self, kind: str) -> str:
        """The role whose numbers name documents of this kind; `hub` for those we mint ourselves."""
        return self.owners.get(kind, HUB)

    def system(self, role: str) -> System:
        """The system that plays a role, or `Misconfigured`."""
        if role not in self.systems:
            raise Misconfigured(f"no system plays the role {role}; there are {', '.join(sorted(self.systems))}")
        return self.systems[role]


def whole_kinds(system: System) -> list[str]:
    """What of a system's captured documents is read whole from time to time: all that its profile fences by W3."""
    profile = profile_of(system.product)
    if isinstance(profile, MailProfile):
        return []
    fences = {kind: fence_words(declared.fence) for kind, declared in profile.objects.items()}
    return [kind for kind in system.captures if "W3" in fences.get(kind, ())]


def _check(path: Path, system: System, owners: Mapping[str, str]) -> None:
    if path.stem != system.role:
        raise Misconfigured(f"the file of role {system.role} must be named {system.role}.yaml", where=_at(path, "role"))
    for kind in system.owns:
        if kind in owners:
            raise Misconfigured(f"{kind} is owned by {owners[kind]} already", where=_at(path, "owns"))
    offered = _told_kinds(system.product)
    for kind in system.captures:
        if kind not in offered:
            raise Misconfigured(f"{system.product} does not tell about {kind}", where=_at(path, "captures"))


def replays_per_minute(folder: Path, role: str) -> float:
    """How many documents a minute may go to a system beside its day's work, by the limits its product declares.

    Half of its rate; where it declares none, one a second for each call it takes at once. 0 means no limit: no system
    of this landscape plays that role any more.
    """
    path = folder / f"{role}.yaml"
    if not path.exists():
        return 0.0
    limits = profile_of(read_model(path, System).product).limits
    rate = getattr(limits, "rate", None)
    return 30.0 * rate.calls / rate.seconds if rate else 60.0 * getattr(limits, "concurrency", 1)


def _told_kinds(product: str) -> set[str]:
    profile = profile_of(product)
    if isinstance(profile, MailProfile):
        return set()
    if isinstance(profile, SqlProfile):
        return set(profile.objects)
    return {kind for kind, declared in profile.objects.items() if declared.poll or declared.push}


def _at(path: Path, key: str) -> str:
    """The file and the line on which this key stands."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith(f"{key}:"):
            return f"{shown(path)}:{number}"
    return f"{shown(path)}:1"
