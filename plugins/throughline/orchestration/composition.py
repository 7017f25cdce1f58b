"""The composition root inside Airflow: builds the hub from `include/` and from Airflow's connections.

Imported only by what really runs (tasks, triggers, the test button), never while DAG files are read; the engine and the
field tables come in only where they are needed, so that a watcher stays small.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from throughline.connectors.contract import Connection, Connector
from throughline.connectors.landscape import System
from throughline.connectors.registry import open_connector
from throughline.ledger import Ledger
from throughline.orchestration import credentials
from throughline.orchestration.declared import flows, landscape, translator
from throughline.orchestration.kept_logins import shelf_of_this_machine

if TYPE_CHECKING:
    from throughline.orchestration.hub import Hub
    from throughline.process.translator_words import TranslatorWords


def now() -> datetime:
    """The clock everything here is built with."""
    return datetime.now(UTC)


@lru_cache(maxsize=8)
def ledger_at(dsn: str) -> Ledger:
    """The ledger at this address, one per process."""
    return Ledger(dsn, clock=now)


def open_ledger(connection_name: str = credentials.LEDGER) -> Ledger:
    """The ledger an Airflow connection names."""
    return ledger_at(credentials.dsn_of(credentials.find(connection_name)))


async def aopen_ledger(connection_name: str = credentials.LEDGER) -> Ledger:
    """The same inside a trigger."""
    return ledger_at(credentials.dsn_of(await credentials.afind(connection_name)))


def greet(ledger: Ledger) -> str:
    """A sentence for the connection form: the database answers and its tables are there."""
    with ledger.transaction() as books:
        line, _ = books.audit.head()
    return f"The ledger answers; its audit has {line} lines"


def connector_of(connection_name: str, default_product: str, connection: Connection) -> Connector:
    """The connector behind a connection, with a login of its own: of the product in that role, or of the type's own."""
    for system in landscape().systems.values():
        if system.connection == connection_name:
            return open_connector(system.product, system.role, connection, clock=now)
    return open_connector(default_product, connection_name, connection, clock=now)


def plays_a_role(connection_name: str) -> bool:
    """Whether some system of the landscape uses this connection."""
    return any(system.connection == connection_name for system in landscape().systems.values())


def connect(system: System, connection: Connection) -> Connector:
    """A system's connector; its login is shared with the other tasks on this machine."""
    return open_connector(system.product, system.role, connection, clock=now, shelf=shelf_of_this_machine())


async def aopen_system(role: str) -> Connector:
    """The connector of a role inside a trigger."""
    system = landscape().system(role)
    return connect(system, credentials.credentials_of(await credentials.afind(system.connection)))


def polled_documents(role: str, connector: Connector) -> tuple[str, ...]:
    """What of a system's documents we ask for; the others it tells us by itself."""
    offered = connector.objects()
    return tuple(name for name in landscape().system(role).captures if name in offered and offered[name].polled)


@cache
def looked_up(connection_name: str) -> Connection:
    """An Airflow connection's address and secret, asked for once per task (and never inside its event loop)."""
    return credentials.credentials_of(credentials.find(connection_name))


def open_system(role: str) -> Connector:
    """The connector of a role in a task, not yet entered."""
    system = landscape().system(role)
    return connect(system, looked_up(system.connection))


def words_over(ledger: Ledger) -> TranslatorWords:
    """The translator, with the ledger's memory of who is who."""
    from throughline.process.ledger_registry import LedgerRegistry
    from throughline.process.translator_words import TranslatorWords

    return TranslatorWords(translator().with_registry(LedgerRegistry(ledger)), landscape())


@contextmanager
def opened_hub(ledger_connection: str = credentials.LEDGER) -> Iterator[Hub]:
    """The hub for one task: credentials are looked up when a system is first needed, the ledger is given back after."""
    from throughline.orchestration.hub import build_hub

    ledger = open_ledger(ledger_connection)
    try:
        yield build_hub(ledger, landscape(), words_over(ledger), flows(), open_system)
    finally:
        ledger.close()
