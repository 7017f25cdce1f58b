"""Reads a YAML file into a strict model; whatever is wrong is said with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from throughline.errors import Misconfigured

Model = TypeVar("Model", bound=BaseModel)


class Strict(BaseModel):
    """A declaration in a file: nothing beyond what is named here may stand in it, and nothing changes it later."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def read_model(path: Path, model: type[Model]) -> Model:
    """The file as this model, or `Misconfigured` naming the line to mend."""
    source = _load(path)
    try:
        return model.model_validate(_plain(source))
    except ValidationError as error:
        first = min(error.errors(include_url=False), key=lambda found: found["type"] != "extra_forbidden")
        line, name = _line_of(source, first["loc"])
        others = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        sentence = first["msg"].removeprefix("Value error, ")
        raise Misconfigured(f"{name}: {sentence}{others}", where=f"{shown(path)}:{line}") from None


def shown(path: Path) -> str:
    """The path as a person would say it: from the project's folder where possible."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _load(path: Path) -> Any:
    try:
        return YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Misconfigured("this file does not exist", where=shown(path)) from None
    except MarkedYAMLError as error:
        line = (error.problem_mark.line + 1) if error.problem_mark else 1
        raise Misconfigured(f"not YAML: {error.problem}", where=f"{shown(path)}:{line}") from None


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    if isinstance(node, str):
        return str(node)
    if isinstance(node, bool) or node is None:
        return node
    return int(node) if isinstance(node, int) else float(node) if isinstance(node, float) else node


def _line_of(source: Any, location: tuple[Any, ...]) -> tuple[int, str]:
    """The line of the deepest part of `location` that is in the file, and its name."""
    node, line, names = source, 1, []
    for part in location:
        here = _mark(node, part)
        if here is None:
            names.append(str(part))
            continue
        line, node = here
        names.append(str(part))
    return line, ".".join(names) or "file"


def _mark(node: Any, part: Any) -> tuple[int, Any] | None:
    if isinstance(node, CommentedMap) and part in node:
        return node.lc.key(part)[0] + 1, node[part]
    if isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
        return node.lc.item(part)[0] + 1, node[part]
    return None
