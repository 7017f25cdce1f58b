"""Bugs in reading what changed.

Not here: an empty page taken for "everything is deleted" (the brake on deletes at intake asks a person whoever says it;
the unit tests of snapshots and deletes hold that).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.faults.planted.planting import Bug, Swap, bug
from throughline.connectors.mechanisms.http import compiled, cursors
from throughline.ledger import capturing as contents
from throughline.ledger.exact_json import content_hash
from throughline.process import capturing
from throughline.process.reports import IntakeReport


@bug("the cursor moves to the moment of the question, whatever was read")
def naive_cursor() -> list[Swap]:
    def finished(window: cursors.Window) -> dict[str, str]:
        return {"at": window.now.isoformat(), "deep": window.now.isoformat()}

    def no_look_back(declared: Any, deep: Any, now: Any) -> Any:
        return timedelta(0), now

    return [(cursors.Window, "finished", finished), (cursors, "_look_back", no_look_back)]


@bug("nothing behind the cursor is ever read again")
def overlap_zero() -> list[Swap]:
    return [(cursors, "_look_back", lambda declared, deep, now: (timedelta(0), now))]


@bug("the deep look back counts as taken although it failed half way")
def look_back_counts_before_it_is_taken() -> list[Swap]:
    def shallow(declared: Any, deep: Any, now: Any) -> Any:
        return timedelta(seconds=declared.overlap.between), now

    return [(cursors, "_look_back", shallow)]


@bug("records of the same moment are not asked for after a full page")
def ties_forgotten() -> list[Swap]:
    original = compiled.Compiler._pager

    def pager(self: Any, declared: Any, paging: Any, restamp: Any = None) -> Any:
        return original(self, declared, paging.model_copy(update={"ties": None}), restamp)

    return [(compiled.Compiler, "_pager", pager)]


@bug("the watermark is committed before the records it covers, and nothing behind it is read again")
def watermark_before_its_records() -> list[Swap]:
    """Without the overlap: its deep look back would read again what was lost, which is what it is there for."""

    async def capture(ledger: Any, connectors: Any, role: str, document: str, **_: Any) -> IntakeReport:
        with ledger.transaction() as books:
            cursor = books.watermarks.get(role, document)
        report = IntakeReport()
        async with connectors(role) as connector:
            async for page in connector.changes(document, cursor):
                with ledger.transaction() as books:
                    books.watermarks.move(role, document, cursor, page.cursor)
                with ledger.transaction() as books:
                    stored = books.records.store(role, page.records)
                cursor = page.cursor
                report += IntakeReport(told=len(stored), new=sum(entry.new for entry in stored))
        return report

    return [(capturing, "capture", capture), *naive_cursor.swaps()]


@bug("an older content told late overwrites the newer one")
def late_revision_overwrites() -> list[Swap]:
    return [(contents, "_late", lambda state, entry: False)]


@bug("the fingerprint of a content leaves out one of its fields")
def content_hash_ignores_a_field() -> list[Swap]:
    def blind(value: Any) -> str:
        kept = {k: v for k, v in value.items() if k not in ("wanted", "version", "changed")}
        return content_hash(kept if isinstance(value, Mapping) else value)

    return [(contents, "content_hash", blind)]


@bug("only the first page of an answer is read")
def only_the_first_page() -> list[Swap]:
    original = compiled.Poller.changes

    async def changes(self: Any, *asked: Any) -> Any:
        async for page in original(self, *asked):
            yield page
            return

    return [(compiled.Poller, "changes", changes)]


@bug("a page that fails is passed over and the cursor goes on")
def failed_page_passed_over() -> list[Swap]:
    original = capturing.capture

    async def capture(ledger: Any, connectors: Any, role: str, document: str, **more: Any) -> IntakeReport:
        try:
            return await original(ledger, connectors, role, document, **more)
        except Exception as error:  # noqa: BLE001 - that is the bug
            del error
            moved = {"at": ledger._clock().isoformat(), "deep": ledger._clock().isoformat()}
            with ledger.transaction() as books:
                books.watermarks.move(role, document, books.watermarks.get(role, document), moved)
            return IntakeReport()

    return [(capturing, "capture", capture)]


BUGS: list[Bug] = [
    naive_cursor, overlap_zero, look_back_counts_before_it_is_taken, ties_forgotten, watermark_before_its_records,
    late_revision_overwrites, content_hash_ignores_a_field, only_the_first_page,
    failed_page_passed_over,
]  # fmt: skip
