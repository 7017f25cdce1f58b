"""The ledger's tables appear once, however many processes lay them at the same moment."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import psycopg

from throughline.ledger import Ledger, migrate


def _tables(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as database:
        return {row[0] for row in database.execute("select tablename from pg_tables where schemaname = 'public'")}


def test_two_at_once_lay_the_tables_once_and_again_is_quick(postgres_dsn: str) -> None:
    problems: list[BaseException] = []

    def lay() -> None:
        try:
            migrate(postgres_dsn)
        except BaseException as problem:  # noqa: BLE001
            problems.append(problem)

    threads = [threading.Thread(target=lay) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert problems == []
    assert {"source_records", "payloads", "steps", "audit", "ledger_version"} <= _tables(postgres_dsn)
    began = time.monotonic()
    migrate(postgres_dsn)
    assert time.monotonic() - began < 1


def test_payloads_lie_in_the_partition_of_their_month(ledger_dsn: str) -> None:
    ledger = Ledger(ledger_dsn, clock=lambda: datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    ledger.ensure_months()
    ledger.ensure_months()
    ledger.close()
    assert {"payloads_2026_11", "payloads_2026_12", "payloads_2027_01"} <= _tables(ledger_dsn)
