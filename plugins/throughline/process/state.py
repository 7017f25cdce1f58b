"""A process as the engine thinks about it: its step instances, its documents, the revision in force. No ledger here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from throughline.canonical import CanonicalDocument
from throughline.rules import Linked


class StepState(StrEnum):
    """Where a step is. Nothing leaves `done`, `skipped` or `withdrawn`."""

    WAITING = "waiting"
    OPEN = "open"
    """an await that looks at what arrives; the ledger calls it waiting, because no worker has it"""
    READY = "ready"
    RUNNING = "running"
    RETRYING = "retrying"
    WAITING_FOR = "waiting_for"
    PARKED = "parked"
    DONE = "done"
    SKIPPED = "skipped"
    WITHDRAWN = "withdrawn"


SETTLED = frozenset({StepState.DONE, StepState.SKIPPED, StepState.WITHDRAWN})


NOTHING: Mapping[str, Any] = MappingProxyType({})


class Instance(NamedTuple):
    """One step of one process, for one item when the step is done per item."""

    step: str
    item: str = ""
    state: StepState = StepState.WAITING
    due_at: datetime | None = None
    verdict: Mapping[str, Any] = NOTHING
    error: str | None = None
    signature: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Step and item: what names the instance within its process."""
        return self.step, self.item

    @property
    def settled(self) -> bool:
        """Nothing more will happen here."""
        return self.state in SETTLED

    @property
    def under_way(self) -> bool:
        """A worker holds it, or a call was sent whose end nobody knows yet."""
        return self.state is StepState.RUNNING or (self.state is not StepState.DONE and self.in_doubt)

    @property
    def in_doubt(self) -> bool:
        """The last call may or may not have been carried out."""
        return not self.settled and (self.signature or "").startswith("InDoubt")

    @property
    def wrote(self) -> bool:
        """Whether something of this step has reached its system, or may have."""
        return self.state is StepState.DONE or self.under_way

    @property
    def made(self) -> tuple[str, ...]:
        """Canonical ids of the documents this step delivers, once it knows them."""
        return tuple(self.verdict.get("made", ()))

    def did(self, operation: str) -> tuple[str, ...]:
        """Canonical ids of the documents this step carried out one operation on, when it may do several."""
        return tuple(self.verdict.get("acts", {}).get(operation, ()))

    @property
    def refusal(self) -> str | None:
        """Why a system refused, when the flow goes on with that answer."""
        return self.verdict.get("refused")

    def moved(self, state: StepState, **more: Any) -> Instance:
        """The same instance in another state."""
        return self._replace(state=state, **more)


@dataclass(frozen=True)
class Revision:
    """One version of the subject whose content differs from the one before."""

    id: str
    document: CanonicalDocument


@dataclass(frozen=True)
class ProcessState:
    """One process with everything `advance` looks at."""

    key: str
    revisions: tuple[Revision, ...]
    """the subject's versions, oldest first; the first is the one the process started with"""
    in_force: str
    """id of the revision the process works by"""
    instances: Mapping[tuple[str, str], Instance] = field(default_factory=dict)
    linked: tuple[Linked, ...] = ()
    state: str = "running"
    referenced: Mapping[str, CanonicalDocument] = field(default_factory=dict)
    numbers: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def subject(self) -> CanonicalDocument:
        """The subject as it is in force."""
        return next(revision.document for revision in self.revisions if revision.id == self.in_force)

    def revision(self, item: str) -> CanonicalDocument | None:
        """The subject's version named by an item id, when it names one."""
        return next((revision.document for revision in self.revisions if revision.id == item), None)

    def document(self, item: str, role: str | None = None) -> CanonicalDocument | None:
        """A linked document by its canonical id."""
        fits = (entry for entry in self.linked if entry.canonical_id == item and role in (None, entry.role))
        return next((entry.document for entry in fits), None)


@dataclass(frozen=True)
class Changes:
    """What `advance` decided: instances that are new or moved, and whether the process itself moved."""

    instances: tuple[Instance, ...] = ()
    in_force: str | None = None
    state: str | None = None
    notes: tuple[str, ...] = ()
    """what was seen and not acted upon, for the audit"""

    def __bool__(self) -> bool:
        return bool(self.instances or self.in_force or self.state or self.notes)
