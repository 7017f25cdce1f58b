"""A ledger on a database of its own, with a clock the test turns by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from throughline.ledger import Ledger, migrate
from throughline.local_platform.embedded_postgres import EmbeddedPostgres


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def ledger_template(postgres: EmbeddedPostgres) -> str:
    """A migrated database that each test's own is copied from."""
    postgres.create_database("ledger_template")
    migrate(postgres.dsn("ledger_template"))
    return "ledger_template"


@pytest.fixture
def ledger_dsn(postgres: EmbeddedPostgres, ledger_template: str, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"ledger_{abs(hash(request.node.nodeid)):x}"
    postgres.create_database(name, template=ledger_template)
    yield postgres.dsn(name)
    postgres.drop_database(name)


@pytest.fixture
def ledger(ledger_dsn: str, clock: Callable[[], datetime]) -> Iterator[Ledger]:
    ledger = Ledger(ledger_dsn, clock=clock)
    yield ledger
    ledger.close()
