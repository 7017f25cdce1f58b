"""What stands between a profile and its system: the limits that apply, the transport, the login."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import httpx
from pydantic import ValidationError

from throughline.connectors.contract import Connection
from throughline.connectors.mechanisms.http import credentials as who
from throughline.connectors.mechanisms.http.aiohttp_road import AiohttpRoad
from throughline.connectors.mechanisms.http.declared_auth import (
    BasicAuth,
    HeaderAuth,
    LoginCall,
    SessionAuth,
    SignedAuth,
    TokenAuth,
)
from throughline.connectors.mechanisms.http.declared_calls import Call
from throughline.connectors.mechanisms.http.logins import Login, LoginShelf, LoginStep
from throughline.connectors.mechanisms.http.outgoing import PreparedCall
from throughline.connectors.mechanisms.http.paths import compile_path
from throughline.connectors.mechanisms.http.product_parts import ProductParts, function_of
from throughline.connectors.mechanisms.http.profile import Limits, Profile
from throughline.connectors.mechanisms.http.road import Road, TransportRoad
from throughline.connectors.mechanisms.http.wire import Wire, checked_host
from throughline.errors import Misconfigured


def limits_for(profile: Profile, connection: Connection) -> Limits:
    """The profile's limits, with what the connection's extra says about this one installation."""
    where = f"connection {connection.name}"
    missing = [name for name in profile.requires if connection.extra.get(name) in (None, "")]
    if missing:
        raise Misconfigured(f"its extra needs {', '.join(missing)}", where=where)
    try:
        return Limits.model_validate({**profile.limits.model_dump(), **connection.extra.get("limits", {})})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise Misconfigured(f"limits.{'.'.join(map(str, first['loc']))}: {first['msg']}", where=where) from None


def road_for(connection: Connection, limits: Limits, transport: httpx.AsyncBaseTransport | None = None) -> Road:
    """The way to the system: straight there, through a proxy when the connection names one, or a given transport.

    No redirects, no retries, nothing from the environment: what is sent is what the profile says.
    """
    host = checked_host(connection)
    if transport is not None:
        return TransportRoad(host, transport, limits)
    certificate, proxy = connection.extra.get("ca_file"), connection.extra.get("proxy")
    trust = ssl.create_default_context(cafile=certificate) if host.startswith("https:") else None
    if proxy is None:
        return AiohttpRoad(host, limits, trust)
    kept = httpx.Limits(max_connections=None, keepalive_expiry=limits.keep_alive_seconds)
    through = httpx.AsyncHTTPTransport(verify=trust or False, trust_env=False, proxy=proxy, limits=kept)
    return TransportRoad(host, through, limits)


def credentials_for(
    profile: Profile, parts: ProductParts, path: Path, wire: Wire, compile_call: Callable[[Call], PreparedCall],
    shelf: LoginShelf | None = None,
) -> who.Credentials:  # fmt: skip
    """Who we are to this product, as its profile declares."""
    auth, connection = profile.auth, wire.connection
    if isinstance(auth, BasicAuth):
        return who.basic(connection)
    if isinstance(auth, HeaderAuth):
        return who.declared_headers(auth.headers, wire.scope())
    if isinstance(auth, SignedAuth):
        signer = function_of(parts.signer, auth.signer, part="signer", profile=profile, path=path)
        return who.signed(signer, connection, wire.clock, auth.options)
    if isinstance(auth, TokenAuth):
        keeps = {"token": auth.token, **auth.keeps}
        step = LoginStep(compile_call(auth.call), {name: compile_path(at) for name, at in keeps.items()})
        return Login(wire, [step], ttl=auth.ttl, place=auth.place, shelf=shelf)
    if isinstance(auth, SessionAuth):
        headers, introduction = (
            function_of(parts.signer, name, part="signer", profile=profile, path=path) if name else None
            for name in (auth.credential, auth.introduction)
        )
        steps = [_login_step(call, compile_call) for call in auth.calls]
        return Login(wire, steps, ttl=auth.ttl, headers=headers, cookies=auth.cookies, introduction=introduction,
                     shelf=shelf)  # fmt: skip
    return who.nothing()


def _login_step(call: LoginCall, compile_call: Callable[[Call], PreparedCall]) -> LoginStep:
    return LoginStep(compile_call(call), {name: compile_path(at) for name, at in call.keeps.items()})
