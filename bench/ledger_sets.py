"""The ledger's set operations on 100,000 documents, against PostgreSQL taking the same payloads by plain COPY."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg

from bench.scratch_postgres import scratch_ledger
from throughline.connectors.contract import Captured
from throughline.ledger import Ledger
from throughline.ledger.entries import Identity, Translation
from throughline.ledger.work_entries import Changes, Start, StepChange

COUNT = 100_000
SET = 1_000
Entry = TypeVar("Entry")
seconds: dict[str, float] = {}


def now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


def sets(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """The entries, a thousand at a time, as a capture or a sweep takes them."""
    return (entries[at : at + SET] for at in range(0, len(entries), SET))


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Notes how long the block took."""
    start = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - start


def order(number: int) -> dict[str, Any]:
    """A made-up order of two lines."""
    lines = [{"_id": f"L{number}-{n}", "product_id": "P1", "quantity": "10", "sales_price": "86.50"} for n in (1, 2)]
    return {"_id": f"O{number}", "name": f"SO-{number}", "life_status": "normal", "version": "1", "lines": lines}


def in_sets(ledger: Ledger, entries: Sequence[Entry], act: Callable[[Any, Sequence[Entry]], Any]) -> list[Any]:
    """Each set in a transaction of its own."""
    results: list[Any] = []
    for portion in sets(entries):
        with ledger.transaction() as books:
            results += act(books, portion) or []
    return results


def measure(dsn: str) -> None:
    """Store, repeat, name, translate, start and move 100,000 documents."""
    ledger = Ledger(dsn, clock=now)
    captured = [Captured("sales_order", f"O{n}", order(n), f"SO-{n}", "1", now()) for n in range(COUNT)]
    with timed("plain COPY of the payloads"), psycopg.connect(dsn) as plain:
        plain.execute("create table plain (id text primary key, raw jsonb)")
        with plain.cursor().copy("copy plain from stdin") as copy:
            for entry in captured:
                copy.write_row((entry.their_id, json.dumps(entry.raw)))
    with timed("store, all new"):
        stored = in_sets(ledger, captured, lambda books, part: books.records.store("crm", part))
    with timed("store, all seen before"):
        again = in_sets(ledger, captured, lambda books, part: books.records.store("crm", part))
    assert sum(entry.new for entry in stored) == COUNT
    assert not any(entry.new for entry in again)
    names = [Identity("crm", "sales_order", f"O{n}", f"sales_order:crm:SO-{n}", f"SO-{n}") for n in range(COUNT)]
    with timed("register identities"):
        in_sets(ledger, names, lambda books, part: books.identities.register(part))
    texts = [
        Translation(entry.version_id, f"sales_order:crm:SO-{n}", {"number": f"SO-{n}", "status": "confirmed"})
        for n, entry in enumerate(stored)
    ]
    with timed("record translations"):
        in_sets(ledger, texts, lambda books, part: books.records.translated(part))
    starts = [Start("bench", "v1", f"sales_order:crm:SO-{n}", "crm") for n in range(COUNT)]
    with timed("start processes"):
        started = in_sets(ledger, starts, lambda books, part: books.processes.start(part))
    steps = [StepChange(entry.process_id, "erp_order", "", "ready") for entry in started]
    with timed("open a step in each"):
        in_sets(ledger, steps, lambda books, part: books.processes.apply(Changes(steps=part)))
    with timed("claim and release all"):
        claimed = 0
        while True:
            with ledger.transaction() as books:
                claims = books.processes.claim("bench", "erp_order", limit=SET, holder="bench", seconds=60)
                done = [StepChange(c.process_id, "erp_order", "", "done") for c in claims]
                books.processes.apply(Changes(steps=done))
                books.processes.release(claims)
            claimed += len(claims)
            if not claims:
                break
    assert claimed == COUNT
    with timed("ask 1,000 times whether there is work"), ledger.transaction() as books:
        for _ in range(1000):
            assert not books.steps.ready_work("bench")


def main() -> None:
    """Print seconds, documents per second, and the ratio to the plain COPY."""
    with scratch_ledger() as dsn:
        measure(dsn)
    plain = seconds["plain COPY of the payloads"]
    print(f"Ledger set operations, {COUNT:,} documents in sets of {SET:,}")
    for name, took in seconds.items():
        print(f"  {name:<40} {took:7.2f} s  {COUNT / took:>10,.0f}/s  {took / plain:6.2f} x COPY")


if __name__ == "__main__":
    main()
