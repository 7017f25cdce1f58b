"""What can go wrong, named by what to do about it.

    ThroughlineError
    ├── Transient          try again later by itself (network, 5xx, a lock)
    │   ├── RateLimited    the system said how long to wait
    │   └── NotYet         the system is well, but something must happen there first
    ├── InDoubt            the write may have happened: ask the target before sending again
    ├── Rejected           the target understood and refused: this document is parked
    ├── Invalid            the document does not fit: this document is parked
    │   └── Unknown        it names something no system has told us about yet: waits for it, resumes by itself
    ├── Misconfigured      a file, an address or a secret is wrong: a person must mend it
    └── Fenced             somebody else holds the lease now: stop, change nothing

Each carries a sentence for a person and details for the log. Secrets never enter either: see `secrecy`.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

_VARYING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27,}|'[^']*'|\"[^\"]*\"|\d+")


class ThroughlineError(Exception):
    """A failure with a sentence for a person; `details` are for the log."""

    def __init__(self, message: str, *, system: str | None = None, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.system = system
        self.code = code
        self.details = details

    @property
    def signature(self) -> str:
        """Same cause, same signature: kind, system, code and the sentence without its numbers and names."""
        shape = _VARYING.sub("…", self.message)
        digest = hashlib.sha256(f"{type(self).__name__}|{self.system}|{self.code}|{shape}".encode()).hexdigest()[:10]
        return f"{type(self).__name__}:{self.system or '-'}:{self.code or '-'}:{digest}"


class Transient(ThroughlineError):
    """The system did not manage just now; the same call may succeed later and nothing was written."""

    def __init__(self, message: str, *, retry_after: float | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.retry_after = retry_after


class RateLimited(Transient):
    """The system asked us to slow down; `retry_after` says for how many seconds, when it told us."""


class NotYet(Transient):
    """The system is well and answered: something must happen there first. Never counts against the system."""


class InDoubt(ThroughlineError):
    """The call was sent and no answer came: it may or may not have been carried out."""


class Rejected(ThroughlineError):
    """The system understood the request and refused it; sending it again unchanged is pointless."""


class Invalid(ThroughlineError):
    """The document cannot be read or mapped; `details` name the field."""


class Unknown(Invalid):
    """A document names something that is not in the identity registry (yet)."""

    def __init__(self, message: str, *, awaited: str, **details: Any) -> None:
        super().__init__(message, **details)
        self.awaited = awaited


class Misconfigured(ThroughlineError):
    """A file, a connection or a secret is wrong; `where` is the file and line, or the connection's name."""

    def __init__(self, message: str, *, where: str = "", **details: Any) -> None:
        super().__init__(f"{where}: {message}" if where else message, **details)
        self.where = where


class Fenced(ThroughlineError):
    """This worker's lease is over and another holds it: whatever it wanted to write is not written."""
