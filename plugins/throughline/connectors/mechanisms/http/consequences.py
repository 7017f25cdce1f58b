"""From what an answer means to the error the rest of the hub acts on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from throughline.connectors.mechanisms.http.declared_calls import Meaning
from throughline.connectors.mechanisms.http.verdicts import Verdict
from throughline.errors import InDoubt, Invalid, Misconfigured, RateLimited, Rejected, ThroughlineError, Transient


class AlreadyThere(Rejected):
    """Refused because the target has it already; the write counts as carried out."""


class NotThere(Rejected):
    """The target does not know what was asked for."""


_REFUSALS: Mapping[Meaning, type[ThroughlineError]] = {
    Meaning.REJECTED: Rejected,
    Meaning.DUPLICATE: AlreadyThere,
    Meaning.ABSENT: NotThere,
    Meaning.INVALID: Invalid,
}


def consequence(
    verdict: Verdict, *, system: str, where: str, writes: bool, details: Mapping[str, Any],
) -> ThroughlineError:  # fmt: skip
    """The error for a verdict that is not ok."""
    said = verdict.message or verdict.code or "no reason given"
    about: dict[str, Any] = {"system": system, "code": verdict.code, **details}
    if verdict.means in _REFUSALS:
        return _REFUSALS[verdict.means](f"{system} refused: {said}", **about)
    make: Callable[..., ThroughlineError] = _OTHERS[verdict.means]
    return make(said, where=where, writes=writes, retry_after=verdict.retry_after, **about)


def _misconfigured(said: str, *, where: str, **about: Any) -> ThroughlineError:
    about.pop("writes"), about.pop("retry_after")
    return Misconfigured(f"{about['system']} does not accept us: {said}", where=where, **about)


def _throttled(said: str, *, where: str, writes: bool, **about: Any) -> ThroughlineError:
    return RateLimited(f"{about['system']} asks us to slow down: {said}", connection=where, write=writes, **about)


def _transient(said: str, *, where: str, writes: bool, **about: Any) -> ThroughlineError:
    return Transient(f"{about['system']} did not manage just now: {said}", connection=where, write=writes, **about)


def _in_doubt(said: str, *, where: str, writes: bool, **about: Any) -> ThroughlineError:
    if not writes:
        return _transient(f"an answer we do not know ({said})", where=where, writes=writes, **about)
    about.pop("retry_after")
    return InDoubt(
        f"{about['system']} answered a write with something we do not know ({said}): it may have been carried out",
        connection=where, **about,
    )  # fmt: skip


_OTHERS: Mapping[Meaning, Callable[..., ThroughlineError]] = {
    Meaning.AUTH_LOST: _misconfigured,
    Meaning.MISCONFIGURED: _misconfigured,
    Meaning.THROTTLED: _throttled,
    Meaning.TRANSIENT: _transient,
    Meaning.IN_DOUBT: _in_doubt,
}
