"""A real Tryton for tests: one server for the whole run, on the run's PostgreSQL, with the ERP and the warehouse.

A `conftest.py` that wants it says `from tests.plant_fixtures import *`. The environment and the dumps of the
databases are kept in `.plant` (or $THROUGHLINE_PLANT_HOME), so only the first run on
a machine makes them: about a minute.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.plant.tryton import TrytonServer
from include.plant.tryton.json_rpc import TrytonClient
from include.plant.tryton.people import TrytonWarehousePeople
from tests.conftest import free_port
from throughline.connectors.contract import Connection
from throughline.local_platform.embedded_postgres import EmbeddedPostgres

__all__ = ["erp_connection", "erp_person", "fresh", "tryton_server", "warehouse_people", "wms_connection"]

PASSWORD = "plant-Passw0rd-2026"
HOME = Path(os.environ.get("THROUGHLINE_PLANT_HOME", Path(__file__).parent.parent / ".plant"))
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def tryton_server(postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrytonServer]:
    """The server, answering, with databases `erp` and `wms` as set up by script."""
    server = TrytonServer(
        HOME, postgres.dsn(), free_port(), ("erp", "wms"), request_seconds=20, run=tmp_path_factory.mktemp("tryton")
    )
    server.prepare(hub_password=PASSWORD)
    process = server.start()
    try:
        deadline = time.monotonic() + 60
        while not server.ready():
            assert process.poll() is None, (server.config_file.parent / "trytond.log").read_text()
            assert time.monotonic() < deadline, "Tryton did not start within 60 s"
            time.sleep(0.1)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


@pytest.fixture(scope="session")
def erp_connection(tryton_server: TrytonServer) -> Connection:
    """What an Airflow connection to the ERP would hold."""
    return _connection(tryton_server, "erp")


@pytest.fixture(scope="session")
def wms_connection(tryton_server: TrytonServer) -> Connection:
    """What an Airflow connection to the warehouse would hold."""
    return _connection(tryton_server, "wms")


@pytest.fixture(scope="session")
def erp_person(tryton_server: TrytonServer) -> Iterator[TrytonClient]:
    """Somebody who looks into the ERP, to see what is really there."""
    person = TrytonClient(tryton_server.address, "erp", "people", PASSWORD)
    yield person
    person.close()


@pytest.fixture(scope="session")
def warehouse_people(tryton_server: TrytonServer) -> Iterator[TrytonWarehousePeople]:
    """The people of the warehouse that Tryton runs."""
    people = TrytonWarehousePeople(tryton_server.address, password=PASSWORD)
    yield people
    people.close()


@pytest.fixture
def fresh() -> str:
    """A number no other test of this run uses."""
    return f"{next(_numbers):04d}"


def _connection(server: TrytonServer, database: str) -> Connection:
    return Connection(database, server.address, "hub", PASSWORD, {"database": database})
