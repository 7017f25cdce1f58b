"""The ledger itself: connections to the hub's PostgreSQL, and transactions that open its rooms."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg

from throughline.errors import Transient
from throughline.ledger.audit import Audit, write_audit
from throughline.ledger.breakers import Breakers
from throughline.ledger.connections import Connect, Connections
from throughline.ledger.delegations import Delegations
from throughline.ledger.deliveries import Deliveries
from throughline.ledger.identities import Identities
from throughline.ledger.inbox import Inbox
from throughline.ledger.missing import Missing
from throughline.ledger.notices import Notices
from throughline.ledger.parked import Parked
from throughline.ledger.processes import Processes
from throughline.ledger.records import Records
from throughline.ledger.retention import Retention
from throughline.ledger.schema import ensure_months
from throughline.ledger.session import CHANNEL, Session
from throughline.ledger.snapshots import Snapshots
from throughline.ledger.steps import Steps
from throughline.ledger.tasks import Tasks
from throughline.ledger.troubles import Troubles
from throughline.ledger.watermarks import Watermarks

log = logging.getLogger(__name__)


class Books:
    """The rooms of the ledger inside one transaction: all of what is written here is committed, or none."""

    def __init__(self, session: Session) -> None:
        self.now = session.now
        self.records = Records(session)
        self.identities = Identities(session)
        self.watermarks = Watermarks(session)
        self.inbox = Inbox(session)
        self.processes = Processes(session)
        self.steps = Steps(session)
        self.deliveries = Deliveries(session)
        self.parked = Parked(session)
        self.audit = Audit(session)
        self.breakers = Breakers(session)
        self.troubles = Troubles(session)
        self.retention = Retention(session)
        self.tasks = Tasks(session)
        self.delegations = Delegations(session)
        self.notices = Notices(session)
        self.snapshots = Snapshots(session)
        self.missing = Missing(session)


class Ledger:
    """The hub's memory. One per process is enough; its methods may be called from any thread.

    `clock` says what time it is; `connect` opens connections (the fault simulator passes its own, which break).
    """

    def __init__(
        self, dsn: str, *, clock: Callable[[], datetime], connections: int = 8, connect: Connect = psycopg.connect
    ) -> None:
        self._connections = Connections(dsn, size=connections, connect=connect)
        self._clock = clock

    @contextmanager
    def transaction(self) -> Iterator[Books]:
        """Open the books; leaving commits, an error takes everything back. A lost connection is `Transient`."""
        with self._session() as session:
            yield Books(session)
        if session.names:
            self._wake(session.names)

    def ensure_months(self) -> None:
        """Make the payload partitions of this and the coming months; done daily by housekeeping."""
        with self._session() as session:
            ensure_months(session.connection, session.now)

    def close(self) -> None:
        """Give all connections back."""
        self._connections.close()

    def _wake(self, names: set[str]) -> None:
        """Look again, after the commit: two transactions that crossed did not see each other."""
        try:
            with self._session() as session:
                Identities(session).wake(names)
        except Transient as problem:  # what was committed stays committed; housekeeping's `wake` does it later
            log.warning("what waits for %d names was not woken just now: %s", len(names), problem)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with self._connections.transaction() as connection:
            session = Session(connection, self._clock)
            yield session
            write_audit(session)
            if session.news:
                session.run("select pg_notify(%s, %s)", CHANNEL, " ".join(sorted(session.news)))
