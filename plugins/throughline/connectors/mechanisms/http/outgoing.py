"""A request on its way out: filled in from its declared shape, then credentials or a signature, then bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from throughline.connectors.exact_json import write_json
from throughline.connectors.mechanisms.http.declared_calls import Call, VerdictRule
from throughline.connectors.mechanisms.http.shapes import Scope, compile_shape, is_reference
from throughline.connectors.mechanisms.http.verdicts import Answer, Verdict, compile_verdict

_FORM = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Outgoing:
    """One request before it becomes bytes; signers and credentials change it in place."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    kind: str
    message: str | None = None

    def content(self) -> bytes:
        """The body as bytes, its content type put into the headers."""
        if self.body is None:
            return b""
        if self.kind == "json":
            self.headers["content-type"] = "application/json"
            return write_json(self.body)
        self.headers["content-type"] = _FORM
        return urlencode(self.body).encode()

    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


@dataclass(slots=True, frozen=True)
class PreparedCall:
    """A declared call, compiled: what it asks, and how its answer is judged."""

    name: str
    fill: Callable[[Scope], Outgoing]
    judge: Callable[[Answer], Verdict]
    needs: frozenset[str]
    reads: bool
    unless_state: frozenset[str]


def prepare_call(
    call: Call, *, headers: Mapping[str, Any], rules: list[VerdictRule], encode: Callable[[Any], Any] | None,
) -> PreparedCall:  # fmt: skip
    """Compile a declared call with the profile's own headers, verdict rules and codec."""
    every_header = {**headers, **call.headers}
    return PreparedCall(
        name=call.name,
        fill=_compile_fill(call, every_header, encode),
        judge=compile_verdict([*call.verdict, *rules]),
        needs=_roots([call.path, call.query, every_header, call.body]),
        reads=call.reads,
        unless_state=frozenset(call.unless_state),
    )


def _compile_fill(
    call: Call, headers: Mapping[str, Any], encode: Callable[[Any], Any] | None
) -> Callable[[Scope], Outgoing]:
    path, query, header = _compile_path(call.path), compile_shape(call.query), compile_shape(headers)
    body, method, kind, message = compile_shape(call.body), call.method, call.body_kind, call.message
    has_query, has_headers = bool(call.query), bool(headers)

    def fill(scope: Scope) -> Outgoing:
        filled = body(scope)
        if encode is not None:
            filled = encode(filled)
        if kind != "json" and filled is not None:
            filled = {name: _field(value, kind) for name, value in filled.items()}
        return Outgoing(
            method, path(scope), _texts(query(scope)) if has_query else {},
            _texts(header(scope)) if has_headers else {}, filled, kind, message,
        )  # fmt: skip

    return fill


def _compile_path(path: str | list[str]) -> Callable[[Scope], str]:
    if isinstance(path, str) and not is_reference(path):
        whole = f"/{path.lstrip('/')}"
        return lambda _: whole
    parts = [
        (part if is_reference(part) else quote(part, safe="/:"), compile_shape(part))
        for part in ([path] if isinstance(path, str) else path)
    ]

    def fill(scope: Scope) -> str:
        filled = (quote(_scalar(fill(scope)), safe="") if is_reference(part) else part for part, fill in parts)
        return f"/{'/'.join(filled)}"

    return fill


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: _scalar(value) for name, value in values.items()}


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _field(value: Any, kind: str) -> str:
    if kind == "form_json" and isinstance(value, (dict, list)):
        return write_json(value).decode()
    return _scalar(value)


def _roots(node: Any) -> frozenset[str]:
    """The names the references of a shape begin with."""
    if isinstance(node, Mapping):
        return frozenset().union(*(_roots(value) for value in node.values()))
    if isinstance(node, list):
        return frozenset().union(*(_roots(value) for value in node))
    return frozenset({node[1:].rstrip("?").partition(".")[0]}) if is_reference(node) else frozenset()
