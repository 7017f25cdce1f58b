"""A system that fails again and again is left alone, then tried with one call."""

from __future__ import annotations

from typing import Any

from throughline.ledger import Ledger


def fail(ledger: Ledger, times: int = 1) -> bool:
    for _ in range(times):
        with ledger.transaction() as books:
            passage = books.breakers.failed("erp", failures=3, seconds=10, longest=30)
    return bool(passage)


def allow(ledger: Ledger) -> tuple[bool, bool]:
    with ledger.transaction() as books:
        passage = books.breakers.allow("erp")
    return passage.allowed, passage.probe


def test_it_opens_probes_once_and_doubles_its_pause_to_a_limit(ledger: Ledger, clock: Any) -> None:
    assert allow(ledger) == (True, False)
    assert fail(ledger, 2)
    assert allow(ledger) == (True, False)
    assert not fail(ledger)
    for pause in (10, 20, 30, 30):
        clock.pass_(seconds=pause - 1)
        assert allow(ledger) == (False, False)
        clock.pass_(seconds=1)
        assert allow(ledger) == (True, True)
        assert allow(ledger) == (False, False)
        fail(ledger)
    clock.pass_(seconds=30)
    assert allow(ledger) == (True, True)
    with ledger.transaction() as books:
        books.breakers.succeeded("erp")
        assert books.breakers.states() == {"erp": "closed"}
    assert allow(ledger) == (True, False)
    assert fail(ledger, 2)


def test_success_between_failures_starts_the_count_anew(ledger: Ledger) -> None:
    fail(ledger, 2)
    with ledger.transaction() as books:
        books.breakers.succeeded("erp")
    assert fail(ledger, 2)


def test_a_probe_that_never_answers_is_replaced(ledger: Ledger, clock: Any) -> None:
    fail(ledger, 3)
    clock.pass_(seconds=10)
    assert allow(ledger) == (True, True)
    clock.pass_(seconds=61)
    assert allow(ledger) == (True, True)
