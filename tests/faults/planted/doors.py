"""Bugs at the door for what systems send us, and in the inbox behind it."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.faults.planted.planting import Bug, Swap, bug
from throughline.errors import Invalid
from throughline.ledger.inbox import Inbox
from throughline.process import capturing
from throughline.process.reports import IntakeReport
from throughline.receiver.keeping import Keeper


@bug("a callback is answered with 2xx, and stored a moment later")
def answered_before_it_is_stored() -> list[Swap]:
    original = Keeper.keep

    async def keep(self: Any, *message: Any) -> bool:
        async def afterwards() -> None:
            await asyncio.sleep(0.3)
            await original(self, *message)

        self._later = [*getattr(self, "_later", []), asyncio.ensure_future(afterwards())]
        return True

    return [(Keeper, "keep", keep)]


@bug("a message's id is remembered before the message is committed")
def cache_ahead_of_the_commit() -> list[Swap]:
    original = Keeper._store

    def store(self: Any, role: str, kind: str, message_id: str, headers: Any, body: bytes) -> bool:
        seen = _SEEN.setdefault(id(self._ledger), set())
        if message_id in seen:
            return False
        seen.add(message_id)
        return original(self, role, kind, message_id, headers, body)

    _SEEN.clear()
    return [(Keeper, "_store", store)]


_SEEN: dict[int, set[str]] = {}


@bug("a message is marked read before what it says is kept")
def acknowledged_before_the_commit() -> list[Swap]:
    def drain(ledger: Any, connectors: Any, role: str, *, limit: int = 500) -> IntakeReport:
        inbound = connectors(role).inbound
        with ledger.transaction() as books:
            messages = books.inbox.unread(role, limit)
            books.inbox.read([message.message_row for message in messages])
        with ledger.transaction() as books:
            problems: dict[int, str] = {}
            stored = books.records.store(role, list(capturing._parsed(inbound, messages, problems)))
        return IntakeReport(told=len(stored), new=sum(entry.new for entry in stored))

    return [(capturing, "drain_inbox", drain)]


@bug("a callback that came before is refused instead of accepted, so it comes for ever")
def repeated_callback_refused() -> list[Swap]:
    original = Inbox.store

    def store(self: Any, *message: Any) -> bool:
        if not original(self, *message):
            raise Invalid("we have this already")
        return True

    return [(Inbox, "store", store)]


@bug("two messages about the same document are taken for one")
def message_known_by_its_number() -> list[Swap]:
    from throughline.connectors.products.flux import inbound

    original = inbound.identify

    def identify(headers: Any, body: bytes, query: Any) -> tuple[str, str]:
        kind, name = original(headers, body, query)
        return kind, ":".join(name.split(":")[:2])

    return [(inbound, "identify", identify)]


@bug("whatever goes wrong while storing, the sender hears that we have it")
def failure_answered_as_success() -> list[Swap]:
    original = Keeper.keep

    async def keep(self: Any, *message: Any) -> bool:
        try:
            return await original(self, *message)
        except Exception as error:  # noqa: BLE001 - that is the bug
            del error
            return True

    return [(Keeper, "keep", keep)]


BUGS: list[Bug] = [
    answered_before_it_is_stored, cache_ahead_of_the_commit, acknowledged_before_the_commit, repeated_callback_refused,
    message_known_by_its_number, failure_answered_as_success,
]  # fmt: skip
