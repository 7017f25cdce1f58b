"""Reading everything a system has of one kind (fence W3): takes in what was missed, finds what was deleted.

Memory holds one page. A reading that dies is taken up where it was, where the source can be read on from there. It
deletes only what it has seen to be gone, and never much at once:

- a reading that was cut short, or during which rows came and went, deletes nothing;
- an empty answer, or more missing than the system's brake allows, deletes nothing and asks a person;
- a record stored since the reading began stays;
- what is missing is asked for by its id, or must be missing in the next reading too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from throughline.connectors.contract import Captured, ReadsWhole, WholePage
from throughline.errors import Misconfigured
from throughline.ledger import Books, Ledger
from throughline.ledger.entries import AuditEntry
from throughline.ledger.missing import Comparison, GoneRecord
from throughline.ledger.snapshots import WholeReading
from throughline.process.surroundings import Connectors

ONE_QUESTION = 200
"""How many missing records are asked for at once."""


class Brake(Protocol):
    """From how many missing records on a person is asked."""

    @property
    def share(self) -> float:
        """More than this part of all known records."""
        ...

    @property
    def documents(self) -> int:
        """Fewer than so many never stop anything."""
        ...


@dataclass(frozen=True)
class SnapshotReport:
    """How a reading came out: `done`, `stopped` (a person is asked), `incomplete`, `taken_over` by another reader."""

    role: str
    document: str
    outcome: str
    read: int = 0
    stored: int = 0
    known: int = 0
    missing: int = 0
    deleted: int = 0
    reason: str = ""
    examples: tuple[str, ...] = ()


@dataclass
class Taken:
    """What one run has taken in so far; told to whoever watches after every page."""

    read: int = 0
    stored: int = 0
    total: int | None = None
    """how many the system says there are, where it does"""


Progress = Callable[[Taken], None]


@dataclass
class Snapshot:
    """One run of reading everything of one kind from one system."""

    ledger: Ledger
    connectors: Connectors
    role: str
    document: str
    brake: Brake
    run_id: str | None = None
    actor: str = "snapshot"
    progress: Progress = lambda _: None
    _taken: Taken = field(default_factory=Taken)

    async def take(self) -> SnapshotReport:
        """Read, compare, look again, and conclude."""
        async with self.connectors(self.role) as connector:
            if not isinstance(connector, ReadsWhole):
                raise Misconfigured(f"{self.role} cannot be read whole", where=f"system {self.role}")
            reading = await self._read(connector)
            if reading is None:
                return self._report("taken_over", reason="another reader goes on with this snapshot")
            reading, comparison, why = self._compare(reading)
            if why:
                return self._give_up(reading, comparison, why)
            if stop := _too_much(comparison, self.brake):
                return self._stop(reading, comparison, stop)
            there = await self._look_again(connector, reading)
        return self._conclude(reading, comparison, there)

    async def _read(self, connector: ReadsWhole) -> WholeReading | None:
        with self.ledger.transaction() as books:
            reading: WholeReading | None = books.snapshots.begin(self.role, self.document)
        assert reading is not None  # noqa: S101 - begun just now
        pages = cast("Any", connector.whole(self.document, reading.position))
        async with aclosing(pages):
            async for page in pages:
                reading = self._keep(reading, page)
                if reading is None:
                    return None
                self.progress(self._taken)
        return reading

    def _keep(self, reading: WholeReading, page: WholePage) -> WholeReading | None:
        """One page: its keys into the reading, what is new or different into the records."""
        with self.ledger.transaction() as books:
            moved = books.snapshots.take(reading, page.records, page.position, complete=page.complete)
            if moved is not None:
                wanted = books.snapshots.different(reading, page.records)
                stored = books.records.store(self.role, wanted, run_id=self.run_id)
                self._taken.read += len(page.records)
                self._taken.stored += sum(entry.new for entry in stored)
                self._taken.total = page.total
            return moved

    def _compare(self, reading: WholeReading) -> tuple[WholeReading, Comparison, str]:
        """What was read beside what is known, and why it cannot be believed, if so."""
        with self.ledger.transaction() as books:
            comparison = books.missing.compare(reading)
        total, why = self._taken.total, ""
        if not reading.complete:
            why = "rows came or went while the pages were read"
        elif total is not None and total != comparison.read:
            why = f"{self.role} says there are {total}, {comparison.read} were read"
        return reading, comparison, why

    def _give_up(self, reading: WholeReading, comparison: Comparison, why: str) -> SnapshotReport:
        report = self._report("incomplete", comparison, reason=f"{why}: nothing is deleted")
        with self.ledger.transaction() as books:
            self._end(books, reading, "incomplete", report)
        return report

    def _stop(self, reading: WholeReading, comparison: Comparison, reason: str) -> SnapshotReport:
        report = self._report("stopped", comparison, reason=reason)
        with self.ledger.transaction() as books:
            books.missing.remember(reading, held=True)
            books.missing.hold(
                reading, signature=f"MassDelete:{self.role}:{self.document}:",
                reason=f"{self.role}/{self.document}: {reason}; nothing was deleted",
                details={
                    "owner": self.role, "known": comparison.known, "read": comparison.read,
                    "missing": comparison.missing, "examples": list(comparison.examples), "snapshot": reading.id,
                    "replay": "marks these records as deleted, except those that were told of since",
                },
            )  # fmt: skip
            self._end(books, reading, "stopped", report)
        return report

    async def _look_again(self, connector: ReadsWhole, reading: WholeReading) -> tuple[list[str], list[Captured]]:
        """Ask for what is missing by its id: what is really gone, and what is there after all."""
        with self.ledger.transaction() as books:
            books.missing.remember(reading, held=False)
            suspects = books.missing.suspects(reading)
        gone: list[str] = []
        there: list[Captured] = []
        for first in range(0, len(suspects), ONE_QUESTION):
            asked = suspects[first : first + ONE_QUESTION]
            found = await connector.again(self.document, asked)
            if found is None:
                return [], []
            gone += [their_id for their_id in asked if their_id not in found]
            there += found.values()
        return gone, there

    def _conclude(
        self, reading: WholeReading, comparison: Comparison, seen: tuple[list[str], list[Captured]]
    ) -> SnapshotReport:
        gone, there = seen
        with self.ledger.transaction() as books:
            books.missing.found(reading, [record.their_id for record in there])
            stored = books.records.store(self.role, books.snapshots.different(reading, there), run_id=self.run_id)
            self._taken.stored += sum(entry.new for entry in stored)
            deleted = books.missing.delete(reading, gone, run_id=self.run_id)
            books.missing.settle(self.role, self.document)
            waiting = comparison.missing - len(deleted) - len(there)
            reason = f"{waiting} more are looked for in the next snapshot" if waiting > 0 else ""
            report = self._report("done", comparison, deleted=deleted, reason=reason)
            self._end(books, reading, "done", report)
        return report

    def _end(self, books: Books, reading: WholeReading, state: str, report: SnapshotReport) -> None:
        counts: dict[str, Any] = {
            "read": report.read, "stored": report.stored, "known": report.known, "missing": report.missing,
            "deleted": report.deleted, "reason": report.reason,
        }  # fmt: skip
        books.snapshots.end(reading, state, counts)
        if report.missing or state != "done":
            details = {**counts, "outcome": state, "examples": list(report.examples)}
            books.audit.append([AuditEntry(self.actor, "snapshot", f"{self.role}/{self.document}", None, details)])

    def _report(
        self, outcome: str, comparison: Comparison | None = None, *, reason: str = "",
        deleted: Sequence[GoneRecord] = (),
    ) -> SnapshotReport:  # fmt: skip
        found = comparison or Comparison(0, self._taken.read, 0)
        return SnapshotReport(
            self.role, self.document, outcome, found.read, self._taken.stored, found.known, found.missing,
            len(deleted), reason, found.examples,
        )  # fmt: skip


def _too_much(comparison: Comparison, brake: Brake) -> str:
    """Why a person must look before anything is deleted; nothing when it may go on."""
    if not comparison.missing:
        return ""
    if not comparison.read:
        return f"the answer was empty, and {comparison.known} are known"
    if comparison.missing >= brake.documents and comparison.missing > brake.share * comparison.known:
        share = 100 * comparison.missing / comparison.known
        return f"{comparison.missing} of {comparison.known} are missing ({share:.1f} %)"
    return ""
