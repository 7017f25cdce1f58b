"""How one document names another: `kind:owner:number`, a line of it `kind:owner:number#line`."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

Reference = Annotated[str, StringConstraints(pattern=r"^[a-z_]+:[a-z_0-9]+:[^#\s][^#]*(#[^#]+)?$", max_length=400)]


def _quoted(text: str) -> str:
    return text.strip().replace("%", "%25").replace("#", "%23")


def reference(kind: str, owner: str, number: str) -> str:
    """The canonical id of a document: its kind, the role that owns it, and its business number there."""
    if not number.strip():
        raise ValueError(f"a {kind} without a number cannot be named")
    return f"{kind}:{owner}:{_quoted(number)}"


def line_reference(header: str, line: str) -> str:
    """The canonical id of one line of a document."""
    return f"{header_of(header)}#{_quoted(line)}"


def header_of(ref: str) -> str:
    """The document a reference belongs to, whether it names the document or a line of it."""
    return ref.partition("#")[0]


def line_of(ref: str) -> str | None:
    """The line's own id, or None when the reference names a whole document."""
    return ref.partition("#")[2].replace("%23", "#").replace("%25", "%") or None
