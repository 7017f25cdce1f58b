"""One holder at a time works on a process; whoever comes back late changes nothing."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from throughline.ledger import Ledger
from throughline.ledger.work_entries import Changes, Claim, ProcessChange, Start, StepChange

FLOW = "order_to_delivery"


def begin(ledger: Ledger, count: int = 1, state: str = "ready", **more: Any) -> list[int]:
    with ledger.transaction() as books:
        started = books.processes.start([Start(FLOW, "1", f"sales_order:crm:SO-{i}") for i in range(count)])
        ids = [process.process_id for process in started]
        books.processes.apply(Changes(steps=[StepChange(id_, "erp_order", "", state, **more) for id_ in ids]))
    return ids


def claim(ledger: Ledger, holder: str, limit: int = 10, **more: Any) -> list[Claim]:
    with ledger.transaction() as books:
        return books.processes.claim(FLOW, "erp_order", limit=limit, holder=holder, seconds=30, **more)


def test_a_claimed_process_is_nobody_elses_until_its_lease_runs_out(ledger: Ledger, clock: Any) -> None:
    (process_id,) = begin(ledger)
    (first,) = claim(ledger, "a")
    assert (first.process_id, first.epoch, first.steps[0].attempts) == (process_id, 1, 1)
    assert claim(ledger, "b") == []
    clock.pass_(seconds=31)
    (second,) = claim(ledger, "b")
    assert (second.epoch, second.steps[0].attempts) == (2, 2)
    with ledger.transaction() as books:
        assert books.processes.hold([first]) == set()
        assert books.processes.hold([second]) == {process_id}
        books.processes.release([first])
    assert claim(ledger, "c") == []
    with ledger.transaction() as books:
        books.processes.release([second])
    assert [c.epoch for c in claim(ledger, "c")] == [3]


def test_an_expired_lease_nobody_took_is_still_ours_and_can_be_prolonged(ledger: Ledger, clock: Any) -> None:
    begin(ledger)
    claims = claim(ledger, "a")
    clock.pass_(seconds=40)
    with ledger.transaction() as books:
        assert len(books.processes.hold(claims, seconds=30)) == 1
    assert claim(ledger, "b") == []


def test_a_late_holder_waits_for_the_lock_and_then_loses(ledger: Ledger, clock: Any) -> None:
    """The zombie checks its epoch while the new holder's claim is not committed yet."""
    begin(ledger)
    (stale,) = claim(ledger, "zombie")
    clock.pass_(seconds=31)
    survivors: list[set[int]] = []

    def come_back() -> None:
        with ledger.transaction() as books:
            survivors.append(books.processes.hold([stale]))

    with ledger.transaction() as books:
        assert len(books.processes.claim(FLOW, "erp_order", limit=1, holder="new", seconds=30)) == 1
        zombie = threading.Thread(target=come_back)
        zombie.start()
        zombie.join(0.3)
        assert zombie.is_alive()
    zombie.join(10)
    assert survivors == [set()]


def test_many_workers_share_the_work_without_meeting(ledger: Ledger) -> None:
    ids = begin(ledger, 200)
    taken: list[int] = []

    def work(holder: str) -> None:
        while claims := claim(ledger, holder, limit=7):
            taken.extend(one.process_id for one in claims)

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(taken) == sorted(ids)


def test_a_claim_skips_what_another_transaction_has_locked_and_takes_the_next(ledger: Ledger) -> None:
    begin(ledger, 4)
    with ledger.transaction() as books:
        mine = books.processes.claim(FLOW, "erp_order", limit=2, holder="a", seconds=30)
        theirs = claim(ledger, "b", limit=2)
    assert len({c.process_id for c in [*mine, *theirs]}) == 4


def test_retries_come_in_their_time_and_only_running_processes_are_claimed(ledger: Ledger, clock: Any) -> None:
    (process_id,) = begin(ledger)
    claims = claim(ledger, "a")
    clock.pass_(seconds=5)
    with ledger.transaction() as books:
        later = clock.now.replace(minute=10)
        books.processes.apply(Changes(steps=[StepChange(process_id, "erp_order", "", "retrying", ready_at=later)]))
        books.processes.release(claims)
    assert claim(ledger, "a") == []
    clock.pass_(minutes=11)
    with ledger.transaction() as books:
        assert books.steps.ready_work(FLOW) == {"erp_order": 1}
        assert books.steps.work_waits([FLOW, "other"]) == [FLOW]
        books.processes.apply(Changes(processes=[ProcessChange(process_id, "cancelled")]))
        assert books.steps.ready_work(FLOW) == {}
    assert claim(ledger, "a") == []


def test_claims_can_be_narrowed_to_keys_and_whole_processes_taken(ledger: Ledger) -> None:
    begin(ledger, 3)
    (one,) = claim(ledger, "a", keys=["sales_order:crm:SO-1"])
    assert one.key == "sales_order:crm:SO-1"
    with ledger.transaction() as books:
        taken = books.processes.take([one.process_id, one.process_id + 1], holder="b", seconds=5)
    assert [c.process_id for c in taken] == [one.process_id + 1]


@pytest.mark.parametrize("state", ["waiting", "done", "parked", "skipped"])
def test_only_ready_steps_are_claimed(ledger: Ledger, state: str) -> None:
    begin(ledger, state=state)
    assert claim(ledger, "a") == []
