"""What an error of PostgreSQL means for us, by its code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from throughline.errors import Invalid, Misconfigured, ThroughlineError, Transient

_MISCONFIGURED = ("28", "3D", "3F", "42")
"""Refused login, no such database or schema, no such table or column, no right to read it."""
_CHANGES = "25006"
"""A query that tried to change something in our read-only transaction."""


@contextmanager
def failures_of(role: str) -> Iterator[None]:
    """Errors of the driver by their consequence; reading changes nothing, so nothing is ever in doubt."""
    try:
        yield
    except psycopg.Error as error:
        raise _consequence(role, error) from None


def _consequence(role: str, error: psycopg.Error) -> ThroughlineError:
    code, said = error.sqlstate, str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if code == _CHANGES or (code or "").startswith(_MISCONFIGURED) or _login_refused(said):
        return Misconfigured(f"{role} refuses: {said}", where=f"system {role}", code=code)
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Transient(f"{role} did not answer: {said}", system=role, code=code)
    return Invalid(f"{role} could not carry the query out: {said}", system=role, code=code)


def _login_refused(said: str) -> bool:
    """A connection that never came about has no code; only its words tell a wrong password from a dead server."""
    return (
        "authentication failed" in said
        or "no pg_hba.conf entry" in said
        or 'role "' in said
        or "does not exist" in said
    )
