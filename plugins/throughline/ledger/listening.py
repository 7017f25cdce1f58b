"""Hear from the ledger at once when there is work, instead of asking all the time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import psycopg

from throughline.errors import Transient
from throughline.ledger.session import CHANNEL


async def heard(dsn: str, *, every: float) -> AsyncIterator[str]:
    """What became ready (`inbox`, `versions`, `work`), at each commit; an empty word first and after each silence.

    It is a hint, never the truth: ask the ledger after each word, and after every `every` seconds of silence.
    """
    try:
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True, connect_timeout=10) as listener:
            await listener.execute(f"listen {CHANNEL}")
            yield ""
            while True:
                word = ""
                async with aclosing(listener.notifies(timeout=every, stop_after=1)) as notices:
                    async for notice in notices:
                        word = notice.payload
                yield word
    except (psycopg.OperationalError, psycopg.InterfaceError) as problem:
        raise Transient("The ledger cannot be listened to just now; it is tried again.", system="ledger") from problem
