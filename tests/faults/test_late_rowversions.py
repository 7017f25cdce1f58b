"""Rows committed late on SQL Server (F9): eight writers, transactions of up to 0.3 s, a look every 50 ms.

The writers hold real transactions of a real PostgreSQL behind the TDS door; the reader is the hub's own connector over
the unmodified driver. A cursor over the newest rowversion seen loses rows in the run in which the fence loses none.
"""

from __future__ import annotations

import asyncio
import os
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.sqlserver_fixtures import AccountSet, account_set, sql_server_profile
from throughline.connectors.mechanisms.sql.connector import SqlConnector
from throughline.connectors.mechanisms.sql.profile import SqlProfile
from throughline.errors import Transient
from throughline.ledger import Ledger, migrate
from throughline.local_platform.embedded_postgres import EmbeddedPostgres
from throughline.process.capturing import capture

__all__ = ["account_set"]
WRITERS = 8
SECONDS = float(os.environ.get("THROUGHLINE_RACE_SECONDS", "3"))
LOOK_EVERY = 0.05
TABLE = """
create table reports (
    id integer generated always as identity primary key, version integer not null default 1, ufts rowversion
);
create index on reports (ufts);
create trigger stamp before insert or update on reports for each row execute function stamp_ufts();
"""
PROFILE = """
  production_report:
    fence: W1
    query: select id, version, ufts from reports
    key: id
    changes: {column: ufts, kind: rowversion}
"""


@dataclass
class Writers:
    """People of the source: insert, sometimes update or take back; all their transactions take their time."""

    dsn: str
    seed: int
    updates: float = 0.0
    rollbacks: float = 0.0
    rows: dict[int, int] = field(default_factory=dict)
    """id -> newest committed version"""
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> list[threading.Thread]:
        threads = [threading.Thread(target=self._write, args=(number,), daemon=True) for number in range(WRITERS)]
        for thread in threads:
            thread.start()
        return threads

    def stop(self, threads: list[threading.Thread]) -> None:
        self._stop.set()
        for thread in threads:
            thread.join(60)

    def _write(self, number: int) -> None:
        draw = random.Random(f"{self.seed}-{number}")
        with psycopg.connect(self.dsn) as connection:
            while not self._stop.is_set():
                key, version = self._one(connection, draw)
                time.sleep(draw.uniform(0, 0.3))
                if draw.random() < self.rollbacks:
                    connection.rollback()
                    continue
                with self._lock:
                    connection.commit()
                    self.rows[key] = version

    def _one(self, connection: psycopg.Connection[Any], draw: random.Random) -> tuple[int, int]:
        if self.rows and draw.random() < self.updates:
            with self._lock:
                wanted = draw.choice(sorted(self.rows))
            row = connection.execute(
                "update reports set version = version + 1 where id = %s returning id, version", [wanted]
            ).fetchone()
        else:
            row = connection.execute("insert into reports default values returning id, version").fetchone()
        assert row is not None
        return int(row[0]), int(row[1])


class NaiveCursor:
    """What everybody writes first: everything whose rowversion is higher than the highest one seen."""

    def __init__(self, source: AccountSet) -> None:
        self._cursor = source.driver().cursor()
        self._highest = bytearray(8)
        self.seen: set[int] = set()

    def look(self) -> None:
        self._cursor.execute(
            "select id, ufts from reports where ufts > %(highest)s order by ufts", {"highest": self._highest}
        )
        rows = self._cursor.fetchall()
        self.seen |= {row[0] for row in rows}
        self._highest = bytearray(rows[-1][1]) if rows else self._highest


@dataclass
class Counting:
    """How many records the hub was told, and by how many looks."""

    told: int = 0
    looks: int = 0
    failed: int = 0


