"""Runs many seeds over several worker processes on one PostgreSQL, and tells what it found as it finds it."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.faults.bench import Bench, open_bench
from tests.faults.database import database_of, server
from tests.faults.simulator import judged, learn_master_data, run_seed
from throughline.local_platform.embedded_postgres import EmbeddedPostgres

PORTION = 10
"""Seeds a worker takes at a time."""


@dataclass
class Run:
    """Figures of a run; `violations` are `{seed, invariant, sentence}`."""

    schedules: int = 0
    seconds: float = 0.0
    violations: list[dict[str, Any]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return self.schedules / self.seconds if self.seconds else 0.0


@contextmanager
def bench_on(postgres: EmbeddedPostgres, worker: str) -> Iterator[Bench]:
    """A worker's tools over a database of its own, with the master data learnt."""
    logging.disable(logging.ERROR)  # refusals and failures are the point of it, and stand in the history
    database = database_of(postgres, worker)
    bench = open_bench(database)
    try:
        learn_master_data(bench)
        yield bench
    finally:
        bench.shelf.close()
        database.close()
        logging.disable(logging.NOTSET)


def check_seed(bench: Bench, seed: int) -> list[dict[str, Any]]:
    """What is wrong with one schedule."""
    found = judged(bench, run_seed(bench, seed))
    return [{"seed": seed, "invariant": one.invariant, "sentence": one.sentence} for one in found]


def run_seeds(seeds: Iterable[int], *, workers: int, tell: Callable[[Run], None] = lambda _: None) -> Run:
    """Every seed once, in whatever order the workers come to them."""
    with server() as postgres:
        return run_seeds_on(postgres, seeds, workers=workers, tell=tell)


def run_seeds_on(
    postgres: EmbeddedPostgres, seeds: Iterable[int], *, workers: int, tell: Callable[[Run], None] = lambda _: None
) -> Run:
    wanted = list(seeds)
    portions = [wanted[n : n + PORTION] for n in range(0, len(wanted), PORTION)]
    if workers == 1:
        with bench_on(postgres, f"alone_{os.getpid()}") as bench:
            answers = ((len(own), [one for seed in own for one in check_seed(bench, seed)]) for own in portions)
            return collected(answers, tell)
    context = multiprocessing.get_context("spawn")
    with context.Pool(min(workers, len(portions)), begin_worker, (postgres,)) as pool:
        return collected(pool.imap_unordered(_portion, portions), tell)


def collected(answers: Iterable[tuple[int, list[dict[str, Any]]]], tell: Callable[[Run], None]) -> Run:
    """The figures of a run, told whenever a portion is done."""
    run, begun = Run(), time.monotonic()
    for count, found in answers:
        run.schedules += count
        run.violations += found
        run.seconds = round(time.monotonic() - begun, 2)
        tell(run)
    return run


_worker: dict[str, Any] = {}


def begin_worker(postgres: EmbeddedPostgres) -> None:
    """A worker process: its bench is opened once and closed with the process."""
    _worker["holding"] = bench_on(postgres, f"worker_{os.getpid()}")
    try:
        _worker["bench"] = _worker["holding"].__enter__()
    except Exception as error:  # noqa: BLE001 - told by the first task: a pool would start such a worker for ever
        _worker["error"] = error


def bench_of_this_worker() -> Bench:
    if "error" in _worker:
        raise _worker["error"]
    bench: Bench = _worker["bench"]
    return bench


def _portion(seeds: list[int]) -> tuple[int, list[dict[str, Any]]]:
    return len(seeds), [one for seed in seeds for one in check_seed(bench_of_this_worker(), seed)]
