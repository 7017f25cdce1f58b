"""A few connections to PostgreSQL, kept open, handed to one transaction at a time, replaced when they are lost."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.types.json import set_json_loads

from throughline.errors import Invalid, Transient
from throughline.ledger.exact_json import loads

_SETTINGS = """
set timezone to 'UTC';
set random_page_cost to 1.1; -- the working set lies in memory, where a far page costs no more than a near one
set plan_cache_mode to force_custom_plan; -- sets differ in size by thousands: one plan for all would be slow for some
set idle_in_transaction_session_timeout to '60s' -- a worker that froze must not keep others from its rows
"""


Connect = Callable[..., psycopg.Connection[Any]]
"""Opens one connection, with the arguments of `psycopg.connect`."""


class Connections:
    """At most `size` connections at once; a thread that asks for one more waits for its turn."""

    def __init__(self, dsn: str, *, size: int, connect: Connect = psycopg.connect) -> None:
        self._dsn, self._open = dsn, connect
        self._turns = threading.BoundedSemaphore(size)
        self._idle: list[psycopg.Connection[Any]] = []
        self._process = os.getpid()

    @contextmanager
    def transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """One transaction: committed when the block ends, taken back when it raises."""
        with self._turns:
            try:
                connection = self._connect()
                try:
                    with connection.transaction():
                        yield connection
                finally:
                    self._put_back(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError) as problem:
                if _lost(problem):
                    self._forget_idle()
                raise Transient(
                    f"The hub's database could not be used just now ({type(problem).__name__}); it is tried again.",
                    system="ledger", code=getattr(problem, "sqlstate", None),
                ) from problem  # fmt: skip
            except psycopg.DataError as problem:
                raise Invalid(f"The ledger cannot keep this value: {problem}", system="ledger") from problem

    def close(self) -> None:
        """Close what is idle now."""
        self._forget_idle()

    def _connect(self) -> psycopg.Connection[Any]:
        if self._process != os.getpid():  # a fork must not talk on its parent's wires, nor close them
            self._process, self._idle = os.getpid(), []
        try:
            return self._idle.pop()
        except IndexError:
            connection = self._open(self._dsn, autocommit=True, connect_timeout=10)
            set_json_loads(loads, connection)
            connection.execute(_SETTINGS)
            return connection

    def _put_back(self, connection: psycopg.Connection[Any]) -> None:
        if connection.closed or connection.broken:
            connection.close()
        else:
            self._idle.append(connection)

    def _forget_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()


def _lost(problem: psycopg.Error) -> bool:
    """Whether the server or the line went away, rather than this one transaction having to give way."""
    return problem.sqlstate is None or problem.sqlstate[:2] in ("08", "57")
