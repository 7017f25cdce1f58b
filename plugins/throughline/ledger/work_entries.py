"""What goes into the ledger and what comes out about work: processes, steps, deliveries, what is parked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from throughline.ledger.entries import CurrentDocument


@dataclass(frozen=True)
class Start:
    """A wish that a flow run for a document; a second wish for the same key changes nothing; `role` told it."""

    flow: str
    flow_version: str
    key: str
    role: str = ""


@dataclass(frozen=True)
class Started:
    """The process a wish led to, and whether it is new."""

    process_id: int
    flow: str
    key: str
    new: bool


@dataclass(frozen=True)
class ProcessRow:
    """Where one document's way through a flow stands."""

    id: int
    flow: str
    flow_version: str
    key: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    epoch: int
    lease_holder: str | None
    lease_until: datetime | None


@dataclass(frozen=True)
class StepRow:
    """One step of one process, for one item where the step is `per` something ('' otherwise)."""

    id: int
    process_id: int
    step: str
    item: str
    state: str
    attempts: int
    document: str | None
    awaited: str | None
    verdict: Any
    ready_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    due_at: datetime | None
    overdue_at: datetime | None
    error: str | None
    signature: str | None

    @property
    def seconds(self) -> float | None:
        """How long the work took, from its first attempt to its end."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True)
class Link:
    """A document that belongs to a process, and the system that told it."""

    process_id: int
    canonical_id: str
    kind: str
    role: str


@dataclass(frozen=True)
class ProcessState:
    """Everything `advance` needs to decide: the process, its steps, its documents as every system tells them now."""

    process: ProcessRow
    steps: tuple[StepRow, ...]
    links: tuple[Link, ...]
    documents: tuple[CurrentDocument, ...]


@dataclass(frozen=True)
class ClaimedStep:
    """A step instance this worker may now work on; `attempts` above 1 means somebody tried before."""

    id: int
    step: str
    item: str
    attempts: int
    document: str | None
    verdict: Any


@dataclass(frozen=True)
class Claim:
    """The lease of one process: nobody else works on it until it is released or runs out."""

    process_id: int
    key: str
    epoch: int
    steps: tuple[ClaimedStep, ...] = ()


@dataclass(frozen=True)
class StepChange:
    """A new step instance, or a new state of one.

    `ready_at` is the moment it may run (now when absent); for `retrying` the moment of the next attempt. What is None
    of `document`, `verdict` and `due_at` stays as it was; the error is replaced each time.
    """

    process_id: int
    step: str
    item: str
    state: str
    ready_at: datetime | None = None
    due_at: datetime | None = None
    awaited: str | None = None
    document: str | None = None
    verdict: Any = None
    error: str | None = None
    signature: str | None = None


@dataclass(frozen=True)
class ProcessChange:
    """A process ends, is parked, or goes on."""

    process_id: int
    state: str


@dataclass(frozen=True)
class Changes:
    """What `advance` decided, for any number of processes: applied in a constant number of statements."""

    steps: Sequence[StepChange] = ()
    processes: Sequence[ProcessChange] = ()
    links: Sequence[Link] = ()


@dataclass(frozen=True)
class Intent:
    """A write we are about to make; `effect_key` names the effect, whoever tries and however often."""

    effect_key: str
    process_id: int | None
    step: str
    item: str
    role: str
    document: str
    operation: str
    canonical_id: str
    tier: str
    reference: str
    request: Mapping[str, Any]
    epoch: int = 0
    not_before: datetime | None = None


@dataclass(frozen=True)
class Delivery:
    """A write as the ledger knows it: `sent` from before the call, so `intended` surely was not carried out."""

    id: int
    effect_key: str
    process_id: int | None
    step: str
    item: str
    epoch: int
    role: str
    document: str
    operation: str
    canonical_id: str
    tier: str
    reference: str
    request: dict[str, Any]
    digest: str
    state: str
    not_before: datetime | None
    attempts: int
    their_id: str | None
    number: str | None
    lines: dict[str, str] | None
    answer: Any
    error: str | None
    signature: str | None
    intended_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True)
class Intended:
    """The row an intent led to. `differs`: the key was used for another content before: do not send."""

    delivery: Delivery
    new: bool
    differs: bool


@dataclass(frozen=True)
class Confirmation:
    """The target's answer to a write: its id and number, and its ids of our lines."""

    delivery_id: int
    their_id: str
    number: str | None = None
    lines: Mapping[str, str] = field(default_factory=dict)
    answer: Any = None


@dataclass(frozen=True)
class Setback:
    """A write that did not succeed, and when it may be looked at again."""

    delivery_id: int
    error: str
    signature: str
    not_before: datetime | None = None
    uncounted: bool = False
    """the call was not really made, or failed for everybody: it does not count as one of the document's attempts"""


@dataclass(frozen=True)
class Case:
    """A step or a version that stops until somebody mends something (exactly one of the two is named)."""

    subject: str
    error_kind: str
    signature: str
    reason: str
    process_id: int | None = None
    step: str = ""
    item: str = ""
    version_id: int | None = None
    role: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ParkedCase:
    """A case in the parking lot."""

    id: int
    version_id: int | None
    process_id: int | None
    step: str
    item: str
    role: str | None
    subject: str
    error_kind: str
    signature: str
    reason: str
    details: dict[str, Any]
    parked_at: datetime
    replayed_at: datetime | None
    replayed_by: str | None
    snapshot_id: int | None = None


@dataclass(frozen=True)
class ParkedGroup:
    """All open cases with the same cause: how many, since when, one of their sentences, and a few of them."""

    signature: str
    error_kind: str
    role: str | None
    count: int
    oldest: datetime
    newest: datetime
    reason: str
    examples: list[str]
