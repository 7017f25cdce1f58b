"""Names are registered once, found from both sides, and wake what waited for them."""

from __future__ import annotations

import threading

import psycopg
import pytest

from throughline.connectors.contract import Captured
from throughline.ledger import Ledger
from throughline.ledger.entries import Identity, Waiting
from throughline.ledger.work_entries import Changes, Start, StepChange

ORDER = Identity("erp", "sales_order", "42", "sales_order:crm:SO-1", "ERP-7")


def test_a_name_is_found_from_both_sides_and_by_any_number(ledger: Ledger) -> None:
    line = Identity("erp", "sales_order.line", "43", "sales_order:crm:SO-1#10")
    with ledger.transaction() as books:
        assert books.identities.register([ORDER, line, ORDER]) == []
    with ledger.transaction() as books:
        assert books.identities.canonical("erp", "sales_order", "42") == "sales_order:crm:SO-1"
        assert books.identities.canonical("mes", "sales_order", "42") is None
        assert books.identities.theirs("erp", "sales_order:crm:SO-1#10", "sales_order.line") == "43"
        assert books.identities.all_of("sales_order:crm:SO-1") == [ORDER]
        for number in ("ERP-7", "42", "sales_order:crm:SO-1"):
            assert ORDER in books.identities.search(number)
        assert books.identities.search("nothing") == []


def test_an_id_keeps_its_first_meaning_and_the_second_is_a_conflict(ledger: Ledger) -> None:
    other = Identity("erp", "sales_order", "42", "sales_order:crm:SO-2")
    with ledger.transaction() as books:
        books.identities.register([ORDER])
    with ledger.transaction() as books:
        (conflict,) = books.identities.register([other])
        assert (conflict.identity, conflict.registered_as) == (other, "sales_order:crm:SO-1")
        assert books.identities.all_of(["sales_order:crm:SO-1", "sales_order:crm:SO-2"]) == [ORDER]


AWAITED = ["erp/sales_order/42", "sales_order:crm:SO-1@erp"]


def wait(ledger: Ledger, awaited: str) -> int:
    with ledger.transaction() as books:
        (row,) = books.records.store("erp", [Captured("work_order", "7", {"origin": "42"})])
        books.records.waiting([Waiting(row.version_id, awaited, "SO 42 is not known yet.", "Unknown:erp")])
        (process,) = books.processes.start([Start("f", "1", "work_order:erp:7")])
        step = StepChange(process.process_id, "mes", "", "waiting_for", awaited=awaited)
        books.processes.apply(Changes(steps=[step]))
    return process.process_id


def awake(ledger: Ledger, process_id: int) -> tuple[int, str]:
    with ledger.transaction() as books:
        return len(books.records.pending("erp")), books.steps.of([process_id])[0].state


@pytest.mark.parametrize("awaited", AWAITED)
def test_what_waits_for_a_name_goes_on_when_it_is_registered(ledger: Ledger, awaited: str) -> None:
    process_id = wait(ledger, awaited)
    assert awake(ledger, process_id) == (0, "waiting_for")
    with ledger.transaction() as books:
        books.identities.register([Identity("crm", "sales_order", "42", "sales_order:crm:SO-1")])
    assert awake(ledger, process_id) == (0, "waiting_for")
    with ledger.transaction() as books:
        books.identities.register([ORDER])
    assert awake(ledger, process_id) == (1, "ready")


@pytest.mark.parametrize("awaited", AWAITED)
def test_waiting_for_a_name_registered_meanwhile_does_not_sleep_for_ever(ledger: Ledger, awaited: str) -> None:
    """Both transactions are open at once and neither sees the other; whichever commits last looks again."""
    process_id: list[int] = []
    with ledger.transaction() as books:
        books.identities.register([ORDER])
        waiter = threading.Thread(target=lambda: process_id.append(wait(ledger, awaited)))
        waiter.start()
        waiter.join(10)
    assert awake(ledger, process_id[0]) == (1, "ready")


def test_housekeeping_wakes_what_a_dead_worker_left_asleep(ledger: Ledger, ledger_dsn: str) -> None:
    """The worker died after its commit and before it looked again."""
    process_id = wait(ledger, AWAITED[0])
    with psycopg.connect(ledger_dsn) as database:
        database.execute(
            "insert into identities values ('erp', 'sales_order', '42', 'sales_order:crm:SO-1', null, now())"
        )
    assert awake(ledger, process_id) == (0, "waiting_for")
    with ledger.transaction() as books:
        assert books.identities.wake() == 2
    assert awake(ledger, process_id) == (1, "ready")
