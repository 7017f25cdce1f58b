"""One client's connection that is not HTTP, over a bad line: bytes both ways, and one fault for the whole of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from include.plant.fault_proxy.http_line import LOST, abort

if TYPE_CHECKING:
    from include.plant.fault_proxy.proxy import Line

_COMPLETE = b"\r\n.\r\n"
"""Where SMTP's DATA ends."""


class RawLine:
    """Carries bytes between a client and the system until one of them goes or the fault strikes."""

    def __init__(self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._line, self._reader, self._writer = line, reader, writer
        self._fault = line.plan.choose("CONNECT")
        self._complete = False
        self._said = b""

    async def serve(self) -> None:
        """Until it is over."""
        passed = 0
        try:
            passed = await self._serve()
        finally:
            self._line.plan.note("CONNECT", "", self._fault, passed, None)

    async def _serve(self) -> int:
        if self._fault == "reset":
            abort(self._writer)
            return 0
        if self._fault == "drop_request":
            with suppress(*LOST):
                async with asyncio.timeout(self._line.hold_seconds):
                    while await self._reader.read(65536):
                        pass
            return 0
        theirs, to_them = await self._line.connect()
        ways = [asyncio.ensure_future(self._out(to_them)), asyncio.ensure_future(self._back(theirs))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_them.close()
        return int(self._complete)

    async def _out(self, to_them: asyncio.StreamWriter) -> None:
        with suppress(*LOST):
            while data := await self._reader.read(65536):
                self._said = self._said[-len(_COMPLETE) :] + data
                end = _COMPLETE in self._said
                if end and self._fault == "cut_request":
                    return
                self._complete = self._complete or end
                to_them.write(data)
                await to_them.drain()

    async def _back(self, theirs: asyncio.StreamReader) -> None:
        with suppress(*LOST):
            while data := await theirs.read(65536):
                if self._fault == "cut_answer":
                    self._writer.write(data[:2])
                    await self._writer.drain()
                    return
                if self._fault == "drop_answer" and self._complete:
                    return
                await self._pass_back(data)

    async def _pass_back(self, data: bytes) -> None:
        step = max(1, len(data) // 5) if self._fault == "drip" else len(data)
        for start in range(0, len(data), step):
            self._writer.write(data[start : start + step])
            await self._writer.drain()
            if step < len(data):
                await asyncio.sleep(self._line.drip_seconds / 5)
