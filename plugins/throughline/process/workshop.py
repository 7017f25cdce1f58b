"""What every worker of the engine shares: the ledger, the systems, the words, and how patient it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from throughline.ledger import Ledger
from throughline.process.backoff import Patience
from throughline.process.definition import Flow
from throughline.process.loading import Loader
from throughline.process.surroundings import Connectors, Systems, Words


@dataclass(frozen=True)
class Workshop:
    """Tools and habits of a worker."""

    ledger: Ledger
    landscape: Systems
    connectors: Connectors
    words: Words
    flows: Mapping[str, Flow]
    loader: Loader
    rng: Random
    holder: str
    patience: Patience
    lease_seconds: float = 120.0
    batch: int = 100
    record_size: int = 50
    linger: float = 0.05
