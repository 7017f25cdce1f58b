"""Looks through everything a plant declares, and says which files are wrong, each with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from throughline.connectors.landscape import Landscape, System
from throughline.connectors.registry import profile_of
from throughline.connectors.yaml_files import read_model
from throughline.errors import Misconfigured
from throughline.mapping import load_sound_tables
from throughline.process.flow_files import load_flow, load_flows
from throughline.process.retention_rules import retention_in


@dataclass(frozen=True)
class BrokenFile:
    """A file that must be mended: what it is, where it is wrong, and what stands still meanwhile."""

    kind: str
    """table, code list, system, flow or rule"""
    where: str
    sentence: str
    stops: str


def broken_files(include: Path, products: Sequence[Path]) -> list[BrokenFile]:
    """Everything wrong in the plant's files and in the tables of these products, one entry for each file."""
    kept = _each([include], retention_in, "rule", "letting old contents go")
    found = [*_words(include, products), *_systems(include / "systems"), *_flows(include / "flows"), *kept]
    once: dict[tuple[str, str], BrokenFile] = {}
    for one in found:
        once.setdefault((one.where, one.sentence), one)
    return list(once.values())


def _words(include: Path, products: Sequence[Path]) -> Iterator[BrokenFile]:
    found = load_sound_tables(products, include / "codes", include / "mappings")
    for name, mistake in found.codes.broken.items():
        users = sorted(f"{product}/{document}" for (product, document), why in found.broken.items()
                       if why.message == mistake.message)  # fmt: skip
        yield _broken("code list", mistake, f"what {', '.join(users)} say" if users else f"nothing yet ({name})")
    for (product, document), mistake in found.broken.items():
        yield _broken("table", mistake, f"{document} of {product}")


def _systems(folder: Path) -> Iterator[BrokenFile]:
    """The files one by one; only when each is in order, what they say together."""
    wrong = list(_each(sorted(folder.glob("*.yaml")), _system, "system", "everything: it says whose numbers name what"))
    if wrong:
        yield from wrong
        return
    yield from _each([folder], Landscape.load, "system", "everything: it says whose numbers name what")


def _system(path: Path) -> None:
    profile_of(read_model(path, System).product)


def _flows(folder: Path) -> Iterator[BrokenFile]:
    wrong = list(_each(sorted(folder.glob("*.yaml")), load_flow, "flow", "every flow: none of its documents is lost"))
    if wrong:
        yield from wrong
        return
    yield from _each([folder], load_flows, "flow", "every flow: none of its documents is lost")


def _each(paths: Sequence[Path], read: Callable[[Path], object], kind: str, stops: str) -> Iterator[BrokenFile]:
    for path in paths:
        try:
            read(path)
        except Misconfigured as mistake:
            yield _broken(kind, mistake, stops)


def _broken(kind: str, mistake: Misconfigured, stops: str) -> BrokenFile:
    return BrokenFile(kind, mistake.where, mistake.message.removeprefix(f"{mistake.where}: "), stops)
