"""From a system into the ledger: what changed there, with the mark up to which it was read, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any, cast

from throughline.connectors.contract import Captured
from throughline.errors import ThroughlineError
from throughline.ledger import Ledger
from throughline.ledger.entries import AuditEntry, Message
from throughline.process.reports import IntakeReport
from throughline.process.surroundings import Connectors, Inbound


async def capture(
    ledger: Ledger, connectors: Connectors, role: str, document: str, *,
    since: datetime | None = None, until: datetime | None = None, run_id: str | None = None,
) -> IntakeReport:  # fmt: skip
    """Read what changed since the watermark (or inside a window, which leaves the watermark alone) and keep it.

    Of two readings at the same time one moves the watermark; the other stops there and keeps nothing more, because a
    page it read earlier could lay an old content over a new one that no look would bring again.
    """
    windowed = since is not None or until is not None
    with ledger.transaction() as books:
        cursor: Mapping[str, Any] | None = None if windowed else books.watermarks.get(role, document)
    report = IntakeReport()
    async with connectors(role) as connector:
        async for page in connector.changes(document, cursor, since=since, until=until):
            with ledger.transaction() as books:
                if not windowed and not books.watermarks.move(role, document, cursor, page.cursor, run_id=run_id):
                    return report
                stored = books.records.store(role, page.records, run_id=run_id)
            cursor = page.cursor
            report += IntakeReport(told=len(stored), new=sum(entry.new for entry in stored))
    return report


def keep(ledger: Ledger, role: str, captured: list[Captured], *, run_id: str | None = None) -> IntakeReport:
    """Keep records somebody handed over, without a watermark."""
    with ledger.transaction() as books:
        stored = books.records.store(role, captured, run_id=run_id)
    return IntakeReport(told=len(stored), new=sum(entry.new for entry in stored))


def drain_inbox(ledger: Ledger, connectors: Connectors, role: str, *, limit: int = 500) -> IntakeReport:
    """Turn the messages a system pushed to us into records; one that cannot be read is marked and spares the others."""
    connector = connectors(role)
    inbound = cast("Inbound", getattr(connector, "inbound"))  # noqa: B009 - pushed systems have one, polled ones not
    report = IntakeReport()
    while True:
        with ledger.transaction() as books:
            messages = books.inbox.unread(role, limit)
            problems: dict[int, str] = {}
            captured = list(_parsed(inbound, messages, problems))
            stored = books.records.store(role, captured)
            books.inbox.read([message.message_row for message in messages], problems=problems)
            books.audit.append(_unreadable(messages, problems))
        report += IntakeReport(told=len(stored), new=sum(entry.new for entry in stored), parked=len(problems))
        if len(messages) < limit:
            return report


def _parsed(inbound: Inbound, messages: list[Message], problems: dict[int, str]) -> Iterator[Captured]:
    for kind, several in groupby(messages, key=lambda message: message.message_kind):
        for message in several:
            try:
                yield from inbound.parse(kind, bytes(message.body))
            except ThroughlineError as error:
                problems[message.message_row] = error.message
            except Exception as error:  # noqa: BLE001 - a message must never stop the ones behind it
                problems[message.message_row] = f"The message could not be read: {type(error).__name__}: {error}"


def _unreadable(messages: list[Message], problems: dict[int, str]) -> list[AuditEntry]:
    return [
        AuditEntry("inbox", "unreadable", f"{message.role} {message.message_kind} {message.message_id}",
                   details={"problem": problems[message.message_row]})
        for message in messages if message.message_row in problems
    ]  # fmt: skip
