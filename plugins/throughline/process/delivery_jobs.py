"""One claimed step instance on its way out: which documents it delivers, and the rows that stand for the writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from throughline.canonical import CanonicalDocument, reference
from throughline.errors import Invalid, Misconfigured, ThroughlineError
from throughline.ledger.work_entries import Claim, ClaimedStep, Delivery, Intent
from throughline.process.definition import Deliver, Flow, Notify
from throughline.process.delivery_protocol import OPEN_DOUBT, SETTLED_WELL
from throughline.process.effect_keys import Effect
from throughline.process.facts import Facts, ask, ask_as_it_stands, item_document
from throughline.process.state import ProcessState
from throughline.process.surroundings import Systems, Words, Writing
from throughline.rules import Act, Rule, rule_named


@dataclass
class Result:
    """How one write ended, or why it was not made."""

    delivery: Delivery
    kind: str
    """confirmed, resolved, rejected, doubt, transient, wait, ask or untouched"""
    error: ThroughlineError | None = None
    carried: object | None = None
    until: datetime | None = None
    """of a write that is waited for: from when on it is looked for"""


@dataclass
class Job:
    """One step instance a worker has claimed."""

    claim: Claim
    step: ClaimedStep
    state: ProcessState
    writings: list[Writing] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    superseded: list[Delivery] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    error: ThroughlineError | None = None
    skip: bool = False

    @property
    def made(self) -> list[str]:
        """Canonical ids of what this instance delivers."""
        return [delivery.canonical_id for delivery in self.deliveries]

    @property
    def told(self) -> dict[str, Any]:
        """What the step remembers of its deliveries."""
        acts: dict[str, list[str]] = {}
        for delivery in self.deliveries:
            acts.setdefault(delivery.operation, []).append(delivery.canonical_id)
        return {"made": self.made, "acts": acts} if acts else {}


class Preparation:
    """Decides for claimed instances what is to be written, in the target's words."""

    def __init__(self, flow: Flow, step: str, landscape: Systems, words: Words) -> None:
        effect = flow.steps[step].effect
        if effect is None:
            raise Misconfigured(f"step '{step}' of flow '{flow.flow}' delivers nothing")
        self._flow, self._step, self._effect = flow, step, effect
        self._landscape, self._words = landscape, words

    def prepare(self, jobs: Sequence[Job], earlier: Iterable[Delivery]) -> None:
        """Give every job its open writes, or the intents of new ones, or the reason why there are none."""
        rows: dict[tuple[int | None, str], list[Delivery]] = {}
        for delivery in earlier:
            if delivery.step == self._step:
                rows.setdefault((delivery.process_id, delivery.item), []).append(delivery)
        for job in jobs:
            self._choose(job, rows.get((job.claim.process_id, job.step.item), []))
        self._translate([job for job in jobs if job.writings])

    def _choose(self, job: Job, rows: list[Delivery]) -> None:
        """Go on with writes whose end is open, as they were meant then; otherwise decide anew what to write."""
        rows = still_meant(rows)
        standing = [row for row in rows if row.state in (*OPEN_DOUBT, *SETTLED_WELL)]
        if standing:
            job.deliveries = [row for row in rows if row.state != "rejected" or row.error != SUPERSEDED]
            job.intents = [_again(row, job.claim.epoch) for row in job.deliveries if row.state == "rejected"]
            return
        job.superseded = [row for row in rows if row.state == "intended"]
        try:
            when = self._flow.steps[self._step].when
            if when is not None and not when.holds(Facts(self._flow, job.state, self._step, job.step.item)):
                job.skip = True
                return
            job.writings = self._documents(job)
            job.skip = not job.writings
        except ThroughlineError as error:
            job.error = error
        except Exception as error:  # noqa: BLE001 - one document's facts that break a rule must not stop the others
            said = f"step '{self._step}' could not be prepared: {type(error).__name__}: {error}"
            job.error = Invalid(said, code=type(error).__name__)

    def _documents(self, job: Job) -> list[Writing]:
        effect, item = self._effect, job.step.item
        if effect.make is None:
            document = item_document(self._flow, job.state, self._step, item) or job.state.subject
            name = job.state.key if job.state.revision(item) or not item else item
            return [self._changing(job, Writing(document, name, effect.document, effect.may[0]), {})]
        made = ask(rule_named(effect.make, "make"), self._flow, job.state, self._step, item)
        writings = [self._writing(one, effect) for one in _several(made)]
        changes = any(writing.operation == CHANGE for writing in writings)
        standing = self._standing(job, rule_named(effect.make, "make")) if changes else {}
        return [self._changing(job, writing, standing) for writing in writings]

    def _changing(self, job: Job, writing: Writing, standing: Mapping[str, CanonicalDocument]) -> Writing:
        """A change also says how the document stands, so that what it takes away is taken away there."""
        if writing.operation != CHANGE:
            return writing
        before = job.state.subject if writing.canonical_id == job.state.key else standing.get(writing.canonical_id)
        return replace(writing, before=before)

    def _standing(self, job: Job, rule: Rule) -> dict[str, CanonicalDocument]:
        """What the rule made of the subject as it stands, by canonical id; nothing when it cannot say."""
        try:
            made = _several(ask_as_it_stands(rule, self._flow, job.state, self._step, job.step.item))
        except ThroughlineError:
            return {}
        documents = [one.document if isinstance(one, Act) else one for one in made]
        return {reference(doc.kind, self._landscape.owner_of(doc.kind), doc.number): doc for doc in documents}

    def _writing(self, one: CanonicalDocument | Act, effect: Deliver | Notify) -> Writing:
        operation, document = (one.operation, one.document) if isinstance(one, Act) else (effect.may[0], one)
        if operation not in effect.may:
            raise Misconfigured(f"rule '{effect.make}' chose '{operation}', which step '{self._step}' does not list")
        name = reference(document.kind, self._landscape.owner_of(document.kind), document.number)
        return Writing(document, name, effect.document, operation)

    def _translate(self, jobs: Sequence[Job]) -> None:
        """Put everything into the target's words at once; a document that does not fit holds up its own job only."""
        asked = [(job, writing) for job in jobs for writing in job.writings]
        payloads = self._payloads([writing for _, writing in asked]) if asked else []
        for (job, writing), payload in zip(asked, payloads, strict=True):
            if isinstance(payload, ThroughlineError):
                job.error = job.error or payload
            elif job.error is None:
                job.intents.append(self._intent(job, writing, dict(payload)))

    def _payloads(self, writings: Sequence[Writing]) -> Sequence[Mapping[str, Any] | ThroughlineError]:
        try:
            return self._words.write(self._effect.system, writings)
        except Misconfigured as error:  # a table that is wrong concerns them all, and none of them is to blame
            return [error] * len(writings)

    def _intent(self, job: Job, writing: Writing, payload: dict[str, object]) -> Intent:
        effect = Effect(
            flow=self._flow.flow, step=self._step, target=self._effect.system, operation=writing.operation,
            document=writing.canonical_id, item=job.step.item, source_system=self._flow.subject.system,
            source_id=job.state.key, source_revision=job.state.in_force,
        )  # fmt: skip
        return Intent(
            effect_key=effect.key, process_id=job.claim.process_id, step=self._step, item=job.step.item,
            role=self._effect.system, document=self._effect.document, operation=writing.operation,
            canonical_id=writing.canonical_id, tier="", reference=writing.document.number, request=payload,
            epoch=job.claim.epoch,
        )  # fmt: skip


def still_meant(rows: Sequence[Delivery]) -> list[Delivery]:
    """Without refused writes that were meant anew since, with another content: those are not sent again."""
    newest = {(row.operation, row.canonical_id): row.id for row in sorted(rows, key=lambda row: row.id)}
    return [row for row in rows if row.state != "rejected" or newest[row.operation, row.canonical_id] == row.id]


def _again(row: Delivery, epoch: int) -> Intent:
    """The same write once more, after a refusal whose cause was mended."""
    return Intent(
        effect_key=row.effect_key, process_id=row.process_id, step=row.step, item=row.item, role=row.role,
        document=row.document, operation=row.operation, canonical_id=row.canonical_id, tier=row.tier,
        reference=row.reference, request=row.request, epoch=epoch,
    )  # fmt: skip


def _several(made: Any) -> list[Any]:
    return [one for one in (made if isinstance(made, list | tuple) else [made]) if one]


CHANGE = "change"
SUPERSEDED = "superseded: the document changed before this was sent"
