"""The simulator and the checker find what is really wrong: every planted bug, by the schedule known to catch it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.bench import Bench
from tests.faults.database import server
from tests.faults.planted import BUGS
from tests.faults.planted.known_seeds import KNOWN
from tests.faults.runner import bench_on, check_seed
from tests.faults.sensitivity import find, find_all

pytestmark = [pytest.mark.xdist_group("faults-second"), pytest.mark.timeout(3600)]
MOST = 5000


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with server() as postgres, bench_on(postgres, "planted") as bench:
        yield bench


def test_there_are_enough_of_them() -> None:
    assert len(BUGS) >= 30
    assert set(KNOWN) <= set(BUGS)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_planted_bug_is_caught(bench: Bench, name: str) -> None:
    found = find(bench, name, [KNOWN[name]])
    assert found.caught, BUGS[name].sentence


def test_without_a_bug_the_same_schedules_hold(bench: Bench) -> None:
    for seed in sorted(set(KNOWN.values())):
        assert check_seed(bench, seed) == []


@pytest.mark.heavy
def test_every_planted_bug_is_caught_within_five_thousand_seeds() -> None:
    missed = [found.bug for found in find_all(MOST, workers=2) if not found.caught]
    assert missed == []
