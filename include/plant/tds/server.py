"""The door itself: listens on this machine, lays the store's own tables, serves each client until it goes."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg

from include.plant.tds.session import Door, Session

STORE = Path(__file__).parent / "store.sql"
U8 = Path(__file__).parent / "u8.sql"
_NAMED = "insert into sys.databases values (%s, 5, gen_random_uuid(), localtimestamp)"


def lay(dsn: str, name: str, *tables: Path) -> None:
    """Make an empty PostgreSQL database fit to stand behind the door under this name, with these tables in it."""
    with psycopg.connect(dsn) as owner:
        for path in (STORE, *tables):
            owner.execute(path.read_bytes())
        owner.execute(_NAMED, [name])


async def serve(door: Door, port: int, ready: threading.Event | None = None) -> None:
    """Listen on 127.0.0.1 until cancelled."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, psycopg.OperationalError, asyncio.CancelledError):
            await Session(door, reader, writer).serve()
        writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", port)
    if ready is not None:
        ready.set()
    async with server:
        await server.serve_forever()


@contextlib.contextmanager
def running(door: Door, port: int) -> Iterator[None]:
    """The door in a thread of its own, with a loop of its own."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    task = loop.create_task(serve(door, port, ready))

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)
        while left := asyncio.all_tasks(loop):
            for each in left:
                each.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=run, name="tds-door", daemon=True)
    thread.start()
    try:
        if not ready.wait(30):
            raise RuntimeError("the door did not open")
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(30)
