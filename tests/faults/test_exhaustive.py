"""Every input and output of an order's whole way fails once, in each way."""

from __future__ import annotations

import pytest

from tests.faults.database import server
from tests.faults.exhaustive import run_all, run_all_on

SLICE = 17
"""In the default run only each so-many-th point fails; a prime, so that all kinds of points and ways are met."""


@pytest.mark.timeout(1800)
@pytest.mark.xdist_group("faults-first")
def test_a_slice_of_all_failures() -> None:
    with server() as postgres:
        run = run_all_on(postgres, workers=1, every=SLICE)
    assert run.violations == []
    assert run.schedules > 30


@pytest.mark.heavy
@pytest.mark.timeout(7200)
def test_all_failures() -> None:
    assert run_all(workers=2).violations == []
