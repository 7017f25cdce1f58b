"""What goes into the ledger and what comes out about documents: frozen lines, one class per kind of line.

`work_entries` has those of processes, steps and deliveries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


class CapturedRecord(Protocol):
    """What `records.store` takes: the connectors' `Captured` is one."""

    @property
    def document(self) -> str:
        """The canonical kind of document."""
        ...

    @property
    def their_id(self) -> str:
        """The record's id in the system that told it."""
        ...

    @property
    def raw(self) -> Mapping[str, Any]:
        """The record as it was told."""
        ...

    @property
    def number(self) -> str | None:
        """The number people say."""
        ...

    @property
    def revision(self) -> str:
        """The system's own change stamp."""
        ...

    @property
    def changed_at(self) -> datetime | None:
        """When it changed there."""
        ...

    @property
    def deleted(self) -> bool:
        """Whether it is gone there."""
        ...


@dataclass(frozen=True)
class Stored:
    """What became of one captured record: `new` when its content had not been seen, `current` when nothing is newer."""

    record_id: int
    version_id: int
    document: str
    their_id: str
    new: bool
    current: bool


@dataclass(frozen=True)
class PendingVersion:
    """One content that still has to be translated."""

    version_id: int
    record_id: int
    role: str
    document: str
    their_id: str
    number: str | None
    revision: str
    changed_at: datetime | None
    captured_at: datetime
    deleted: bool
    raw: dict[str, Any]


@dataclass(frozen=True)
class Translation:
    """The canonical document a version turned out to be; None for a deleted record that says nothing any more."""

    version_id: int
    canonical_id: str
    canonical: Mapping[str, Any] | None
    mapping_version: str = ""


@dataclass(frozen=True)
class Translated:
    """What a translation changed: nothing when it says the same as before, or is older than what we know."""

    version_id: int
    record_id: int
    role: str
    document: str
    canonical_id: str
    changed: bool
    current: bool
    previous_version_id: int | None


@dataclass(frozen=True)
class Waiting:
    """A version that names something nobody has told us about yet; it resumes when `awaited` is registered."""

    version_id: int
    awaited: str
    reason: str
    signature: str
    registered: bool = False
    """the name is known and what it names is not complete: the next news of it wakes this, not the name alone"""


@dataclass(frozen=True)
class Failure:
    """A version that cannot be translated until somebody mends something."""

    version_id: int
    reason: str
    signature: str
    error_kind: str = "Invalid"
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CurrentDocument:
    """A document as one system tells it now, in canonical words."""

    canonical_id: str
    role: str
    document: str
    their_id: str
    number: str | None
    version_id: int
    canonical: dict[str, Any]
    canonical_hash: str
    changed_at: datetime | None
    translated_at: datetime
    deleted: bool


@dataclass(frozen=True)
class Version:
    """One content a record once had, without the content itself."""

    version_id: int
    record_id: int
    role: str
    document: str
    their_id: str
    revision: str
    changed_at: datetime | None
    captured_at: datetime
    deleted: bool
    run_id: str | None
    content_hash: str
    state: str
    awaited: str | None
    reason: str | None
    canonical_id: str | None
    mapping_version: str | None
    news: bool
    """whether it said anything the version before did not"""
    current: bool


@dataclass(frozen=True)
class Content:
    """The contents of one version: as told, and in canonical words when it was translated."""

    version_id: int
    role: str
    document: str
    revision: str
    canonical_id: str | None
    raw: dict[str, Any] | None
    canonical: dict[str, Any] | None


@dataclass(frozen=True)
class Minted:
    """A document the hub itself makes (a receipt notice, an outbound order): its own system is `hub`."""

    canonical_id: str
    document: str
    number: str
    canonical: Mapping[str, Any]


@dataclass(frozen=True)
class Identity:
    """The same thing in two tongues: a system's own id, and the canonical id of a document or a line."""

    role: str
    kind: str
    their_id: str
    canonical_id: str
    number: str | None = None


@dataclass(frozen=True)
class IdentityConflict:
    """An id that is registered for something else already; the registry keeps what it had."""

    identity: Identity
    registered_as: str


@dataclass(frozen=True)
class Message:
    """A message that was pushed to us and not read yet."""

    message_row: int
    role: str
    message_kind: str
    message_id: str
    headers: dict[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True)
class AuditEntry:
    """Who did what to which document."""

    actor: str
    action: str
    subject: str
    process_id: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AuditLine:
    """An audit entry as it was written, with its place in the chain."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    process_id: int | None
    details: dict[str, Any]
    prev_hash: str
    hash: str


@dataclass(frozen=True)
class PutOff:
    """Contents of one kind that wait for the same mending: how many, since when, and when they are tried again."""

    role: str
    document: str
    signature: str
    reason: str
    count: int
    oldest: datetime
    again: datetime


@dataclass(frozen=True)
class Trouble:
    """What a person must mend before the hub can work in one place: the sentence, since when, how often met."""

    place: str
    role: str | None
    sentence: str
    signature: str
    since: datetime
    told_at: datetime
    times: int
