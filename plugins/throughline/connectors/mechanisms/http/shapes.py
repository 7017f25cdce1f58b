"""Turns the shape of a request, written as YAML, into a function that fills it in.

A shape is a plain structure. A leaf that is exactly `$name.path` stands for that value; with a question mark
(`$name.path?`) its entry is left out when there is none. `$$` starts a literal dollar. A map may hold
`$with: $payload` (start from these entries) and `$without: [lines]` (but not these). There is nothing else: no
templates, no expressions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from throughline.connectors.mechanisms.http.paths import MISSING, compile_path
from throughline.errors import Invalid

Scope = Mapping[str, Any]
Shape = Callable[[Scope], Any]

ROOTS = frozenset(
    {
        "payload", "reference", "key", "document", "connection", "token", "session", "page", "position",
        "since", "until", "parents", "their_ids", "calls", "state", "found", "now", "now_ms", "uuid",
        "columns",
    }
)  # fmt: skip
"""Every name a shape may begin a reference with."""


def is_reference(leaf: Any) -> bool:
    """Whether this leaf stands for another value."""
    return isinstance(leaf, str) and len(leaf) > 1 and leaf[0] == "$" and leaf[1] != "$"


def check_shape(node: Any) -> Any:
    """The shape unchanged, or ValueError naming the reference that begins with an unknown name."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key != "$without":
                check_shape(value)
    elif isinstance(node, list):
        for value in node:
            check_shape(value)
    elif is_reference(node) and node[1:].rstrip("?").partition(".")[0] not in ROOTS:
        raise ValueError(f"{node} begins with none of {', '.join(sorted(ROOTS))}")
    return node


def compile_shape(node: Any) -> Shape:
    """A function from what is known (payload, page, connection, …) to the filled-in structure."""
    constant, shape = _compile(node)
    return (lambda _: constant) if shape is None else shape


def _compile(node: Any) -> tuple[Any, Shape | None]:
    """Either a constant, or a function: parts without references are made once."""
    if isinstance(node, Mapping):
        return _compile_map(node)
    if isinstance(node, list):
        return _compile_list(node)
    if is_reference(node):
        return None, _compile_leaf(node)
    return (node[1:] if isinstance(node, str) and node.startswith("$$") else node), None


def _compile_leaf(leaf: str) -> Shape:
    optional, path = leaf.endswith("?"), leaf[1:].rstrip("?")
    read = compile_path(path)

    def fill(scope: Scope) -> Any:
        value = read(scope)
        if value is MISSING or (optional and value is None):
            if optional:
                return MISSING
            raise Invalid(f"this request needs {path}, and there is none", field=path)
        return value

    return fill


def _compile_list(node: list[Any]) -> tuple[Any, Shape | None]:
    parts = [_compile(value) for value in node]
    if all(shape is None for _, shape in parts):
        return [constant for constant, _ in parts], None

    def fill(scope: Scope) -> list[Any]:
        filled = [constant if shape is None else shape(scope) for constant, shape in parts]
        return [value for value in filled if value is not MISSING]

    return None, fill


def _compile_map(node: Mapping[str, Any]) -> tuple[Any, Shape | None]:
    spread = _compile_leaf(node["$with"]) if "$with" in node else None
    without = frozenset(node.get("$without", ()))
    parts = [(key, *_compile(value)) for key, value in node.items() if key not in ("$with", "$without")]
    if spread is None and all(shape is None for _, _, shape in parts):
        return {key: constant for key, constant, _ in parts}, None

    def fill(scope: Scope) -> dict[str, Any]:
        filled: dict[str, Any] = {}
        if spread is not None:
            filled = {key: value for key, value in spread(scope).items() if key not in without}
        for key, constant, shape in parts:
            value = constant if shape is None else shape(scope)
            if value is not MISSING:
                filled[key] = value
        return filled

    return None, fill
