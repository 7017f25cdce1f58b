"""The proxy itself: listens, hands each connection to its line, and can be asked and told over HTTP while it runs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from include.plant.fault_proxy.control import answer_control
from include.plant.fault_proxy.fault_plan import FaultPlan
from include.plant.fault_proxy.http_line import LOST, HttpLine
from include.plant.fault_proxy.raw_line import RawLine

HOST = "127.0.0.1"


@dataclass
class Line:
    """One system behind one port: `to` is its host and port, `listen` our own (0: any), `raw` when it is not HTTP.

    Seconds: `late_seconds` until a late request is passed on, `hold_seconds` at most until an unanswered client is let
    go, `drip_seconds` for a whole dripping answer.
    """

    to: tuple[str, int]
    plan: FaultPlan
    listen: int = 0
    name: str = ""
    raw: bool = False
    late_seconds: float = 5.0
    hold_seconds: float = 120.0
    drip_seconds: float = 2.0
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection to the system."""
        return await asyncio.open_connection(*self.to)

    def later(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Have this done after `late_seconds`, whoever is still there to hear of it."""

        async def wait() -> None:
            await asyncio.sleep(self.late_seconds)
            with suppress(OSError, *LOST):
                await work()

        task = asyncio.create_task(wait())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


class FaultProxy:
    """One or several lines in one event loop, with one port to control them."""

    def __init__(self, lines: Sequence[Line], *, control: int | None = None) -> None:
        self.lines = list(lines)
        self.control = control
        self._servers: list[asyncio.Server] = []

    async def start(self) -> None:
        """Listen; ports that were 0 are known afterwards."""
        for line in self.lines:
            server = await asyncio.start_server(_attending(line), HOST, line.listen, limit=1 << 20)
            line.listen = server.sockets[0].getsockname()[1]
            self._servers.append(server)
        if self.control is not None:
            server = await asyncio.start_server(self._steer, HOST, self.control)
            self.control = server.sockets[0].getsockname()[1]
            self._servers.append(server)

    async def stop(self) -> None:
        """Stop listening; what was to be passed on late is passed on no more."""
        for server in self._servers:
            server.close()
        for line in self.lines:
            for task in list(line.tasks):
                task.cancel()

    def still_to_come(self) -> int:
        """How many requests will yet be passed on although their client has gone."""
        return sum(len(line.tasks) for line in self.lines)

    async def _steer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(*LOST):
            await answer_control({line.name: line.plan for line in self.lines}, reader, writer)
        writer.close()


def _attending(line: Line) -> Any:
    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served = RawLine(line, reader, writer) if line.raw else HttpLine(line, reader, writer)
        try:
            with suppress(OSError, *LOST):
                await served.serve()
        finally:
            writer.close()

    return attend


async def serve_proxies(proxy: FaultProxy) -> None:
    """Listen until ended."""
    await proxy.start()
    await asyncio.Event().wait()


@contextmanager
def running_proxy(*lines: Line, control: int | None = None) -> Iterator[FaultProxy]:
    """A proxy in a thread of its own, for as long as the block lasts."""
    proxy, loop = FaultProxy(lines, control=control), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fault proxy", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(proxy.start(), loop).result(10)
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
