"""What an error of SQL Server means for us, by its number.

pymssql never forgets the number and the words of a login that failed: a connection refused later in the same process
carries them as well. So a failed connection is judged by what only this attempt can have said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pymssql

from throughline.errors import Invalid, Misconfigured, ThroughlineError, Transient

_OUR_MISTAKE = frozenset(
    {102, 105, 156, 137, 170, 195, 201, 207, 208, 209, 214, 229, 230, 262, 297, 306, 402, 911, 916, 1033, 1038, 2812,
     4060, 4104, 4121, 8120, 8144, 8156, 8178, 18456}
)  # fmt: skip
"""Refused login or right, no such database, table, column or function, a query SQL Server cannot read."""
_PASSING = frozenset({601, 701, 802, 1204, 1205, 1222, 3906, 3960, 3961, 8645, 8651, 17142, 18401, 40197, 40501, 40613})
"""Deadlock, a lock or memory not had in time, a server that starts, pauses or fails over."""
_SERVER_SAID_NO = "General SQL Server error"
_LINE_BROKE = re.compile(r"DB-Lib error message (2000\d|20017|20020|20047)\b|Net-Lib error|not connected")
"""The driver's own numbers: no answer in time, reading or writing failed, end of the line, a dead connection."""


@contextmanager
def failures_of(role: str, *, connecting: bool = False) -> Iterator[None]:
    """Errors of the driver by their consequence; reading changes nothing, so nothing is ever in doubt."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise Invalid(f"{role} told text that is no {error.encoding}", system=role) from None
    except pymssql.Error as error:
        raise (_unconnected if connecting else _consequence)(role, *_told(error)) from None


def _unconnected(role: str, number: int, said: str) -> ThroughlineError:
    """No server answered, or one did and let us not in."""
    if _SERVER_SAID_NO in said:
        reason = _first_words(said) or "the login or the database is refused"
        return Misconfigured(f"{role} lets us not in: {reason}", where=f"system {role}", code=str(number))
    return Transient(f"{role} did not answer: {_first_words(said) or 'no connection'}", system=role)


def _consequence(role: str, number: int, said: str) -> ThroughlineError:
    words, code = _first_words(said), str(number)
    if _LINE_BROKE.search(said) or not number:
        return Transient(f"{role} did not answer: {words or 'the connection broke'}", system=role, code=code)
    if number in _OUR_MISTAKE:
        return Misconfigured(f"{role} refuses: {words}", where=f"system {role}", code=code)
    if number in _PASSING:
        return Transient(f"{role} could not answer now: {words}", system=role, code=code)
    return Invalid(f"{role} could not carry the query out: {words}", system=role, code=code)


def _told(error: pymssql.Error) -> tuple[int, str]:
    """Number and words; pymssql nests them, and gives only words for a connection that is closed."""
    told: Any = error.args
    while isinstance(told, tuple) and len(told) == 1:
        told = told[0]
    if isinstance(told, tuple) and len(told) > 1 and isinstance(told[0], int):
        number, words = told[0], told[1]
    else:
        number, words = 0, told
    return number, words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)


def _first_words(said: str) -> str:
    """What the server said, without the driver's own commentary behind it."""
    return said.partition("DB-Lib error message")[0].strip()
