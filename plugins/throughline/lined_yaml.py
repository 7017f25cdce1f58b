"""Reads YAML into plain values and remembers on which line each stood; refuses what would lose exactness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from throughline.errors import Misconfigured

Location = tuple[str | int, ...]
_DEEPEST = 30


@dataclass(frozen=True)
class LinedFile:
    """A YAML file's content with the line of every entry."""

    path: Path
    content: Any
    lines: Mapping[Location, int]
    source: bytes

    def line(self, location: Sequence[str | int]) -> int:
        """The line of the deepest part of `location` that stands in the file."""
        place = tuple(location)
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def refuse(self, problems: Sequence[tuple[Location, str]]) -> NoReturn:
        """Raise one error naming every problem; `where` is the first one's line."""
        told = sorted({(self.line(place), _said(place, text)) for place, text in problems})
        first, *others = told
        also = "".join(f"; line {line}: {text}" for line, text in others)
        raise Misconfigured(first[1] + also, where=f"{shown_path(self.path)}:{first[0]}", problems=len(told))


def read_lined(path: Path) -> LinedFile:
    """The file, or `Misconfigured` with the line of the first mistake."""
    try:
        source = path.read_bytes()
        node = YAML(typ="safe", pure=True).compose(source.decode("utf-8"))
    except FileNotFoundError:
        raise Misconfigured("this file does not exist", where=shown_path(path)) from None
    except UnicodeDecodeError as error:
        raise Misconfigured("this file is not UTF-8", where=f"{shown_path(path)}:{error.start}") from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Misconfigured(f"this is not YAML: {error.problem}", where=f"{shown_path(path)}:{line}") from None
    except YAMLError as error:
        raise Misconfigured(f"this is not YAML: {error}", where=f"{shown_path(path)}:1") from None
    reader = _Reader(path)
    return LinedFile(path, reader.plain(node, ()), reader.lines, source)


def shown_path(path: Path) -> str:
    """The path as a person would say it: from the project's folder where possible."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _said(place: Location, text: str) -> str:
    return f"{'.'.join(str(part) for part in place)}: {text}" if place else text


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Location, int] = {}

    def plain(self, node: Node | None, place: Location) -> Any:
        """The node as a plain value."""
        if len(place) > _DEEPEST:
            self._refuse(node, place, "nested too deeply")
        if isinstance(node, MappingNode):
            return self._mapping(node, place)
        if isinstance(node, SequenceNode):
            return [self._entry(child, (*place, index)) for index, child in enumerate(node.value)]
        return self._scalar(node, place) if isinstance(node, ScalarNode) else None

    def _entry(self, node: Node, place: Location) -> Any:
        self.lines[place] = node.start_mark.line + 1
        return self.plain(node, place)

    def _mapping(self, node: MappingNode, place: Location) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node, place) if isinstance(key_node, ScalarNode) else None
            if key is None:
                self._refuse(key_node, place, "a key must be a word")
            here = (*place, key)
            self.lines[here] = key_node.start_mark.line + 1
            if any(key == other and type(key) is type(other) for other in found):
                self._refuse(key_node, here, "stands here twice")
            found[key] = self.plain(value_node, here)
        return found

    def _scalar(self, node: ScalarNode, place: Location) -> Any:
        tag = str(node.tag).rpartition(":")[2]
        if tag == "null":
            return None
        if tag == "bool":
            return node.value.lower() == "true"
        if tag == "int":
            return self._whole(node, place)
        if tag in {"str", "timestamp"}:
            return str(node.value)
        return self._refuse(node, place, f"write {node.value} in quotes, so that it stays exactly that")

    def _whole(self, node: ScalarNode, place: Location) -> int:
        text = str(node.value)
        if text.lstrip("-").isdigit() and str(int(text)) == text:
            return int(text)
        return self._refuse(node, place, f"write {text} in quotes, so that it stays exactly that")

    def _refuse(self, node: Node | None, place: Location, text: str) -> NoReturn:
        line = node.start_mark.line + 1 if node is not None else 1
        raise Misconfigured(_said(place, text), where=f"{shown_path(self.path)}:{line}")
