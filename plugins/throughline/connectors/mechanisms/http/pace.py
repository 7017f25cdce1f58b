"""How fast we may call one system: so many at once, and so many in a stretch of time."""

from __future__ import annotations

import asyncio

from aiolimiter import AsyncLimiter

from throughline.connectors.mechanisms.http.profile import Limits, Rate


def limiter(rate: Rate) -> AsyncLimiter:
    """A limiter that keeps the rate in every window: a quarter may go at once, the rest flows evenly."""
    burst = max(1, rate.calls // 4)
    if burst == rate.calls:
        return AsyncLimiter(1, rate.seconds / rate.calls)
    return AsyncLimiter(burst, burst * rate.seconds / (rate.calls - burst))


class Pace:
    """Hands out turns to call."""

    def __init__(self, limits: Limits) -> None:
        self._slots = asyncio.Semaphore(limits.concurrency)
        self._rate = limits.rate
        self._limiters: dict[str, AsyncLimiter] = {}

    def turn(self, path: str) -> _Turn:
        """A turn to call this path; waits until one is free."""
        return _Turn(self._slots, self._limiter(path))

    def _limiter(self, path: str) -> AsyncLimiter | None:
        if self._rate is None:
            return None
        key = path if self._rate.per == "path" else ""
        found = self._limiters.get(key)
        if found is None:
            found = self._limiters[key] = limiter(self._rate)
        return found


class _Turn:
    __slots__ = ("_limiter", "_slots")

    def __init__(self, slots: asyncio.Semaphore, limit: AsyncLimiter | None) -> None:
        self._slots = slots
        self._limiter = limit

    async def __aenter__(self) -> None:
        if self._limiter is not None:
            await self._limiter.acquire()
        await self._slots.acquire()

    async def __aexit__(self, *exc: object) -> None:
        self._slots.release()
