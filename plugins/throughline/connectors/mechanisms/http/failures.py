"""What a failure of the road means: one table from aiohttp's and httpx's exceptions to ours.

The question that decides is whether the request can have reached the system. `BEFORE`: nothing was sent, try again
later. `AFTER`: it may have arrived; a read is tried again, a write is in doubt. `SETUP`: an address or a setting is
wrong and will stay wrong.
"""

from __future__ import annotations

from enum import Enum

import aiohttp
import httpx
from aiohttp.http_exceptions import HttpProcessingError

from throughline.connectors.mechanisms.http.aiohttp_road import HeaderRefused, Interrupted
from throughline.errors import InDoubt, Misconfigured, ThroughlineError, Transient


class Moment(Enum):
    """When a call failed, as far as the other side is concerned."""

    BEFORE = "before anything was sent"
    AFTER = "after the request was, or may have been, sent"
    SETUP = "because an address or a setting is wrong"


OF_AIOHTTP: dict[type[BaseException], Moment] = {
    aiohttp.ClientConnectorError: Moment.BEFORE,
    aiohttp.ClientConnectorDNSError: Moment.BEFORE,
    aiohttp.ClientConnectorSSLError: Moment.BEFORE,
    aiohttp.ClientConnectorCertificateError: Moment.BEFORE,
    aiohttp.ClientSSLError: Moment.BEFORE,
    aiohttp.ClientProxyConnectionError: Moment.BEFORE,
    aiohttp.ConnectionTimeoutError: Moment.BEFORE,
    aiohttp.ServerFingerprintMismatch: Moment.BEFORE,
    aiohttp.ClientHttpProxyError: Moment.BEFORE,
    Interrupted: Moment.AFTER,
    aiohttp.ServerDisconnectedError: Moment.AFTER,
    aiohttp.SocketTimeoutError: Moment.AFTER,
    aiohttp.ClientConnectionResetError: Moment.AFTER,
    aiohttp.ClientPayloadError: Moment.AFTER,
    aiohttp.ContentTypeError: Moment.AFTER,
    aiohttp.TooManyRedirects: Moment.AFTER,
    aiohttp.RedirectClientError: Moment.AFTER,
    aiohttp.InvalidUrlRedirectClientError: Moment.AFTER,
    aiohttp.NonHttpUrlRedirectClientError: Moment.AFTER,
    aiohttp.WSServerHandshakeError: Moment.AFTER,
    aiohttp.UploadAbortedError: Moment.AFTER,
    HeaderRefused: Moment.SETUP,
    aiohttp.InvalidURL: Moment.SETUP,
    aiohttp.InvalidUrlClientError: Moment.SETUP,
    aiohttp.NonHttpUrlClientError: Moment.SETUP,
    # families, for whatever aiohttp adds to them
    aiohttp.ServerTimeoutError: Moment.AFTER,
    aiohttp.ServerConnectionError: Moment.AFTER,
    aiohttp.ClientOSError: Moment.AFTER,
    aiohttp.ClientConnectionError: Moment.AFTER,
    aiohttp.ClientResponseError: Moment.AFTER,
    aiohttp.ClientError: Moment.AFTER,
    HttpProcessingError: Moment.AFTER,
}

OF_HTTPX: dict[type[BaseException], Moment] = {
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
    # families, for whatever httpx adds to them
    httpx.NetworkError: Moment.AFTER,
    httpx.TimeoutException: Moment.AFTER,
    httpx.ProtocolError: Moment.AFTER,
    httpx.TransportError: Moment.AFTER,
    httpx.RequestError: Moment.AFTER,
    httpx.HTTPError: Moment.AFTER,
    httpx.StreamError: Moment.AFTER,
}

FAILURES = {**OF_AIOHTTP, **OF_HTTPX, TimeoutError: Moment.AFTER}

ROAD_FAILURES = (
    aiohttp.ClientError, HttpProcessingError,
    httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError, TimeoutError,
)  # fmt: skip
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
