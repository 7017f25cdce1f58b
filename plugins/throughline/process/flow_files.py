"""Reads `include/flows/*.yaml`; whatever is wrong is said with file and line, before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from throughline.errors import Misconfigured
from throughline.process.definition import Flow, version_of
from throughline.process.flow_checks import Problem, problems_in


def load_flows(directory: Path) -> dict[str, Flow]:
    """Every flow of a directory by name."""
    flows: dict[str, Flow] = {}
    for path in sorted(directory.glob("*.yaml")):
        flow = load_flow(path)
        if flow.flow in flows:
            raise Misconfigured(f"the flow '{flow.flow}' is in {flows[flow.flow].where} too", where=str(path))
        flows[flow.flow] = flow
    return flows


def load_flow(path: Path) -> Flow:
    """One flow file, read and checked."""
    text = path.read_text(encoding="utf-8")
    tree = _parse(text, path)
    try:
        flow = Flow.model_validate({**_untied(tree), "version": version_of(text), "where": shown(path)})
    except ValidationError as error:
        raise _first_mistake(error, tree, path) from error
    for problem in problems_in(flow):
        raise Misconfigured(problem.sentence, where=f"{shown(path)}:{_line(tree, problem.place)}")
    return flow


Offers = Callable[[str, str, str | None], str | None]


def check_against(flow: Flow, offers: Offers) -> Iterator[Problem]:
    """What a flow asks of its systems that they do not offer; `offers` says why not, or None when they do.

    An await asks with operation None: does the system tell us about this document?
    """
    for name, step in flow.steps.items():
        wanted = step.effect
        asked: list[tuple[str, str, str | None]]
        asked = [(wanted.system, wanted.document, operation) for operation in wanted.may] if wanted else []
        if step.awaits:
            asked = [(step.awaits.system, step.awaits.document, None)]
        for question in asked:
            sentence = offers(*question)
            if sentence:
                yield Problem(("steps", name), f"step '{name}': {sentence}")


def line_in_file(flow: Flow, problem: Problem) -> str:
    """File and line of a problem found later, when the landscape is known."""
    path = Path(flow.where)
    return f"{flow.where}:{_line(_parse(path.read_text(encoding='utf-8'), path), problem.place)}"


def shown(path: Path) -> str:
    """A path as people write it: from `include/` on, when it lies there."""
    parts = path.parts
    return "/".join(parts[parts.index("include") :]) if "include" in parts else str(path)


def _parse(text: str, path: Path) -> CommentedMap:
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Misconfigured(f"this is not YAML: {error.problem}", where=f"{shown(path)}:{line}") from error
    if not isinstance(tree, CommentedMap):
        raise Misconfigured("a flow file is a mapping with flow, title, subject, start and steps", where=shown(path))
    return tree


def _first_mistake(error: ValidationError, tree: CommentedMap, path: Path) -> Misconfigured:
    first = error.errors()[0]
    place = tuple(part for part in first["loc"] if part != "[key]")
    said = first["msg"].removeprefix("Value error, ")
    inside = ".".join(str(part) for part in place)
    return Misconfigured(f"{inside}: {said}", where=f"{shown(path)}:{_line(tree, place)}")


def _line(tree: Any, place: tuple[Any, ...]) -> int:
    """The line of the deepest part of a place that is in the file."""
    line = 1
    for part in place:
        found = _child(tree, part)
        if found is None:
            break
        line, tree = found
    return line


def _child(tree: Any, part: Any) -> tuple[int, Any] | None:
    if isinstance(tree, CommentedMap) and part in tree:
        return tree.lc.key(part)[0] + 1, tree[part]
    if isinstance(tree, CommentedSeq) and isinstance(part, int) and part < len(tree):
        return tree.lc.item(part)[0] + 1, tree[part]
    return None


def _untied(node: Any) -> Any:
    """Plain dicts, lists and texts: the loader's own node types stay here."""
    if isinstance(node, CommentedMap):
        return {str(key): _untied(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_untied(value) for value in node]
    return str(node) if isinstance(node, str) else node
