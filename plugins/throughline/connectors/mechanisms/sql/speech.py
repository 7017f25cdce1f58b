"""What every dialect must be able to do for the connector, and how far a source was read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from throughline.connectors.mechanisms.sql.dialects import Dialect

if TYPE_CHECKING:
    from throughline.connectors.contract import Connection
    from throughline.connectors.mechanisms.sql.profile import Lines, SqlLimits, SqlObject, SqlProfile

Row = dict[str, Any]
PositionOf = Callable[[Any], int | None]
"""From what stands in the column of `changes` to its place in the source's own order; None where it has none."""


@dataclass(frozen=True)
class Horizon:
    """How far a source can be trusted just now.

    `source` names the database: positions of another mean nothing. Everything below `bound` is over: committed and
    visible, or gone. Nothing from `following` on was given out yet.
    """

    source: str
    bound: int
    following: int


@dataclass(frozen=True)
class Reached:
    """How far changes were read: everything below `position`, and of it the rows up to the key `after`.

    `first`: the very first look is still under way.
    """

    position: int
    after: Sequence[Any] | None = None
    first: bool = False


class Statements(Protocol):
    """The statements of one kind of document; what they are is between them and the `Moment` that carries them out."""

    watches_lines: bool

    def changed(self, reached: Reached | None, horizon: Horizon) -> Any:
        """Rows written since, below the bound, oldest first where the order can be kept."""
        ...

    def everything(self, after: Sequence[Any] | None) -> Any:
        """All rows by their key, or those behind a key."""
        ...

    def these(self, their_ids: Sequence[str]) -> Any:
        """The rows with these ids."""
        ...

    def inside(self, since: Any, until: Any) -> Any:
        """Rows changed inside a window; all rows where the source does not say when they changed."""
        ...

    def nothing(self) -> Any:
        """The query without a row: whether its tables and columns are there for us."""
        ...

    def lines(self, declared: Lines, parents: Sequence[Any]) -> Any:
        """The lines of these headers in their declared order."""
        ...


class Moment(Protocol):
    """One look at the source."""

    async def horizon(self) -> Horizon:
        """How far the source can be trusted; asked before any row."""
        ...

    async def rows(self, asked: Any) -> list[Row]:
        """All rows of an answer that is known to be short."""
        ...

    def pages(self, asked: Any) -> AsyncGenerator[list[Row], None]:
        """The rows of a long answer, so many at a time."""
        ...


class Source(Protocol):
    """The way to one database."""

    def moment(self) -> AbstractAsyncContextManager[Moment]:
        """One look, with connections that are kept for the next."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


class Speech(Protocol):
    """A dialect: its statements, its sessions, and how its positions are written in a cursor."""

    position: str
    """the name of a position in a stored cursor"""

    def written(self, position: int) -> str:
        """A position as the cursor keeps it."""
        ...

    def read(self, told: Any) -> int:
        """A position from a cursor; ValueError or TypeError when it is none."""
        ...

    def position_of(self, kind: str, horizon: Horizon) -> PositionOf:
        """How the column of `changes` is understood."""
        ...

    def statements(self, declared: SqlObject) -> Statements:
        """The statements of one kind of document."""
        ...

    def source(self, role: str, connection: Connection, limits: SqlLimits) -> Source:
        """The way to a database."""
        ...


def speech_of(profile: SqlProfile) -> Speech:
    """The dialect a profile names; only its own driver is loaded."""
    if profile.spoken is Dialect.SQLSERVER:
        from throughline.connectors.mechanisms.sql.sqlserver.speech import SqlServerSpeech

        return SqlServerSpeech(profile.zone)
    from throughline.connectors.mechanisms.sql.postgresql.speech import PostgresSpeech

    return PostgresSpeech()
