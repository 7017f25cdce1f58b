"""What is going on in the ledger, asked once for all watchers of the triggerer: by NOTIFY at once, by the clock anyway.

All triggers over the same ledger share one stream (Airflow 3.3's shared streams), so three hundred flows cost one
listening connection and one question a second.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from throughline.orchestration import credentials

if TYPE_CHECKING:
    import psycopg

    from throughline.ledger import Ledger

log = logging.getLogger(__name__)
EVERY = 1.0
"""Seconds between two questions when nobody notifies."""
BREATH = 0.2
LONGEST_PAUSE = 30.0


@dataclass(frozen=True)
class News:
    """The flows that have work lying in the ledger now."""

    flows: frozenset[str] = frozenset()


class Audience:
    """Which flows somebody in this process wants to know about."""

    def __init__(self) -> None:
        self._flows: Counter[str] = Counter()

    @contextmanager
    def joined(self, flow: str) -> Iterator[None]:
        """Be asked for while the block lasts."""
        self._flows[flow] += 1
        try:
            yield
        finally:
            self._flows[flow] -= 1

    @property
    def flows(self) -> list[str]:
        """Everybody's flows, each once."""
        return list(+self._flows)


AUDIENCE = Audience()


def ask(ledger: Ledger, flows: list[str]) -> News:
    """One question for everybody."""
    with ledger.transaction() as books:
        return News(frozenset(books.steps.work_waits(flows)))


async def ledger_news(
    connection_name: str, *, every: float = EVERY, open_ledger: Callable[[str], Ledger] | None = None
) -> AsyncIterator[News]:
    """News after each notification, and every second in any case; goes on by itself when the database was away."""
    failures = 0
    while True:
        try:
            dsn = credentials.dsn_of(await credentials.afind(connection_name))
            async for news in _listened(dsn, every, open_ledger):
                failures = 0
                yield news
        except Exception as error:  # noqa: BLE001 - a watcher that dies is missed by nobody, so it never does
            failures += 1
            pause = min(LONGEST_PAUSE, every * 2**failures) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
            log.warning("the ledger cannot be watched just now (%s), again in %.0f s", type(error).__name__, pause)
            await asyncio.sleep(pause)


async def _listened(dsn: str, every: float, open_ledger: Callable[[str], Ledger] | None = None) -> AsyncIterator[News]:
    import psycopg  # heavy, like the rest: only the triggerer needs it

    from throughline.ledger import CHANNEL
    from throughline.orchestration.composition import ledger_at

    ledger = (open_ledger or ledger_at)(dsn)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as listener:
        await listener.execute(f"listen {CHANNEL}".encode())
        while True:
            yield await asyncio.to_thread(ask, ledger, AUDIENCE.flows)
            await _next_notification(listener, every)
            await asyncio.sleep(BREATH)  # many commits in a row are one piece of news


async def _next_notification(listener: psycopg.AsyncConnection[Any], every: float) -> None:
    """Wait for a notification, at most so long; those that came together are heard together."""
    async with aclosing(listener.notifies(timeout=every, stop_after=1)) as heard:
        async for _ in heard:
            return
