"""What the ledger is told after calls: rows settled, identities named, steps moved; all set-wise."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from throughline.canonical import line_reference
from throughline.connectors.contract import Carried, Operation, Tier
from throughline.errors import InDoubt, Misconfigured, NotYet, RateLimited, Rejected, ThroughlineError, Unknown
from throughline.ledger import Books
from throughline.ledger.entries import AuditEntry, Identity
from throughline.ledger.work_entries import Case, Confirmation, Delivery, Setback, StepChange
from throughline.process.backoff import FIRST_PAUSE, LONGEST_PAUSE, Patience, growing
from throughline.process.delivery_jobs import Job, Result
from throughline.process.delivery_protocol import DOUBTED, asks_a_person
from throughline.process.reports import Outcome


@dataclass
class Ending:
    """How a step instance goes on after its writes."""

    state: str
    at: datetime | None = None
    error: ThroughlineError | None = None


@dataclass
class Entries:
    """Everything one micro-batch writes."""

    confirmed: list[Confirmation] = field(default_factory=list)
    resolved: list[Confirmation] = field(default_factory=list)
    rejected: list[Setback] = field(default_factory=list)
    doubt: list[Setback] = field(default_factory=list)
    deferred: list[Setback] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    steps: list[StepChange] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    answered: bool = False
    failed: int = 0


class Recording:
    """Turns results into ledger entries for one step."""

    def __init__(
        self, operations: dict[str, Operation], patience: Patience, rng: Random, actor: str, *, goes_on_refused: bool
    ) -> None:
        self._operations, self._patience, self._rng = operations, patience, rng
        self._actor, self._goes_on_refused = actor, goes_on_refused

    def entries(self, jobs: Sequence[Job], now: datetime, known: Collection[str] = ()) -> Entries:
        """What to write for these finished jobs; `known` are awaited names that are registered by now."""
        entries = Entries()
        for job in jobs:
            endings = [self._settle(entries, result, now) for result in job.results]
            self._finish(entries, job, _worst(endings, job, now, known), now)
        return entries

    def write(self, books: Books, entries: Entries) -> None:
        """Write it; the caller holds the processes in this transaction."""
        books.deliveries.confirmed(entries.confirmed)
        books.deliveries.resolved(entries.resolved)
        books.deliveries.rejected(entries.rejected)
        books.deliveries.doubt(entries.doubt)
        books.deliveries.deferred(entries.deferred)
        conflicts = books.identities.register(entries.identities) if entries.identities else []
        books.steps.change(entries.steps)
        if entries.cases:
            books.parked.park(entries.cases)
        books.audit.append(entries.audit)
        books.audit.append(
            AuditEntry(self._actor, "identity conflict", conflict.identity.canonical_id, None,
                       {"their_id": conflict.identity.their_id, "registered_as": conflict.registered_as})
            for conflict in conflicts if not conflict.identity.canonical_id.startswith(("order_update:", "notice:"))
        )  # fmt: skip

    def _settle(self, entries: Entries, result: Result, now: datetime) -> Ending:
        """One write: its row, and what it means for its step."""
        row, error = result.delivery, result.error
        if isinstance(result.carried, Carried):
            self._carried(entries, result, result.carried)
            return Ending("done")
        if error is None:
            return Ending("done")
        if result.kind == "rejected":
            entries.rejected.append(_setback(row, error))
            entries.answered = True
            return Ending("refused", error=error)
        if result.kind in ("doubt", "ask"):
            entries.failed += result.kind == "doubt"
            return self._doubted(entries, row, error, now)
        if result.kind == "wait":
            return Ending("retrying", result.until or now, error)
        return self._try_again(entries, result, error, now)

    def _carried(self, entries: Entries, result: Result, carried: Carried) -> None:
        row = result.delivery
        place = entries.resolved if result.kind == "resolved" else entries.confirmed
        place.append(Confirmation(row.id, carried.their_id, carried.number, dict(carried.lines), dict(carried.answer)))
        entries.answered = True
        details = {"operation": row.operation, "their_id": carried.their_id, "number": carried.number,
                   "effect": row.effect_key, "how": result.kind}  # fmt: skip
        entries.audit.append(
            AuditEntry(self._actor, f"{row.operation} in {row.role}", row.canonical_id, row.process_id, details)
        )
        if row.operation == "create":
            entries.identities += _names(row, carried)

    def _doubted(self, entries: Entries, row: Delivery, error: ThroughlineError, now: datetime) -> Ending:
        operation = self._operations[row.operation]
        if asks_a_person(operation):
            entries.doubt.append(_setback(row, error))
            return Ending("parked", error=error)
        if row.attempts >= self._patience.attempts:
            entries.doubt.append(_setback(row, error))
            return Ending("parked", error=error)
        at = now + self._patience.pause(row.attempts, self._rng)
        if operation.tier is Tier.T3:
            at = max(at, now + timedelta(seconds=operation.late_execution))
        entries.doubt.append(_setback(row, error, at))
        return Ending("retrying", at, error)

    def _try_again(self, entries: Entries, result: Result, error: ThroughlineError, now: datetime) -> Ending:
        """Surely not carried out: it goes back to being meant, unless it was in doubt before."""
        row = result.delivery
        well = isinstance(error, RateLimited | Misconfigured | NotYet)
        entries.failed += result.kind in ("transient", "search") and not well
        at = now + self._patience.pause(row.attempts, self._rng, at_least=getattr(error, "retry_after", None))
        if result.kind != "search":
            uncounted = result.kind == "untouched" or isinstance(error, Misconfigured)
            doubted = row.signature == DOUBTED  # this call was surely not carried out; an earlier one may have been
            place = entries.doubt if doubted else entries.deferred
            place.append(replace(_setback(row, error, at), uncounted=uncounted))
        if (
            result.kind == "transient"
            and not isinstance(error, Misconfigured)
            and row.attempts >= self._patience.attempts
        ):
            return Ending("parked", error=error)
        unsure = result.kind == "search" or row.signature == DOUBTED
        return Ending("retrying", at, _as_doubt(error) if unsure else error)

    def _finish(self, entries: Entries, job: Job, ending: Ending, now: datetime) -> None:
        number, step, item = job.claim.process_id, job.step.step, job.step.item
        verdict = job.told
        state, error = ending.state, ending.error
        said = error.message if error else ""
        entries.outcomes.append(Outcome(job.claim.key, item, state, said, _number(job)))
        if state == "refused" and self._goes_on_refused and isinstance(error, Rejected):
            change = StepChange(number, step, item, "skipped", verdict={**verdict, "refused": said})
            entries.audit.append(AuditEntry(self._actor, "refused", job.claim.key, number, {"step": step, "why": said}))
        elif state in ("refused", "parked") and error is not None:
            entries.outcomes[-1] = Outcome(job.claim.key, item, "parked", said)
            entries.cases.append(_case(job, error, job.deliveries))
            change = StepChange(number, step, item, "parked", verdict=verdict or None, error=said,
                                signature=error.signature)  # fmt: skip
        else:
            change = StepChange(
                number, step, item, state, ready_at=ending.at or now, verdict=verdict or None,
                awaited=error.awaited if isinstance(error, Unknown) else None,
                error=said or None, signature=error.signature if error else None,
            )  # fmt: skip
        entries.steps.append(change)


def _as_doubt(error: ThroughlineError) -> InDoubt:
    return InDoubt(error.message, system=error.system, code=error.code)


def _worst(endings: Sequence[Ending], job: Job, now: datetime, known: Collection[str]) -> Ending:
    """An instance is done when all its writes are; otherwise the write that went worst decides."""
    if job.error is not None:
        return _ending_of_error(job.error, job.step.attempts, now, known)
    if job.skip:
        return Ending("skipped")
    order = ("parked", "refused", "retrying", "done")
    return min(endings, key=lambda ending: order.index(ending.state), default=Ending("done"))


def _ending_of_error(error: ThroughlineError, attempt: int, now: datetime, known: Collection[str]) -> Ending:
    """A document that could not be put into the target's words.

    A name that is registered while what it names is not complete wakes nobody any more: so it is asked again.
    """
    if isinstance(error, Unknown) and error.awaited in known:
        return Ending("retrying", now + growing(attempt, first=1, longest=60), error)
    if isinstance(error, Misconfigured):
        return Ending("retrying", now + growing(attempt, first=FIRST_PAUSE, longest=LONGEST_PAUSE), error)
    if isinstance(error, Unknown):
        return Ending("waiting_for", error=error)
    return Ending("parked", error=error)


def _setback(row: Delivery, error: ThroughlineError, at: datetime | None = None) -> Setback:
    return Setback(row.id, error.message, error.signature, at)


def _names(row: Delivery, carried: Carried) -> list[Identity]:
    """Who is who from now on: the document and every line the target told us its id of."""
    kind = f"{row.document}.line"
    lines = [Identity(row.role, kind, theirs, _line(row, ours)) for ours, theirs in carried.lines.items()]
    return [Identity(row.role, row.document, carried.their_id, row.canonical_id, carried.number), *lines]


def _line(row: Delivery, ours: str) -> str:
    return ours if "#" in ours else line_reference(row.canonical_id, ours)


def _case(job: Job, error: ThroughlineError, deliveries: Sequence[Delivery]) -> Case:
    role = deliveries[0].role if deliveries else error.system
    return Case(
        subject=job.step.item or job.claim.key, error_kind=type(error).__name__, signature=error.signature,
        reason=error.message, process_id=job.claim.process_id, step=job.step.step, item=job.step.item, role=role,
    )  # fmt: skip


def _number(job: Job) -> str:
    carried = next((r.carried for r in job.results if isinstance(r.carried, Carried)), None)
    return (carried.number or carried.their_id) if carried else ""
