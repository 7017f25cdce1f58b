"""A ledger of the test's own, with a clock the test turns by hand, and a desk over the small company."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from tests.unit.people.company import NOW, company
from throughline.ledger import Books, Ledger, migrate
from throughline.local_platform.embedded_postgres import EmbeddedPostgres
from throughline.people.desk import Desk


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def people_template(postgres: EmbeddedPostgres) -> str:
    postgres.create_database("people_template")
    migrate(postgres.dsn("people_template"))
    return "people_template"


@pytest.fixture
def dsn(postgres: EmbeddedPostgres, people_template: str, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"people_{abs(hash(request.node.nodeid)):x}"
    postgres.create_database(name, template=people_template)
    yield postgres.dsn(name)
    postgres.drop_database(name)


@pytest.fixture
def ledger(dsn: str, clock: Callable[[], datetime]) -> Iterator[Ledger]:
    ledger = Ledger(dsn, clock=clock)
    yield ledger
    ledger.close()


@pytest.fixture
def books(ledger: Ledger) -> Callable[[], AbstractContextManager[Books]]:
    return ledger.transaction


@pytest.fixture
def desk() -> Desk:
    return Desk(company())
