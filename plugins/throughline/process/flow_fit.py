"""Whether the plant's systems offer what a flow asks of them; said with file and line before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from throughline.connectors.contract import ObjectKind
from throughline.errors import Misconfigured
from throughline.process.definition import Flow
from throughline.process.flow_files import check_against, line_in_file

Objects = Callable[[str], Mapping[str, ObjectKind]]


def check_fit(flow: Flow, roles: Mapping[str, object], objects: Objects) -> None:
    """Raise `Misconfigured` at the first step that asks a system for something it does not offer."""
    if flow.subject.system not in roles:
        raise Misconfigured(_no_system(flow.subject.system, roles), where=flow.where)

    def missing(system: str, document: str, operation: str | None) -> str | None:
        if system not in roles:
            return _no_system(system, roles)
        return _missing_kind(system, objects(system).get(document), document, operation)

    for problem in check_against(flow, missing):
        raise Misconfigured(problem.sentence, where=line_in_file(flow, problem))


def _missing_kind(system: str, kind: ObjectKind | None, document: str, operation: str | None) -> str | None:
    if kind is None:
        return f"{system} knows no {document}"
    if operation is None:
        return None if kind.polled or kind.pushed else f"{system} does not tell about a {document}"
    if operation in kind.operations:
        return None
    offered = ", ".join(kind.operations) or "nothing"
    return f"{system} cannot {operation} a {document}; it offers {offered}"


def _no_system(role: str, roles: Mapping[str, object]) -> str:
    return f"no system plays the role {role}; there are {', '.join(sorted(roles))}"
