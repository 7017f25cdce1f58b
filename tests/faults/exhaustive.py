"""Fails every input and output of one order's whole way, once in each way: before, after, late, and by a crash."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.faults import runner
from tests.faults.bench import Bench
from tests.faults.database import server
from tests.faults.machines import Trouble
from tests.faults.runner import Run
from tests.faults.scenario import CREATES, Scenario
from tests.faults.simulator import Simulation, judged
from throughline.local_platform.embedded_postgres import EmbeddedPostgres

SEED = 1_000_001
CALL_WAYS = ("lost before", "lost after", "late", "cut off")
DATABASE_WAYS = (("lose", "commit"), ("lose", "committed"), ("crash", "commit"), ("crash", "committed"))


@dataclass(frozen=True)
class Failure:
    """One point and one way: the n-th call or the n-th transaction of the order's way."""

    at: str
    nth: int
    way: str

    def __str__(self) -> str:
        return f"{self.at} {self.nth} {self.way}"


def plan(troubles: list[Trouble]) -> Scenario:
    """One made-to-order order, shipped in two parts, over targets of all tiers."""
    tiers = dict.fromkeys(CREATES, "T2") | {"erp.shipment": "T3", "crm.shipment": "T1", "mail.notice": "T4"}
    return Scenario(SEED, made=True, orders=1, parts=2, tiers=tiers, troubles=troubles, gusts=1)


def points(bench: Bench) -> Iterator[Failure]:
    """Every failure there is: a calm run tells how many calls and transactions the way has."""
    calm = Simulation(bench, plan([])).run()
    for nth in range(1, calm.calls + 1):
        yield from (Failure("call", nth, way) for way in CALL_WAYS)
    for nth in range(1, calm.points["call"] + 1):
        yield Failure("call", nth, "crash before")
    for nth in range(1, calm.points["answered"] + 1):
        yield Failure("call", nth, "crash after")
    for kind, at in DATABASE_WAYS:
        yield from (Failure(at, nth, kind) for nth in range(1, calm.points[at] + 1))


def check(bench: Bench, failure: Failure) -> list[dict[str, Any]]:
    """What is wrong when this one thing fails."""
    troubles, forced = [], {}
    if failure.at != "call":
        troubles = [Trouble(failure.way, failure.at, failure.nth)]
    elif failure.way.startswith("crash"):
        troubles = [Trouble("crash", "call" if failure.way.endswith("before") else "answered", failure.nth)]
    else:
        forced = {failure.nth: failure.way}
    found = judged(bench, Simulation(bench, plan(troubles), forced).run())
    return [{"seed": str(failure), "invariant": one.invariant, "sentence": one.sentence} for one in found]


def run_all(*, workers: int, every: int = 1, tell: Callable[[Run], None] = lambda _: None) -> Run:
    """All of it (or each n-th point), over several workers."""
    with server() as postgres:
        return run_all_on(postgres, workers=workers, every=every, tell=tell)


def run_all_on(
    postgres: EmbeddedPostgres, *, workers: int, every: int = 1, tell: Callable[[Run], None] = lambda _: None
) -> Run:
    if workers == 1:
        with runner.bench_on(postgres, "exhaustive") as bench:
            wanted = list(points(bench))[::every]
            return runner.collected(((1, check(bench, one)) for one in wanted), tell)
    with runner.bench_on(postgres, "exhaustive") as bench:
        wanted = list(points(bench))[::every]
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, runner.begin_worker, (postgres,)) as pool:
        return runner.collected(pool.imap_unordered(_check, wanted, chunksize=5), tell)


def _check(failure: Failure) -> tuple[int, list[dict[str, Any]]]:
    return 1, check(runner.bench_of_this_worker(), failure)
