"""How many schedules it takes until each planted bug is seen: the measure of simulator and checker themselves."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from tests.faults import runner
from tests.faults.bench import Bench
from tests.faults.database import server
from tests.faults.planted import BUGS, planted
from tests.faults.planted.where_it_shows import WHERE
from tests.faults.scenario import draw


@dataclass(frozen=True)
class Found:
    """A planted bug, the seed that caught it, and what it broke."""

    bug: str
    caught: bool
    seeds: int
    """how many seeds it took, counted from 1"""
    invariant: str = ""
    sentence: str = ""


def find(bench: Bench, name: str, seeds: Iterable[int]) -> Found:
    """Plant one bug and run seeds until it is caught."""
    tried, shows = 0, WHERE.get(name, lambda _: True)
    with planted(BUGS[name]):
        for seed in seeds:
            tried = seed
            if not shows(draw(seed)):
                continue
            violations = runner.check_seed(bench, seed)
            if violations:
                return Found(name, True, seed, violations[0]["invariant"], violations[0]["sentence"])
    return Found(name, False, tried)


def find_all(
    most: int, *, workers: int, tell: Callable[[dict[str, Any]], None] = lambda _: None, names: Iterable[str] = BUGS
) -> list[Found]:
    """Every bug (or these), several at once."""
    with server() as postgres:
        context = multiprocessing.get_context("spawn")
        with context.Pool(workers, runner.begin_worker, (postgres,)) as pool:
            found = []
            for one in pool.imap_unordered(_find, [(name, most) for name in names]):
                found.append(one)
                tell(asdict(one))
    order = list(BUGS)
    return sorted(found, key=lambda one: order.index(one.bug))


def _find(task: tuple[str, int]) -> Found:
    name, most = task
    return find(runner.bench_of_this_worker(), name, range(1, most + 1))
