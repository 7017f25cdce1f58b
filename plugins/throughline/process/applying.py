"""Advance processes inside a ledger transaction: read, think, write, each in a constant number of statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from throughline.ledger import Books, content_hash
from throughline.ledger.entries import AuditEntry
from throughline.ledger.work_entries import Case, ProcessChange, StepChange
from throughline.ledger.work_entries import Changes as LedgerChanges
from throughline.ledger.work_entries import ProcessState as LedgerState
from throughline.process.advance import advance
from throughline.process.definition import Flow
from throughline.process.facts import as_text
from throughline.process.loading import Loader
from throughline.process.state import Changes, Instance, ProcessState, StepState


@dataclass
class _Writes:
    steps: list[StepChange] = field(default_factory=list)
    processes: list[ProcessChange] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)


def advance_processes(books: Books, loader: Loader, rows: Sequence[LedgerState], actor: str) -> int:
    """Let every one of these processes go on as far as it can; answers how many moved.

    The caller has locked or holds them. What is written here commits with what made them move.
    """
    writes, moved = _Writes(), 0
    flow_of = {row.process.id: loader.flow_of(row) for row in rows}
    for number, state in loader.load(books, rows).items():
        changes = advance(flow_of[number], state, books.now)
        if changes or _unremembered(flow_of[number], state):
            moved += 1
            _collect(writes, flow_of[number], number, state, changes, actor)
    books.processes.apply(LedgerChanges(steps=writes.steps, processes=writes.processes))
    if writes.cases:
        books.parked.park(writes.cases)
    books.audit.append(writes.audit)
    given_up = [(change.process_id, change.step, change.item) for change in writes.steps if change.state == "withdrawn"]
    if given_up:
        books.deliveries.given_up(given_up)
    return moved


def _collect(writes: _Writes, flow: Flow, number: int, state: ProcessState, changes: Changes, actor: str) -> None:
    moved = {own.key: own for own in changes.instances}
    listener = (flow.revisions, "") if flow.revisions else None
    remember = listener and (changes.in_force or _unremembered(flow, state))
    if listener and remember:
        own = moved.get(listener) or state.instances.get(listener) or Instance(*listener)
        moved[listener] = own.moved(own.state, verdict=_memory(state, changes.in_force or state.in_force))
    writes.steps += [_step_change(number, own) for own in moved.values()]
    writes.cases += [
        _case(number, state, own) for own in changes.instances if own.state is StepState.PARKED and own.signature
    ]
    if changes.state:
        writes.processes.append(ProcessChange(number, changes.state))
        writes.audit.append(AuditEntry(actor, changes.state, state.key, number, {"flow": flow.flow}))
    if changes.in_force:
        writes.audit.append(AuditEntry(actor, "revision in force", state.key, number, {"to": changes.in_force}))
    writes.audit += [AuditEntry(actor, "ignored", state.key, number, {"note": note}) for note in changes.notes]


def _step_change(number: int, own: Instance) -> StepChange:
    is_open = own.state is StepState.OPEN
    verdict = {**own.verdict, "open": is_open} if own.verdict or is_open else None
    state = StepState.WAITING if is_open else own.state
    return StepChange(
        number, own.step, own.item, str(state), due_at=own.due_at, verdict=verdict,
        error=own.error, signature=own.signature,
    )  # fmt: skip


def _case(number: int, state: ProcessState, own: Instance) -> Case:
    signature = own.signature or ""
    return Case(
        subject=own.item or state.key, error_kind=signature.partition(":")[0], signature=signature,
        reason=own.error or "", process_id=number, step=own.step, item=own.item,
    )  # fmt: skip


def _unremembered(flow: Flow, state: ProcessState) -> bool:
    if flow.revisions is None or state.state != "running":
        return False
    listener = state.instances.get((flow.revisions, ""))
    return listener is None or "in_force" not in listener.verdict


def _memory(state: ProcessState, in_force: str) -> dict[str, str]:
    document = next(revision.document for revision in state.revisions if revision.id == in_force)
    return {"in_force": in_force, "hash": content_hash(as_text(document))}
