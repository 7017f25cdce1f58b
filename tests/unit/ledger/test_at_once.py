"""Several workers doing the same at the same moment leave one effect."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from throughline.connectors.contract import Captured
from throughline.ledger import Ledger
from throughline.ledger.entries import Identity
from throughline.ledger.work_entries import Intent, Start


def all_at_once(work: Callable[[], Any], workers: int = 6) -> list[Any]:
    answers: list[Any] = []
    gate = threading.Barrier(workers)

    def run() -> None:
        gate.wait(10)
        answers.append(work())

    threads = [threading.Thread(target=run) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == workers
    return answers


def test_a_page_captured_twice_at_once_is_kept_once(ledger: Ledger) -> None:
    page = [Captured("sales_order", str(n), {"n": n}, number=f"SO-{n}") for n in range(50)]

    def capture() -> list[bool]:
        with ledger.transaction() as books:
            return [row.new for row in books.records.store("crm", page)]

    answers = all_at_once(capture)
    assert [sum(told) for told in zip(*answers, strict=True)] == [1] * 50
    with ledger.transaction() as books:
        assert len(books.records.pending()) == 50


def test_a_flow_started_by_all_starts_once(ledger: Ledger) -> None:
    def start() -> list[tuple[int, bool]]:
        with ledger.transaction() as books:
            wishes = [Start("f", "1", f"sales_order:crm:SO-{n}", "crm") for n in range(50)]
            return [(s.process_id, s.new) for s in books.processes.start(wishes)]

    answers = all_at_once(start)
    assert len({tuple(number for number, _ in told) for told in answers}) == 1
    assert sum(new for told in answers for _, new in told) == 50


def test_an_effect_meant_by_all_is_one_row_sent_once(ledger: Ledger) -> None:
    def intend() -> tuple[int, bool]:
        intent = Intent(
            "k", None, "s", "", "erp", "sales_order", "create", "sales_order:crm:SO-1", "T2", "SO-1", {"a": 1}
        )  # fmt: skip
        with ledger.transaction() as books:
            (answer,) = books.deliveries.intend([intent], sending=True)
        return answer.delivery.attempts, answer.new

    answers = all_at_once(intend)
    assert sorted(answers) == [(1, False)] * 5 + [(1, True)]


def test_two_meanings_of_one_id_leave_the_first(ledger: Ledger) -> None:
    numbers = iter(range(6))

    def register() -> int:
        mine = f"sales_order:crm:SO-{next(numbers)}"
        with ledger.transaction() as books:
            return len(books.identities.register([Identity("erp", "sales_order", "42", mine)]))

    assert sorted(all_at_once(register)) == [0, 1, 1, 1, 1, 1]
