"""From the ledger's rows to the state `advance` thinks about, for many processes in a constant number of questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from throughline.canonical import CanonicalDocument
from throughline.errors import Misconfigured
from throughline.ledger import Books
from throughline.ledger.entries import CurrentDocument, Version
from throughline.ledger.work_entries import ProcessState as LedgerState
from throughline.ledger.work_entries import StepRow
from throughline.process.definition import Flow
from throughline.process.deletions import gone
from throughline.process.papers import Papers
from throughline.process.state import NOTHING, Instance, ProcessState, Revision, StepState
from throughline.rules import Linked

HUB = "hub"
_STATES = {str(state): state for state in StepState}


class Loader:
    """Reads processes; master data counts as its owner tells it. Shares the parsed documents between them."""

    def __init__(self, flows: Mapping[str, Flow], papers: Papers) -> None:
        self._flows, self._papers = flows, papers

    def load(self, books: Books, rows: Sequence[LedgerState]) -> dict[int, ProcessState]:
        """The state of each of these processes, as this transaction sees it."""
        revisions = self._revisions(books, rows)
        linked = {row.process.id: self._linked(row) for row in rows}
        master = self._master_data(books, rows)
        numbers = self._numbers(books, [row.process.key for row in rows])
        states = {}
        for row in rows:
            number = row.process.id
            if not revisions[number]:
                continue
            states[number] = ProcessState(
                key=row.process.key,
                revisions=revisions[number],
                in_force=self._in_force(row) or revisions[number][-1].id,
                instances={(step.step, step.item): _instance(step) for step in row.steps},
                linked=linked[number],
                state=row.process.state,
                referenced=master,
                numbers=numbers.get(row.process.key, {}),
            )
        return states

    def flow_of(self, row: LedgerState) -> Flow:
        """The flow a process runs."""
        flow = self._flows.get(row.process.flow)
        if flow is None:
            raise Misconfigured(
                f"there are processes of the flow '{row.process.flow}' but no such file in include/flows"
            )
        return flow

    def _linked(self, row: LedgerState) -> tuple[Linked, ...]:
        """The process's documents, owners and our own first, so that they are believed before echoes."""
        entries = sorted(row.documents, key=lambda entry: (entry.role not in (HUB, _owner(entry)), entry.canonical_id))
        return tuple(
            Linked(entry.canonical_id, entry.role, self._papers.current(entry))
            for entry in entries
            if not gone(entry.document, entry.canonical.get("status"), deleted=entry.deleted)
        )

    def _master_data(
        self, books: Books, rows: Sequence[LedgerState]
    ) -> dict[str, CanonicalDocument]:  # fmt: skip
        wanted = self._papers.master_data_named(entry for row in rows for entry in row.documents)
        found: dict[str, CanonicalDocument] = {}
        for entry in books.records.current(wanted) if wanted else ():
            if entry.role == _owner(entry):
                found[entry.canonical_id] = self._papers.current(entry)
        return found

    def _numbers(self, books: Books, keys: list[str]) -> dict[str, dict[tuple[str, str], str]]:
        numbers: dict[str, dict[tuple[str, str], str]] = {}
        for identity in books.identities.all_of(keys):
            if identity.number:
                numbers.setdefault(identity.canonical_id, {})[identity.role, identity.canonical_id] = identity.number
        return numbers

    def _in_force(self, row: LedgerState) -> str | None:
        return _memory(self.flow_of(row), row).get("in_force")

    def _revisions(self, books: Books, rows: Sequence[LedgerState]) -> dict[int, tuple[Revision, ...]]:
        """The subject's versions: only the one in force when nothing else was told, else those after it too."""
        known: dict[int, tuple[Revision, ...]] = {}
        changed: list[LedgerState] = []
        for row in rows:
            flow = self.flow_of(row)
            subject, memory = _subject(flow, row), _memory(flow, row)
            if subject is None:
                known[row.process.id] = ()
            elif not memory or (memory.get("hash") == subject.canonical_hash and not _changing(flow, row)):
                name = memory.get("in_force") or revision_id(row.process.key, subject.version_id)
                known[row.process.id] = (Revision(name, self._papers.current(subject)),)
            else:
                changed.append(row)
        return known | (self._told_versions(books, changed) if changed else {})

    def _told_versions(self, books: Books, rows: list[LedgerState]) -> dict[int, tuple[Revision, ...]]:
        by_key: dict[tuple[str, str], list[Version]] = {}
        for version in books.records.versions([row.process.key for row in rows]):
            if version.state == "translated" and version.canonical_id:
                by_key.setdefault((version.canonical_id, version.role), []).append(version)
        wanted = [version.version_id for versions in by_key.values() for version in versions]
        contents = {content.version_id: content for content in books.records.contents(wanted)}
        told = {}
        for row in rows:
            flow = self.flow_of(row)
            first = version_of(str(_memory(flow, row)["in_force"]))
            versions = by_key.get((row.process.key, flow.subject.system), [])
            told[row.process.id] = tuple(
                Revision(revision_id(row.process.key, content.version_id), self._parse(content))
                for version in versions
                if version.version_id >= first
                and (content := contents[version.version_id]).canonical is not None
                and not gone(content.document, content.canonical.get("status"), deleted=version.deleted)
            )
        return told

    def _parse(self, content: Any) -> CanonicalDocument:
        return self._papers.parse(content.version_id, content.document, content.canonical)


def revision_id(key: str, version_id: int) -> str:
    """The name of one version of a process's subject."""
    return f"{key}@{version_id}"


def version_of(revision: str) -> int:
    """The version a revision's name stands for."""
    return int(revision.rpartition("@")[2])


def subject_hash(flow: Flow, row: LedgerState) -> str:
    """The content of the subject as it is told now."""
    subject = _subject(flow, row)
    return subject.canonical_hash if subject else ""


def _owner(entry: CurrentDocument) -> str:
    return entry.canonical_id.split(":", 2)[1]


def _subject(flow: Flow, row: LedgerState) -> CurrentDocument | None:
    fits = (d for d in row.documents if d.canonical_id == row.process.key and d.role == flow.subject.system)
    return next(fits, None)


def _memory(flow: Flow, row: LedgerState) -> Mapping[str, Any]:
    """What the await of revisions remembers: the version in force and its content."""
    listener = next((step for step in row.steps if step.step == flow.revisions), None)
    return (listener.verdict or {}) if listener else {}


def _changing(flow: Flow, row: LedgerState) -> bool:
    """Whether any step of any change is still to be done; then its revision must be known too."""
    names = flow.per(flow.revisions) if flow.revisions else {}
    return any(step.step in names and step.state not in ("done", "skipped", "withdrawn") for step in row.steps)


def _instance(row: StepRow) -> Instance:
    told = row.verdict or NOTHING
    is_open = row.state == "waiting" and bool(told.get("open"))
    verdict = {name: value for name, value in told.items() if name != "open"} if told else NOTHING
    state = StepState.OPEN if is_open else _STATES[row.state]
    return Instance(
        row.step, row.item, state, due_at=row.due_at, verdict=verdict, error=row.error, signature=row.signature,
    )  # fmt: skip
