"""What one seed decides before anything happens: which business, which systems, which troubles."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.faults.machines import Trouble

CREATES = ("erp.sales_order", "erp.receipt", "erp.shipment", "crm.shipment", "mes.work_order", "wms.receipt_notice",
           "wms.outbound_order")  # fmt: skip


@dataclass
class Scenario:
    """One schedule's plan; the simulator changes nothing of it."""

    seed: int
    flow: str = "order_to_delivery"
    orders: int = 1
    made: bool = False
    """whether the goods are made to order, or taken from stock"""
    changes: int = 0
    tiers: dict[str, str] = field(default_factory=dict)
    roughness: float = 0.0
    gusts: int = 0
    troubles: list[Trouble] = field(default_factory=list)
    jumps: list[tuple[float, float, float]] = field(default_factory=list)
    """at, seconds ahead (or back), for how long"""
    overlaps: bool = False
    late_rows: bool = False
    stale_replica: bool = False
    grain: int = 1
    """change stamps come in steps of so many milliseconds"""
    scrap: bool = False
    parts: int = 1
    poison: bool = False
    master_data_late: bool = False
    refusals: bool = False
    rough_callbacks: bool = False
    lag: float = 0.0
    outage: tuple[str, float, float] | None = None
    login_ends: bool = False

    @property
    def hides(self) -> bool:
        """Whether a source may show a change later than it was made, or not at once."""
        return self.late_rows or self.stale_replica or bool(self.jumps)

    @property
    def calm(self) -> bool:
        return not (self.gusts or self.troubles)


def draw(seed: int) -> Scenario:
    """The plan of a seed. One schedule in ten is calm; most have a handful of troubles."""
    rng = Random(f"scenario {seed}")
    found = Scenario(seed)
    short = rng.random() < 0.64
    found.flow = "order_to_books" if short else found.flow
    found.made = not short and rng.random() < 0.2
    few = [1, 1, 1, 2, 2, 3] if short else [1, 1, 1, 1, 1, 1, 1, 2, 3]
    found.orders = 1 if found.made else rng.choice(few)
    found.changes = rng.choice([0, 0, 1, 1, 2]) if rng.random() < 0.6 else 0
    found.tiers = {place: rng.choices(["T2", "T1", "T3"], [5, 2, 3])[0] for place in CREATES}
    found.tiers["mail.notice"] = rng.choices(["T4", "T1"], [2, 1])[0]
    found.overlaps = rng.random() < 0.35
    found.late_rows, found.stale_replica = rng.random() < 0.3, rng.random() < 0.15
    found.grain = rng.choice([1, 1, 1000, 5000])
    found.scrap = found.made and rng.random() < 0.5
    found.parts = rng.choice([1, 1, 2])
    found.poison, found.master_data_late = rng.random() < 0.1, rng.random() < 0.15
    found.refusals, found.rough_callbacks = rng.random() < 0.1, rng.random() < 0.5
    found.lag = rng.choice([0.0, 0.0, 3.0])
    found.login_ends = rng.random() < 0.1
    if rng.random() < 0.9:
        found.roughness, found.gusts = rng.choice([0.05, 0.15, 0.4]), rng.choice([0, 1, 2, 4, 8])
        found.troubles = [_trouble(rng, short) for _ in range(rng.choice([0, 0, 1, 1, 2, 3]))]
        found.overlaps |= any(one.seconds > LEASE for one in found.troubles)  # somebody must be there to take over
    if rng.random() < 0.15:
        ahead = rng.choice([-1, 1]) * rng.choice([20.0, 200.0, 3600.0, 2 * 86400.0])
        found.jumps = [(rng.uniform(1, 120), ahead, rng.uniform(20, 400))]
        if ahead > 0:  # a wait cannot be measured by a clock that jumps over it: that is a condition of the promise
            found.tiers = {place: "T2" if tier == "T3" else tier for place, tier in found.tiers.items()}
    if rng.random() < 0.1:
        found.outage = (rng.choice(["erp", "crm", "mes", "wms"]), rng.uniform(0, 60), rng.uniform(30, 900))
    return found


LEASE = 120.0
"""How long a claim holds, in seconds; a longer freeze loses it."""
PLACES = {"capture": 16, "take": 8, "sweeper": 60}
"""On which machine, or in which of its tasks, a trouble strikes, and at which transaction of it at the latest."""
DOORS = {"receiver": 4, "inbox": 6}
"""The same, where systems call back: few transactions each, and all of them matter."""


def _trouble(rng: Random, short: bool) -> Trouble:
    """Half of the troubles strike anywhere, half at a chosen place: the rarest points would hardly be met else."""
    kind = rng.choices(["crash", "lose", "freeze"], [5, 3, 4])[0]
    if kind == "freeze":
        seconds = rng.choice([1.0, 30.0, 130.0, 130.0, 400.0])
        at = rng.choice(["begin", "committed"])
        return Trouble(kind, at, rng.randint(1, 60), seconds, rng.choice(["", "sweeper", "sweeper"]))
    if rng.random() < 0.5:
        places = PLACES if short or rng.random() < 0.4 else DOORS
        on = rng.choice(list(places))
        at = rng.choice(["begin", "commit", "committed"] if kind == "crash" else ["commit", "committed"])
        return Trouble(kind, at, rng.randint(1, places[on]), on=on)
    at, most = rng.choice([("statement", 500), ("commit", 80), ("committed", 80), ("begin", 80)])
    if kind == "crash" and rng.random() < 0.4:
        at, most = rng.choice([("call", 25), ("answered", 25)])
    return Trouble(kind, at if kind == "crash" or at != "begin" else "commit", rng.randint(1, most))
