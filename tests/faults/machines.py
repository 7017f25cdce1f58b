"""A process of the hub on a machine that can die, freeze, or lose its database: at every input and output it asks.

`Machine.point` is called at each of them; the schedule's `Troubles` decide what happens there. A dead machine does
nothing any more: whatever it still tries ends in `Killed`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg


class Killed(BaseException):
    """The process is gone, with whatever it knew."""


@dataclass
class Trouble:
    """Something that strikes at the n-th point of a kind (of any kind when `at` is empty), of one machine or of all."""

    kind: str
    """crash, lose (the connection to the database) or freeze"""
    at: str
    nth: int
    seconds: float = 0.0
    on: str = ""
    """receiver or sweeper, or what is being done there: capture, inbox, take; anywhere when empty"""


@dataclass
class Troubles:
    """What is still to strike, and what did."""

    planned: list[Trouble] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    struck: int = 0

    def strikes(self, at: str, role: str, doing: str) -> Trouble | None:
        """Whether something strikes at this point of this machine and of what it is doing."""
        counts = self.counts
        for place in (at, "", f"{role} {at}", f"{doing} {at}"):
            counts[place] += 1
        for trouble in self.planned:
            place = f"{trouble.on} {trouble.at}".strip()
            if trouble.at in ("", at) and trouble.on in ("", role, doing) and counts[place] >= trouble.nth:
                if not _fits(trouble.kind, at):
                    continue
                self.planned.remove(trouble)
                self.struck += 1
                return trouble
        return None


def _fits(kind: str, at: str) -> bool:
    if kind == "freeze":
        return at in ("begin", "committed")  # where it holds no locks that would stop the others with it
    return kind == "crash" or at in ("statement", "commit", "committed")


class Machine:
    """One incarnation of one process."""

    def __init__(
        self, name: str, troubles: Troubles, note: Callable[..., None], rest: Callable[[float], bool],
        heard: Callable[[set[str]], None], shelf: Shelf,
    ) -> None:  # fmt: skip
        self.doing = "nothing"
        self._role = name.partition(".")[0].partition("-")[0]
        self.name, self._troubles, self._note, self._rest, self.heard = name, troubles, note, rest, heard
        self.shelf = shelf
        self.dead = False
        self.at_death: Callable[[], None] = lambda: None

    def connect(self, dsn: str, **_: Any) -> MachineConnection:
        """A connection of this process, from those that are open anyway."""
        self.point("connect")
        connection = self.shelf.take(dsn)
        connection.machine, connection.news = self, set()
        return connection

    def point(self, at: str, connection: MachineConnection | None = None, about: str = "") -> None:
        """An input or output is about to happen (or, for `committed` and `answered`, just did)."""
        if self.dead:
            raise Killed(self.name)
        trouble = self._troubles.strikes(at, self._role, self.doing)
        if trouble is None:
            return
        if trouble.kind == "crash":
            self.die(at, about)
            raise Killed(self.name)
        if trouble.kind == "lose" and connection is not None:
            self._note(self.name, "loses database", at=at, about=about)
            self.shelf.cut(connection)
            if at == "committed":
                raise psycopg.OperationalError("the connection was lost while the commit was being answered")
        elif trouble.kind == "freeze" and self._rest(trouble.seconds):
            self._note(self.name, "froze", seconds=trouble.seconds, about=about)
            if self.dead:
                raise Killed(self.name)

    def die(self, at: str, about: str = "") -> None:
        self._note(self.name, "is killed", at=at, about=about)
        self.dead = True
        self.at_death()


class MachineCursor(psycopg.Cursor[Any]):
    """Every statement is a point."""

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        connection: Any = self.connection
        machine = connection.machine
        if machine is not None:
            if "pg_notify" in query:
                connection.news.update(str(params[-1]).split() if params else ())
            machine.point("statement", connection, query)
        return super().execute(query, params, **more)


class MachineConnection(psycopg.Connection[Any]):
    """A connection of a process that can die: before, at and after the commit."""

    machine: Machine | None = None
    news: set[str]
    home: Shelf
    set_up = doomed = False

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        if "plan_cache_mode" in query:  # the ledger's settings: once is enough for a connection that is kept
            if not self.set_up:
                machine, self.machine = self.machine, None  # no point of the schedule: the next one finds it done
                super().execute(query)
                super().execute("set plan_cache_mode to auto")  # sets are small here, and planning is half the time
                self.machine, self.set_up = machine, True
            return None
        return super().execute(query, params, **more)

    @contextmanager
    def transaction(self, savepoint_name: str | None = None, force_rollback: bool = False) -> Iterator[Any]:
        machine = self.machine
        if machine is None:
            with super().transaction(savepoint_name, force_rollback) as own:
                yield own
            return
        machine.point("begin", self)
        self.news = set()
        with super().transaction(savepoint_name, force_rollback) as own:
            yield own
            machine.point("commit", self)
        if self.news:
            machine.heard(self.news)
        machine.point("committed", self)

    def close(self) -> None:
        """Given back to the shelf for the next process, unless it is broken."""
        if self.machine is None or self.closed or self.broken or self.doomed:
            super().close()
            self.home.forget(self)
        else:
            self.machine = None
            self.home.keep(self)


class Shelf:
    """Open connections to one database, kept between processes and schedules, because opening one takes long."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._free: list[MachineConnection] = []
        self._out: list[MachineConnection] = []
        self._axe = psycopg.connect(dsn, autocommit=True)

    def take(self, dsn: str) -> MachineConnection:
        connection = self._free.pop() if self._free else self._open(dsn)
        self._out.append(connection)
        return connection

    def keep(self, connection: MachineConnection) -> None:
        if connection in self._out:
            self._out.remove(connection)
            self._free.append(connection)

    def forget(self, connection: MachineConnection) -> None:
        if connection in self._out:
            self._out.remove(connection)

    def cut(self, connection: MachineConnection) -> None:
        """The server ends this connection, whatever it was doing; it is never lent again."""
        connection.doomed = True
        self._axe.execute("select pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])

    def all_back(self) -> None:
        """After a schedule: what a dead process held is rolled back, as its end would have done."""
        for connection in list(self._out):
            connection.machine = None
            if not (connection.closed or connection.doomed) and connection.info.transaction_status:
                connection.rollback()
            if connection.closed or connection.broken or connection.doomed:
                psycopg.Connection.close(connection)
                self._out.remove(connection)
            else:
                self.keep(connection)

    def close(self) -> None:
        self.all_back()
        for connection in [*self._free, self._axe]:
            psycopg.Connection.close(connection)

    def _open(self, dsn: str) -> MachineConnection:
        made: Any = MachineConnection.connect(dsn, autocommit=True, cursor_factory=MachineCursor)
        made.home = self
        return made
