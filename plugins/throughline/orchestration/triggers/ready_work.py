"""Wakes a flow when work is lying in the ledger that no sweep has taken: due retries, timers, replays, left-overs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from airflow.triggers.base import BaseEventTrigger, TriggerEvent

from throughline.orchestration.credentials import LEDGER
from throughline.orchestration.triggers.ledger_news import AUDIENCE, News, ledger_news


class ReadyWorkTrigger(BaseEventTrigger):  # type: ignore[misc]  # Airflow is not typed here
    """Says that a flow has work, again and again until it is taken.

    Fresh work is usually taken by the run that the captured document itself wakes, so it may lie for `settle` seconds
    before this watcher speaks, and is mentioned again every `again` seconds.
    """

    def __init__(self, *, flow: str, ledger_conn_id: str = LEDGER, settle: float = 1.5, again: float = 5.0) -> None:
        super().__init__()
        self.flow, self.ledger_conn_id, self.settle, self.again = flow, ledger_conn_id, settle, again

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What the triggerer needs to make this watcher again."""
        return f"{__name__}.ReadyWorkTrigger", {
            "flow": self.flow,
            "ledger_conn_id": self.ledger_conn_id,
            "settle": self.settle,
            "again": self.again,
        }

    def shared_stream_key(self) -> tuple[str, str]:
        """Watchers of the same ledger share one stream."""
        return "throughline ledger", self.ledger_conn_id

    @classmethod
    async def open_shared_stream(cls, kwargs: dict[str, Any]) -> AsyncIterator[News]:
        """The one stream: what is going on in the ledger."""
        async for news in ledger_news(kwargs.get("ledger_conn_id", LEDGER)):
            yield news

    async def filter_shared_stream(self, shared_stream: AsyncIterator[News]) -> AsyncIterator[TriggerEvent]:
        """The events of this flow."""
        lying = Lying(self.settle, self.again)
        with AUDIENCE.joined(self.flow):
            async for news in shared_stream:
                if lying.speaks(self.flow in news.flows):
                    yield TriggerEvent({"flow": self.flow})

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Without the shared stream: the same events from a connection of its own."""
        async for event in self.filter_shared_stream(ledger_news(self.ledger_conn_id)):
            yield event


class Lying:
    """How long something has been lying there, and whether it is time to mention it (again)."""

    def __init__(self, settle: float, again: float, now: Callable[[], float] = time.monotonic) -> None:
        self._settle, self._again, self._now = settle, again, now
        self._since: float | None = None
        self._told: float | None = None

    def speaks(self, there: bool) -> bool:
        """Note whether it lies there now; True when it should be mentioned."""
        if not there:
            self._since = self._told = None
            return False
        moment = self._now()
        self._since = moment if self._since is None else self._since
        if moment - self._since < self._settle or (self._told is not None and moment - self._told < self._again):
            return False
        self._told = moment
        return True
