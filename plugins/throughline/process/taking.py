"""How a worker takes up ready work, puts it off, and holds it back when a system is set up wrongly.

One run never takes the same step instance twice: what did not come to its end waits for another run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from throughline.errors import Misconfigured
from throughline.ledger import Books
from throughline.ledger.work_entries import Claim
from throughline.process.backoff import FIRST_PAUSE, LONGEST_PAUSE
from throughline.process.definition import Flow
from throughline.process.delivery_jobs import Job
from throughline.process.reports import Outcome, StepReport
from throughline.process.workshop import Workshop


class Taking:
    """The ready work of one step, for one run."""

    def __init__(self, shop: Workshop, flow: Flow, step: str, role: str, report: StepReport) -> None:
        self._shop, self._flow, self._step, self._role, self._report = shop, flow, step, role, report
        self._had: set[int] = set()
        self.now = datetime.min.replace(tzinfo=UTC)
        self.probing = False

    def take(self, keys: Sequence[str] | None) -> list[Job]:
        """Take what is ready; when the system is known to be down, it waits instead, without counting as a failure."""
        shop = self._shop
        with shop.ledger.transaction() as books:
            self.now = books.now
            claims = books.processes.claim(
                self._flow.flow, self._step, limit=shop.batch, holder=shop.holder, seconds=shop.lease_seconds,
                keys=keys, without=self._had,
            )  # fmt: skip
            claims = self._let_through(books, claims) if claims else []
            rows = books.processes.load([claim.process_id for claim in claims]) if claims else []
            states = shop.loader.load(books, rows)
            self._had.update(_steps(claims))
        return [Job(claim, step, states[claim.process_id]) for claim in claims for step in claim.steps]

    def done(self, jobs: Iterable[Job]) -> None:
        """These came to their end, so nobody can take them again; whatever else was taken is left to other runs."""
        self._had.difference_update([job.step.id for job in jobs])

    def hold_back(self, error: Misconfigured) -> None:
        """Let everything that is ready for this system wait for the mending; nothing is parked, no attempt is lost."""
        effects = {name: step.effect for name, step in self._flow.steps.items()}
        steps = [name for name, effect in effects.items() if effect and effect.system == self._role]
        with self._shop.ledger.transaction() as books:
            books.breakers.allow(self._role)  # a pause that is over ends in a probe, and the next one is longer
            passage = books.breakers.failed(self._role, failures=1, seconds=FIRST_PAUSE, longest=LONGEST_PAUSE)
            if passage.until is not None:
                books.steps.hold_back(self._flow.flow, steps, passage.until, error.message, error.signature)

    def _let_through(self, books: Books, claims: list[Claim]) -> list[Claim]:
        """What the system's breaker lets through: all, one as a probe, or nothing."""
        passage = books.breakers.allow(self._role)
        self.probing = passage.probe
        if not passage:
            said = f"{self._role} is left alone until {passage.until}"
            books.steps.put_off(_steps(claims), "retrying", at=passage.until, error=said)
            books.processes.release(claims)
            self._report.waits_until = passage.until
            self._report.outcomes += [Outcome(c.key, s.item, "retrying", said) for c in claims for s in c.steps]
            return []
        if passage.probe:
            self._ready_again(books, claims[1:])
            return claims[:1]
        return claims

    def _ready_again(self, books: Books, claims: Sequence[Claim]) -> None:
        held = books.processes.hold(claims)
        books.steps.put_off(_steps(claim for claim in claims if claim.process_id in held), "ready")
        books.processes.release(claims)


def _steps(claims: Iterable[Claim]) -> list[int]:
    return [step.id for claim in claims for step in claim.steps]
