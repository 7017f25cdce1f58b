"""What a failure of the road means: one table from httpx's exceptions to ours.

The question that decides is whether the request can have reached the system. `BEFORE`: nothing was sent, try again
later. `AFTER`: it may have arrived; a read is tried again, a write is in doubt. `SETUP`: an address or a setting is
wrong and will stay wrong.
"""

from __future__ import annotations

from enum import Enum

import httpx

from throughline.errors import InDoubt, Misconfigured, ThroughlineError, Transient


class Moment(Enum):
    """When a call failed, as far as the other side is concerned."""

    BEFORE = "before anything was sent"
    AFTER = "after the request was, or may have been, sent"
    SETUP = "because an address or a setting is wrong"


FAILURES: dict[type[BaseException], Moment] = {
    httpx.ConnectError: Moment.BEFORE,
    httpx.ConnectTimeout: Moment.BEFORE,
    httpx.PoolTimeout: Moment.BEFORE,
    httpx.ProxyError: Moment.BEFORE,
    httpx.ReadTimeout: Moment.AFTER,
    httpx.ReadError: Moment.AFTER,
    httpx.WriteTimeout: Moment.AFTER,
    httpx.WriteError: Moment.AFTER,
    httpx.CloseError: Moment.AFTER,
    httpx.RemoteProtocolError: Moment.AFTER,
    httpx.DecodingError: Moment.AFTER,
    httpx.StreamConsumed: Moment.AFTER,
    httpx.StreamClosed: Moment.AFTER,
    httpx.ResponseNotRead: Moment.AFTER,
    httpx.RequestNotRead: Moment.SETUP,
    httpx.LocalProtocolError: Moment.SETUP,
    httpx.UnsupportedProtocol: Moment.SETUP,
    httpx.TooManyRedirects: Moment.SETUP,
    httpx.InvalidURL: Moment.SETUP,
    httpx.CookieConflict: Moment.SETUP,
    httpx.HTTPStatusError: Moment.AFTER,
    TimeoutError: Moment.AFTER,
    # families, for whatever httpx adds to them
    httpx.NetworkError: Moment.AFTER,
    httpx.TimeoutException: Moment.AFTER,
    httpx.ProtocolError: Moment.AFTER,
    httpx.TransportError: Moment.AFTER,
    httpx.RequestError: Moment.AFTER,
    httpx.HTTPError: Moment.AFTER,
    httpx.StreamError: Moment.AFTER,
}

ROAD_FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError, TimeoutError)
"""What the road can raise; anything else is a mistake of ours and is not dressed up as theirs."""


def moment_of(error: BaseException) -> Moment:
    """When this failure struck, by the nearest entry of the table."""
    return next(FAILURES[kind] for kind in type(error).__mro__ if kind in FAILURES)


def road_failure(error: BaseException, *, writes: bool, system: str, where: str, path: str) -> ThroughlineError:
    """Our error for a failure on the road."""
    moment, name = moment_of(error), type(error).__name__
    if moment is Moment.SETUP:
        return Misconfigured(f"the address or a header of this connection cannot be used ({name})", where=where,
                             system=system, code=name, path=path)  # fmt: skip
    if moment is Moment.BEFORE:
        return Transient(f"{system} could not be reached ({name})", system=system, code=name, path=path)
    if writes:
        return InDoubt(f"{system} gave no answer to a write ({name}): it may have been carried out",
                       system=system, code=name, path=path)  # fmt: skip
    return Transient(f"{system} gave no answer ({name})", system=system, code=name, path=path)
