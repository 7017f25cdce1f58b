"""Which systems may send us something, and how each proves that it is the sender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from throughline.connectors.connections import connection_from_environment
from throughline.connectors.contract import Connection
from throughline.connectors.inbound import Inbound
from throughline.connectors.landscape import Landscape
from throughline.connectors.registry import inbound_of


@dataclass(frozen=True)
class Door:
    """The way in for one system."""

    role: str
    connection: Connection = field(repr=False)
    inbound: Inbound


def doors_of(landscape: Landscape, environment: Mapping[str, str]) -> dict[str, Door]:
    """A door for every system whose product sends us messages."""
    doors = {}
    for role, system in landscape.systems.items():
        inbound = inbound_of(system.product)
        if inbound is not None:
            doors[role] = Door(role, connection_from_environment(system.connection, environment), inbound)
    return doors
