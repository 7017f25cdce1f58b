"""When to speak up: a watcher repeats itself until the ledger has caught up, but not with every look.

An asset event in Airflow 3.3.2 is only a wake-up (several may become one run, and one may be lost), so the truth is
asked again and again: level-triggered, never edge-triggered.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import AbstractAsyncContextManager

from throughline.errors import ThroughlineError

log = logging.getLogger(__name__)

Look = Callable[[], Awaitable[frozenset[Hashable]]]
"""Asks once; what comes back names everything that is still to be done, and is empty when all is done."""
Sleep = Callable[[float], Awaitable[None]]
LONGEST_PAUSE = 15.0
"""Seconds between two attempts at something that stays away."""


async def announce(
    look: Look, *, every: float, again: float, sleep: Sleep = asyncio.sleep, now: Callable[[], float] = time.monotonic
) -> AsyncIterator[frozenset[Hashable]]:
    """Yield what is to be done as soon as there is something new in it, and every `again` seconds while it stays.

    Args:
        look: asks the source or the ledger once.
        every: seconds between two looks.
        again: seconds after which the same thing is said once more.
        sleep: waits (passed in so that a test needs no time).
        now: a clock that only goes forward.
    """
    told: frozenset[Hashable] = frozenset()
    told_at = now()
    while True:
        found = await look()
        if found - told or (found and now() - told_at >= again):
            told, told_at = found, now()
            yield found
        told &= found
        await sleep(every)


async def announce_through_failures(
    open_look: Callable[[], AbstractAsyncContextManager[Look]], *, every: float, again: float,
    sleep: Sleep = asyncio.sleep, now: Callable[[], float] = time.monotonic, chance: random.Random | None = None,
) -> AsyncIterator[frozenset[Hashable]]:  # fmt: skip
    """The same, over something that may be away: it is opened afresh after pauses that grow."""
    chance = chance or random.Random()  # noqa: S311 - spreads the load of many watchers, guards nothing
    failures, opened_at = 0, now()
    while True:
        try:
            async with open_look() as look:
                opened_at = now()
                async for found in announce(look, every=every, again=again, sleep=sleep, now=now):
                    yield found
        except Exception as error:  # noqa: BLE001 - a watcher that dies is missed by nobody, so it never does
            failures = 1 if now() - opened_at > 2 * LONGEST_PAUSE else failures + 1
            pause = min(LONGEST_PAUSE, every * 2**failures) * chance.uniform(0.5, 1.0)
            log.warning("%s; looking again in %.0f s", _said(error), pause)
            await sleep(pause)


def _said(error: Exception) -> str:
    """Our own errors are sentences; of others the kind matters too."""
    return str(error) if isinstance(error, ThroughlineError) else f"{type(error).__name__}: {error}"
