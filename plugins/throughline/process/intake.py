"""From a stored record to processes that go on: translate, name, start, correlate, advance.

One transaction per batch does all of it, so a record is never translated without its consequences. What cannot be
translated is parked by itself; what names something unknown waits for it; what only a broken file stops is tried again
by itself; their neighbours go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby

from throughline.canonical import LATTICES
from throughline.errors import Invalid, Misconfigured, ThroughlineError, Unknown
from throughline.ledger import Books, Ledger
from throughline.ledger.entries import AuditEntry, Failure, PendingVersion, Translated, Translation, Waiting
from throughline.process.applying import advance_processes
from throughline.process.backoff import FIRST_PAUSE
from throughline.process.correlation import News, correlate
from throughline.process.definition import Flow
from throughline.process.deletions import in_turn, sort_out
from throughline.process.loading import Loader
from throughline.process.papers import Papers
from throughline.process.reports import IntakeReport
from throughline.process.surroundings import Reading, Words

Read = tuple[PendingVersion, Reading | ThroughlineError]


class Intake:
    """Works off what was captured and not yet understood."""

    def __init__(
        self, ledger: Ledger, words: Words, flows: Mapping[str, Flow], papers: Papers, *, actor: str
    ) -> None:  # fmt: skip
        self._ledger, self._words, self._flows, self._actor = ledger, words, flows, actor
        self._loader = Loader(flows, papers)

    def work(self, role: str | None = None, *, limit: int = 200) -> IntakeReport:
        """Translate and follow up everything that waits, batch by batch."""
        report = IntakeReport()
        while True:
            with self._ledger.transaction() as books:
                pending = books.records.pending(role, limit)
                report += self._batch(books, pending)
            if not pending:
                return report

    def _batch(self, books: Books, pending: Sequence[PendingVersion]) -> IntakeReport:
        read, registered = self._look_twice(books, self._read(in_turn(pending)))
        read, let_go = sort_out(books, read, self._actor)
        understood = [(version, reading) for version, reading in read if isinstance(reading, Reading)]
        kept, late = self._without_late(books, understood)
        conflicts = self._register(books, kept)
        kept = [(version, reading) for version, reading in kept if version.version_id not in conflicts]
        failures = self._put_aside(books, read, registered) + len(conflicts)
        told = books.records.translated([
            *(self._translation(version, reading) for version, reading in kept),
            *(Translation(version.version_id, reading.canonical_id, None) for version, reading in late),
        ])  # fmt: skip
        started, advanced = self._follow_up(books, kept, told, let_go)
        return IntakeReport(
            translated=len(kept), waiting=sum(isinstance(r, Unknown) for _, r in read), parked=failures,
            ignored=len(late), started=started, advanced=advanced,
            held=sum(isinstance(reading, Misconfigured) for _, reading in read),
        )  # fmt: skip

    def _read(self, pending: Sequence[PendingVersion]) -> list[Read]:
        read: list[Read] = []
        by_kind = sorted(pending, key=lambda version: (version.role, version.document, version.version_id))
        for (role, document), several in groupby(by_kind, key=lambda version: (version.role, version.document)):
            read += self._read_kind(role, document, list(several))
        return sorted(read, key=lambda entry: entry[0].version_id)

    def _read_kind(self, role: str, document: str, versions: list[PendingVersion]) -> list[Read]:
        """All at once; if something unforeseen breaks that, one by one, so that only the culprit is parked."""
        try:
            return list(zip(versions, self._words.read(role, document, [v.raw for v in versions]), strict=True))
        except ThroughlineError as error:
            return [(version, error) for version in versions]
        except Exception as error:  # noqa: BLE001 - poison must not stop the stream
            if len(versions) == 1:
                said = f"This {document} of {role} cannot be read: {type(error).__name__}: {error}"
                return [(versions[0], Invalid(said, system=role, code=type(error).__name__))]
            return [entry for version in versions for entry in self._read_kind(role, document, [version])]

    def _without_late(
        self, books: Books, understood: list[tuple[PendingVersion, Reading]]
    ) -> tuple[list[tuple[PendingVersion, Reading]], list[tuple[PendingVersion, Reading]]]:
        """Set news apart that would move a document backwards: it is kept, noted, and changes nothing."""
        ids = [reading.canonical_id for _, reading in understood]
        current = {(entry.canonical_id, entry.role): entry for entry in books.records.current(ids)}
        standing = {place: str(entry.canonical.get("status")) for place, entry in current.items()}
        on, late = [], []
        for version, reading in understood:
            place = (reading.canonical_id, version.role)
            if _moves_back(reading, standing.get(place)):
                late.append((version, reading))
                details = {"status": reading.document.status, "stands": standing[place], "system": version.role}
                books.audit.append([AuditEntry(self._actor, "ignored late status", place[0], None, details)])
            else:
                on.append((version, reading))
                standing[place] = reading.document.status
        return on, late

    def _register(self, books: Books, kept: Sequence[tuple[PendingVersion, Reading]]) -> set[int]:
        """Write down who is who; a record whose id means something else already is parked."""
        identities = [identity for _, reading in kept for identity in reading.identities]
        conflicts = {conflict.identity: conflict for conflict in books.identities.register(identities)}
        failures = []
        for version, reading in kept:
            for identity in reading.identities:
                if identity in conflicts:
                    said = f"{identity.kind} {identity.their_id} of {identity.role} is already registered as " + (
                        f"{conflicts[identity].registered_as}, and cannot also be {identity.canonical_id}"
                    )
                    failures.append(_failure(version, Invalid(said, system=version.role, code="identity")))
                    break
        if failures:
            books.records.failed(failures)
        return {failure.version_id for failure in failures}

    def _look_twice(self, books: Books, read: list[Read]) -> tuple[list[Read], set[str]]:
        """Read again what misses a name that was registered meanwhile; says which of the missing names are."""
        missing = {reading.awaited for _, reading in read if isinstance(reading, Unknown)}
        registered = books.identities.known(missing) if missing else set()
        again = [v for v, reading in read if isinstance(reading, Unknown) and reading.awaited in registered]
        if not again:
            return read, registered
        fresh = {version.version_id: reading for version, reading in self._read(again)}
        return [(version, fresh.get(version.version_id, reading)) for version, reading in read], registered

    def _put_aside(self, books: Books, read: Sequence[Read], registered: set[str]) -> int:
        waits, failures = [], []
        self._hold_back(books, read)
        for version, reading in read:
            if isinstance(reading, Unknown):
                waits.append(Waiting(
                    version.version_id, reading.awaited, reading.message, reading.signature,
                    registered=reading.awaited in registered,
                ))  # fmt: skip
            elif isinstance(reading, ThroughlineError) and not isinstance(reading, Misconfigured):
                failures.append(_failure(version, reading))
        if waits:
            books.records.waiting(waits)
        if failures:
            books.records.failed(failures)
        return len(failures)

    def _hold_back(self, books: Books, read: Sequence[Read]) -> None:
        """Let wait what only a broken file keeps from being read: none of it is to blame, and it resumes by itself."""
        held: dict[str, list[int]] = {}
        mistakes = {r.signature: r for _, r in read if isinstance(r, Misconfigured)}
        for version, reading in read:
            if isinstance(reading, Misconfigured):
                held.setdefault(reading.signature, []).append(version.version_id)
        until = books.now + timedelta(seconds=FIRST_PAUSE)
        for signature, versions in held.items():
            books.records.put_off(versions, until, mistakes[signature].message, signature)

    def _translation(self, version: PendingVersion, reading: Reading) -> Translation:
        canonical = reading.document.model_dump(mode="json")
        mapping_version = self._words.version(version.role, version.document)
        return Translation(version.version_id, reading.canonical_id, canonical, mapping_version)

    def _follow_up(
        self, books: Books, kept: Sequence[tuple[PendingVersion, Reading]], told: Sequence[Translated],
        let_go: set[int],
    ) -> tuple[int, int]:  # fmt: skip
        news_of = {entry.version_id: entry for entry in told if entry.changed and entry.current}
        news = [
            News(reading.canonical_id, version.role, reading.document, version.version_id)
            for version, reading in kept
            if version.version_id in news_of and (not version.deleted or version.version_id in let_go)
        ]  # fmt: skip
        if not news:
            return 0, 0
        found = correlate(books, self._flows, news, self._actor)
        advanced = advance_processes(books, self._loader, found.running, self._actor)
        return found.started, advanced


def _failure(version: PendingVersion, error: ThroughlineError) -> Failure:
    return Failure(version.version_id, error.message, error.signature, type(error).__name__)


def _moves_back(reading: Reading, standing: str | None) -> bool:
    lattice, news = LATTICES.get(reading.document.kind), reading.document.status
    if lattice is None or standing is None or news == standing:
        return False
    return lattice.knows(news) and lattice.knows(standing) and not lattice.moves(standing, news)