@dataclass
class Race:
    """The source, the hub's ledger, and the hub's way to the source."""

    source: AccountSet
    ledger: Ledger
    profile: SqlProfile

    def connector(self, role: str) -> SqlConnector:
        return SqlConnector(self.profile, role, self.source.address())

    async def look_for(self, seconds: float, counting: Counting, naive: NaiveCursor | None = None) -> None:
        ending = time.monotonic() + seconds
        while counting.looks == 0 or time.monotonic() < ending:
            try:
                counting.told += (await capture(self.ledger, self.connector, "mes", "production_report")).told
            except Transient:
                counting.failed += 1
            counting.looks += 1
            if naive is not None:
                await asyncio.to_thread(naive.look)
            await asyncio.sleep(LOOK_EVERY)

    def kept(self) -> dict[int, int]:
        """id -> newest version, as the ledger has it."""
        with self.ledger.transaction() as books:
            pending = books.records.pending("mes", 1_000_000)
        return {int(each.their_id): each.raw["version"] for each in sorted(pending, key=lambda each: each.version_id)}

    def there(self) -> dict[int, int]:
        with psycopg.connect(self.source.dsn) as source:
            return dict(source.execute("select id, version from reports").fetchall())


@pytest.fixture
def race(account_set: AccountSet, postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[Race]:
    with psycopg.connect(account_set.dsn, autocommit=True) as owner:
        owner.execute(TABLE)
    postgres.create_database("rowversion_ledger")
    migrate(postgres.dsn("rowversion_ledger"))
    ledger = Ledger(postgres.dsn("rowversion_ledger"), clock=lambda: datetime.now(UTC))
    yield Race(account_set, ledger, sql_server_profile(tmp_path, PROFILE))
    ledger.close()
    postgres.drop_database("rowversion_ledger")


async def test_the_fence_loses_nothing_and_reads_each_row_once(race):
    writers, naive, counting = Writers(race.source.dsn, 7), NaiveCursor(race.source), Counting()
    threads = writers.start()
    await race.look_for(SECONDS, counting, naive)
    writers.stop(threads)
    await race.look_for(0.2, counting, naive)

    lost = set(writers.rows) - set(race.kept())
    naively = set(writers.rows) - naive.seen
    print(f"\n{len(writers.rows)} rows, {counting.looks} looks")
    print(f"fenced: {len(lost)} lost, {counting.told} reads; naive: {len(naively)} lost")
    assert len(writers.rows) > 20
    assert not lost
    assert counting.told == len(writers.rows)
    assert naively, "the naive cursor lost nothing: these writers prove nothing"


async def test_updates_and_rollbacks_end_in_what_the_source_has(race):
    writers, counting = Writers(race.source.dsn, 11, updates=0.4, rollbacks=0.2), Counting()
    threads = writers.start()
    await race.look_for(SECONDS, counting)
    writers.stop(threads)
    await race.look_for(0.2, counting)
    assert race.kept() == race.there()


async def test_killed_connections_lose_nothing(race):
    writers, counting = Writers(race.source.dsn, 17), Counting()
    threads = writers.start()
    stop = threading.Event()

    def kill() -> None:
        with psycopg.connect(race.source.dsn, autocommit=True) as killer:
            while not stop.wait(0.15):
                killer.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tds-door'"
                )

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    await race.look_for(SECONDS, counting)
    stop.set()
    killer.join(10)
    writers.stop(threads)
    await race.look_for(0.3, counting)
    assert counting.failed, "no look was disturbed: this proves nothing"
    assert race.kept() == race.there()


@pytest.mark.heavy
@pytest.mark.parametrize("turn", range(5))
async def test_a_minute_of_it(race, turn):
    writers, naive, counting = Writers(race.source.dsn, 100 + turn), NaiveCursor(race.source), Counting()
    threads = writers.start()
    await race.look_for(60, counting, naive)
    writers.stop(threads)
    await race.look_for(0.5, counting, naive)
    assert set(race.kept()) == set(writers.rows)
    assert counting.told == len(writers.rows)
    assert set(writers.rows) - naive.seen
