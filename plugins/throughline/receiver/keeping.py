"""Puts a message into the ledger before anybody is told that we have it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from throughline.errors import Transient

T = TypeVar("T")


class Books(Protocol):
    """An open transaction of the ledger, as far as the receiver needs it."""

    @property
    def inbox(self) -> Any:
        """The ledger's room for pushed messages."""
        ...


class Ledger(Protocol):
    """The ledger, as far as the receiver needs it."""

    def transaction(self) -> AbstractContextManager[Books]:
        """Leaving it commits; an error takes everything back."""
        ...


class Keeper:
    """Stores messages in threads, never more at once than the ledger has connections for, never longer than allowed."""

    def __init__(self, ledger: Ledger, *, seconds: float, threads: int = 8) -> None:
        self._ledger = ledger
        self._seconds = seconds
        self._free = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="inbox")

    async def keep(self, role: str, kind: str, message_id: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Store and commit; False when the same message was there already. `Transient` when it is not certain."""
        return bool(await self._within(lambda: self._store(role, kind, message_id, headers, body)))

    async def ready(self) -> bool:
        """Whether the ledger answers."""
        return bool(await self._within(self._look))

    async def do(self, work: Callable[[], T]) -> T:
        """Any other piece of work with the ledger, in a thread, within the same limits."""
        done: T = await self._within(work)
        return done

    def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _within(self, work: Callable[[], Any]) -> Any:
        if self._free <= 0:
            raise Transient("the ledger is too slow just now: every thread is waiting for it")
        self._free -= 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._give_back)
        try:
            return await asyncio.wait_for(asyncio.shield(future), self._seconds)
        except TimeoutError:
            raise Transient(f"the ledger did not answer within {self._seconds:g} s") from None

    def _give_back(self, future: asyncio.Future[bool]) -> None:
        self._free += 1
        if not future.cancelled():
            future.exception()  # whoever waited has heard it, or was told that time is over

    def _store(self, role: str, kind: str, message_id: str, headers: Mapping[str, str], body: bytes) -> bool:
        with self._ledger.transaction() as books:
            return bool(books.inbox.store(role, kind, message_id, headers, body))

    def _look(self) -> bool:
        with self._ledger.transaction() as books:
            books.inbox.has_unread()
        return True
