"""FLUX tells the hub: signed, again and again with growing pauses until the hub says that it has it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import httpx

from include.plant.emulators.fault_rules import CALLBACK_KINDS, FaultRules
from include.plant.emulators.flux_lines import local_time
from include.plant.emulators.flux_signature import sign
from include.plant.emulators.outbox import Message, Outbox
from include.plant.emulators.settings import Settings

_IDLE_SECONDS = 0.05


class CallbackSender:
    """Sends what waits in the outbox, a few at a time, in no promised order."""

    def __init__(self, settings: Settings, outbox: Outbox, faults: FaultRules) -> None:
        self._settings, self._outbox, self._faults = settings, outbox, faults

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send in the background for as long as the server runs."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            while True:
                messages = self._outbox.due(self._settings.callback_parallel) if self._settings.callback else []
                if messages:
                    await asyncio.gather(*(self._tell(client, message) for message in messages))
                else:
                    await asyncio.sleep(_IDLE_SECONDS)

    async def _tell(self, client: httpx.AsyncClient, message: Message) -> None:
        path = httpx.URL(self._settings.callback).path
        rule = self._faults.take(path, message.method, message.data.encode(), CALLBACK_KINDS)
        kind = rule.kind if rule else ""
        secret = f"not {self._settings.secret}" if kind == "bad_signature_callback" else self._settings.secret
        data = message.data[: len(message.data) // 2] if kind == "malformed_callback" else message.data
        taken, answer = await self._post(client, self._form(message.method, data, secret))
        if rule and kind == "duplicate_callback" and taken:
            for _ in range(rule.copies):
                await self._post(client, self._form(message.method, data, secret))
        # a spoiled message is never taken for told: the good one follows, whatever the hub answered
        if taken and kind in ("", "duplicate_callback"):
            self._outbox.accepted(message)
        else:
            self._outbox.postpone(message, self._pause(message.attempts), answer)

    def _pause(self, attempts: int) -> float:
        return min(self._settings.retry_max_seconds, self._settings.retry_first_seconds * float(2 ** min(attempts, 20)))

    def _form(self, method: str, data: str, secret: str) -> dict[str, str]:
        mine = self._settings
        return {
            "method": method, "client_customerid": mine.customer_id, "client_db": mine.client_db,
            "messageid": "ASNC" if method == "confirmASNData" else "SOC", "apptoken": mine.apptoken,
            "appkey": mine.login, "timestamp": local_time(int(datetime.now(UTC).timestamp() * 1000)),
            "sign": sign(secret, data), "format": "json", "data": data,
        }  # fmt: skip

    async def _post(self, client: httpx.AsyncClient, form: dict[str, str]) -> tuple[bool, str]:
        try:
            response = await client.post(self._settings.callback, data=form, timeout=self._settings.callback_timeout)
            return _is_ok(response.json), response.text
        except httpx.HTTPError as failure:
            return False, f"{type(failure).__name__}: {failure}"


def _is_ok(told: Callable[[], Any]) -> bool:
    """Only the envelope with flag 1 counts; a page, an empty answer or flag 0 means: not taken."""
    try:
        return str(told()["Response"]["return"]["returnFlag"]) == "1"
    except (ValueError, KeyError, TypeError):
        return False
