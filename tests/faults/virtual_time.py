"""An event loop whose time jumps to the next thing that happens: nobody waits, and the seed alone decides the order.

Work given to threads runs as greenlets on the same thread: it begins after a pause drawn from the seed and may rest
where it does input or output, so that several workers interleave there and nowhere else.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from random import Random
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet


class Stuck(Exception):
    """Everybody waits and nothing will ever happen."""


class _Leap(selectors.BaseSelector):
    """Watches no sockets: asked to wait, it moves the time instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, 0, None)

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        raise KeyError(fileobj)

    def get_map(self) -> Any:
        return {}

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Stuck
        if timeout > 0:
            self._loop.moment += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """One schedule's time, from 0 on, in seconds."""

    def __init__(self, rng: Random) -> None:
        self.moment = 0.0
        self._rng = rng
        super().__init__(_Leap(self))

    def time(self) -> float:
        return self.moment

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run it a moment later, in turns with everything else."""
        future = self.create_future()
        self.call_later(self._rng.random() * 0.02, greenlet(_work).switch, future, func, args)
        return future

    def rest(self, seconds: float) -> bool:
        """Let others go on for so long; only work in a thread can, the loop itself never rests."""
        own = getcurrent()
        if own.parent is None:
            return False
        self.call_later(seconds, own.switch)
        own.parent.switch()
        return True


def _work(future: asyncio.Future[Any], func: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        result = func(*args)
    except GreenletExit:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever ended it is told to who waits
        if not future.done():
            future.set_exception(error)
    else:
        if not future.done():
            future.set_result(result)
