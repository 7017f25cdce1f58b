"""The promise over two thousand schedules of faults: none lost, none doubled, none out of order."""

from __future__ import annotations

import pytest

from tests.faults.database import server
from tests.faults.runner import bench_on, check_seed, run_seeds_on

ONCE_FAILED = (5, 13, 16, 22, 49, 68, 94, 95, 110, 574, 629, 654, 669, 697, 720, 744)
"""Seeds that once told of a mistake, of the hub's or of the simulator's. They are kept for ever."""
HALVES = {"first": range(1, 1001), "second": range(1001, 2001)}


@pytest.mark.timeout(5400)
@pytest.mark.parametrize(
    "half", [pytest.param(name, marks=pytest.mark.xdist_group(f"faults-{name}")) for name in HALVES]
)
def test_the_promise_holds_in_every_schedule(half: str) -> None:
    with server() as postgres:
        run = run_seeds_on(postgres, HALVES[half], workers=1)
    assert run.violations == []
    assert run.schedules == len(HALVES[half])


@pytest.mark.timeout(1800)
@pytest.mark.xdist_group("faults-first")
def test_seeds_that_once_failed_hold() -> None:
    with server() as postgres, bench_on(postgres, "once_failed") as bench:
        assert [found for seed in ONCE_FAILED for found in check_seed(bench, seed)] == []
