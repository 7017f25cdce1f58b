"""Which processes a document concerns: those it starts, those it belongs to, those it names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from throughline.canonical import CanonicalDocument, header_of
from throughline.ledger import Books
from throughline.ledger.entries import AuditEntry
from throughline.ledger.work_entries import Case, Link, Start
from throughline.ledger.work_entries import ProcessState as LedgerState
from throughline.process.definition import Flow
from throughline.process.facts import as_text


@dataclass(frozen=True)
class News:
    """A document that is new or says something new."""

    canonical_id: str
    role: str
    document: CanonicalDocument
    version_id: int


@dataclass
class Concerned:
    """The processes to advance, with their flows, and how many of them are new."""

    running: list[LedgerState] = field(default_factory=list)
    started: int = 0


def correlate(books: Books, flows: Mapping[str, Flow], news: Sequence[News], actor: str) -> Concerned:
    """Start what is to be started, link every document to the processes it names, and lock those that go on."""
    started = _start(books, flows, news)
    belongs, known = _link(books, flows, news)
    numbers = sorted({number for several in belongs.values() for number in several} | started)
    books.processes.lock(numbers)
    rows = {row.process.id: row for row in books.processes.load(numbers) if row.process.flow in flows}
    _note_late(books, flows, news, _Belonging(belongs, known, rows), actor)
    return Concerned([row for row in rows.values() if row.process.state == "running"], len(started))


def _start(books: Books, flows: Mapping[str, Flow], news: Sequence[News]) -> set[int]:
    starts = [
        Start(flow.flow, flow.version, entry.canonical_id, entry.role)
        for entry in news
        for flow in flows.values()
        if (flow.subject.document, flow.subject.system) == (entry.document.kind, entry.role) and _begins(flow, entry)
    ]
    return {answer.process_id for answer in books.processes.start(starts) if answer.new} if starts else set()


def _begins(flow: Flow, entry: News) -> bool:
    facts = as_text(entry.document)
    return flow.start.holds({"doc": facts, "subject": facts})


def _link(
    books: Books, flows: Mapping[str, Flow], news: Sequence[News]
) -> tuple[dict[str, set[int]], dict[str, set[int]]]:
    """The processes of each document, those of what it names included; and those it belonged to already."""
    named = {entry.canonical_id: _named(entry.document) for entry in news}
    everything = {*named, *(ref for refs in named.values() for ref in refs)}
    known = {ref: set(numbers) for ref, numbers in books.processes.of(everything).items()}
    belongs = {name: set(known.get(name, ())) for name in named}
    for _ in range(len(news)):
        before = sum(map(len, belongs.values()))
        for name, refs in named.items():
            for ref in refs:
                belongs[name] |= known.get(ref, set()) | belongs.get(ref, set())
        if sum(map(len, belongs.values())) == before:
            break
    wanted = {(entry.canonical_id, entry.role): entry.document.kind for entry in news}
    kinds = {kind for flow in flows.values() for kind in _kinds(flow)}
    books.processes.link([
        Link(number, name, kind, role)
        for (name, role), kind in wanted.items() if kind in kinds
        for number in sorted(belongs[name])
    ])  # fmt: skip
    return belongs, known


def _named(document: CanonicalDocument) -> set[str]:
    return {header_of(ref) for ref in document.references()}


def _kinds(flow: Flow) -> Iterable[str]:
    """The kinds of documents a flow has to do with."""
    yield flow.subject.document
    for step in flow.steps.values():
        if step.effect:
            yield step.effect.document
        if step.awaits:
            yield step.awaits.document


@dataclass(frozen=True)
class _Belonging:
    now: Mapping[str, set[int]]
    before: Mapping[str, set[int]]
    rows: Mapping[int, LedgerState]


def _note_late(
    books: Books, flows: Mapping[str, Flow], news: Sequence[News], belonging: _Belonging, actor: str
) -> None:
    """A document for a process that is over changes nothing; somebody is told."""
    cases, audit = [], []
    for entry in news:
        for number in sorted(belonging.now[entry.canonical_id]):
            row = belonging.rows.get(number)
            if row is None or not _is_late(flows[row.process.flow], row, entry, belonging.before):
                continue
            kind, process = entry.document.kind, row.process
            said = f"{kind} {entry.document.number} arrived after {process.key} was {process.state}"
            cases.append(Case(subject=entry.canonical_id, error_kind="Late", signature=f"Late:{entry.role}:{kind}:",
                              reason=said, version_id=entry.version_id, role=entry.role))  # fmt: skip
            audit.append(AuditEntry(actor, "late", entry.canonical_id, number, {"process": process.state}))
    if cases:
        books.parked.park(cases)
        books.audit.append(audit)


def _is_late(flow: Flow, row: LedgerState, entry: News, before: Mapping[str, set[int]]) -> bool:
    """The process is over, and this is a change of its subject or one more of what it once waited for."""
    if row.process.state not in ("finished", "cancelled"):
        return False
    if entry.canonical_id == row.process.key:
        return entry.role == flow.subject.system
    awaited = {(step.awaits.document, step.awaits.system) for step in flow.steps.values() if step.awaits}
    return row.process.id not in before.get(entry.canonical_id, set()) and (entry.document.kind, entry.role) in awaited
