"""Asks the named rule of a `decide` step for every process that is ready, and lets the processes go on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from throughline.errors import Invalid, Misconfigured, ThroughlineError, Unknown
from throughline.ledger import Books
from throughline.ledger.work_entries import Case, Claim, ClaimedStep, StepChange
from throughline.process.applying import advance_processes
from throughline.process.backoff import growing
from throughline.process.definition import Flow
from throughline.process.facts import ask
from throughline.process.reports import Outcome, StepReport
from throughline.process.state import Instance, ProcessState, StepState
from throughline.process.workshop import Workshop
from throughline.rules import rule_named


def decide(shop: Workshop, flow: Flow, step: str, keys: Sequence[str] | None) -> StepReport:
    """Decide everything that is ready; a rule that cannot decide parks its document alone."""
    report, had = StepReport(flow.flow, step), set[int]()
    while True:
        with shop.ledger.transaction() as books:
            claims = _claim(books, shop, flow, step, keys, had)
            had |= {own.id for claim in claims for own in claim.steps}
            states = shop.loader.load(books, books.processes.load([claim.process_id for claim in claims]))
            changes, cases = [], []
            for claim in claims:
                for change, case in _decide_one(flow, step, claim, states[claim.process_id], report):
                    changes.append(change)
                    cases += [case] if case else []
            books.steps.change(_without_spinning(books, claims, changes))
            if cases:
                books.parked.park(cases)
            _go_on(books, shop, claims)
        if not claims:
            return report


def look_again(shop: Workshop, flow: Flow, step: str, keys: Sequence[str] | None) -> StepReport:
    """Let an await that was parked and replayed look at its documents again."""
    report = StepReport(flow.flow, step)
    with shop.ledger.transaction() as books:
        claims = _claim(books, shop, flow, step, keys)
        report.outcomes += [Outcome(claim.key, own.item, "done") for claim in claims for own in claim.steps]
        _go_on(books, shop, claims)
    return report


def _claim(
    books: Books, shop: Workshop, flow: Flow, step: str, keys: Sequence[str] | None, had: Collection[int] = ()
) -> list[Claim]:  # fmt: skip
    return books.processes.claim(
        flow.flow, step, limit=shop.batch, holder=shop.holder, seconds=shop.lease_seconds, keys=keys, without=had
    )


def _go_on(books: Books, shop: Workshop, claims: Sequence[Claim]) -> None:
    held = [claim.process_id for claim in claims]
    advance_processes(books, shop.loader, books.processes.load(held), shop.holder)
    books.processes.release(claims)


def _decide_one(
    flow: Flow, step: str, claim: Claim, state: ProcessState, report: StepReport
) -> list[tuple[StepChange, Case | None]]:  # fmt: skip
    """The items of one process one after the other, so that each decision knows the ones before it."""
    decided = []
    for own in claim.steps:
        try:
            verdict = _ask(flow, step, own, state)
        except Exception as broke:  # noqa: BLE001 - one document's facts that break a rule must not stop the others
            error = _named(broke, step)
            decided.append(_undecided(claim, own, error))
            report.outcomes.append(Outcome(claim.key, own.item, decided[-1][0].state, error.message))
            continue
        done = Instance(step, own.item, StepState.DONE, verdict=verdict)
        state = replace(state, instances={**state.instances, done.key: done})
        decided.append((StepChange(claim.process_id, step, own.item, "done", verdict=verdict), None))
        report.outcomes.append(Outcome(claim.key, own.item, "done", str(verdict.get("outcome", ""))))
    return decided


def _named(broke: Exception, step: str) -> ThroughlineError:
    if isinstance(broke, ThroughlineError):
        return broke
    said = f"step '{step}' could not be decided: {type(broke).__name__}: {broke}"
    return Invalid(said, code=type(broke).__name__)


def _ask(flow: Flow, step: str, own: ClaimedStep, state: ProcessState) -> dict[str, object]:
    decision = flow.steps[step].decide
    if decision is None:
        raise Misconfigured(f"step '{step}' of flow '{flow.flow}' decides nothing")
    return dict(ask(rule_named(decision.rule, "decide"), flow, state, step, own.item))


def _without_spinning(books: Books, claims: Sequence[Claim], changes: Sequence[StepChange]) -> list[StepChange]:
    """What waits for a name that is registered already is asked again after a growing pause, not woken at once."""
    known = books.identities.known({change.awaited for change in changes if change.awaited})
    tries = {(claim.process_id, own.item): own.attempts for claim in claims for own in claim.steps}
    return [
        replace(change, state="retrying", ready_at=books.now + growing(
            tries[change.process_id, change.item], first=1, longest=60))
        if change.awaited in known else change
        for change in changes
    ]  # fmt: skip


def _undecided(claim: Claim, own: ClaimedStep, error: ThroughlineError) -> tuple[StepChange, Case | None]:
    number, said, signature = claim.process_id, error.message, error.signature
    if isinstance(error, Unknown):
        change = StepChange(number, own.step, own.item, "waiting_for", awaited=error.awaited, error=said,
                            signature=signature)  # fmt: skip
        return change, None
    case = Case(subject=own.item or claim.key, error_kind=type(error).__name__, signature=signature, reason=said,
                process_id=number, step=own.step, item=own.item)  # fmt: skip
    return StepChange(number, own.step, own.item, "parked", error=said, signature=signature), case
