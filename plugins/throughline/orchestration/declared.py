"""What the plant declares in `include/`, read once and again only when a file changed.

Reading and checking all of it takes a few tenths of a second, and every task is a process of its own. A process that
was forked from one that had read it before pays only for a look at the files' stamps.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from throughline.connectors.landscape import Landscape, System
from throughline.connectors.places import include_directory, product_folders
from throughline.connectors.yaml_files import read_model
from throughline.process.flow_files import load_flow, load_flows

if TYPE_CHECKING:
    from throughline.mapping import Translator
    from throughline.process.definition import Flow

Stamps = tuple[tuple[str, int, int], ...]


def stamps_of(*paths: Path) -> Stamps:
    """Name, time of change and size of these files, and of those in these folders."""
    files = [file for path in paths for file in (sorted(path.rglob("*.yaml")) if path.is_dir() else [path])]
    return tuple((str(file), (stat := file.stat()).st_mtime_ns, stat.st_size) for file in files)


def flow_in(path: Path) -> Flow:
    """The flow of one file."""
    return _flow_in(path, stamps_of(path))


def system_in(path: Path) -> System:
    """The system of one file, without what it must have in common with the others."""
    return _system_in(path, stamps_of(path))


def flows() -> Mapping[str, Flow]:
    """Every flow by its name."""
    folder = include_directory() / "flows"
    return _flows(folder, stamps_of(folder))


def landscape() -> Landscape:
    """Which product plays which role."""
    folder = include_directory() / "systems"
    return _landscape(folder, stamps_of(folder))


def translator() -> Translator:
    """Every field table that is in order, over a registry that knows nobody: ask it `with_registry`."""
    include = include_directory()
    own = (include / "codes", include / "mappings", include / "systems")
    tables = (home for folder in product_folders() for home in sorted(folder.glob("*/tables")))
    return _translator(include, stamps_of(*own, *tables))


@lru_cache(maxsize=512)
def _flow_in(path: Path, stamps: Stamps) -> Flow:  # noqa: ARG001 - a changed stamp is another call
    return load_flow(path)


@lru_cache(maxsize=64)
def _system_in(path: Path, stamps: Stamps) -> System:  # noqa: ARG001 - a changed stamp is another call
    return read_model(path, System)


@lru_cache(maxsize=2)
def _flows(folder: Path, stamps: Stamps) -> Mapping[str, Flow]:  # noqa: ARG001 - a changed stamp is another call
    return load_flows(folder)


@lru_cache(maxsize=2)
def _landscape(folder: Path, stamps: Stamps) -> Landscape:  # noqa: ARG001 - a changed stamp is another call
    return Landscape.load(folder)


@lru_cache(maxsize=2)
def _translator(include: Path, stamps: Stamps) -> Translator:  # noqa: ARG001 - a changed stamp is another call
    from throughline.mapping import Translator, load_sound_tables
    from throughline.orchestration.strangers import Strangers

    found, roles = load_sound_tables(product_folders(), include / "codes", include / "mappings"), landscape()
    zones = {role: system.zone for role, system in roles.systems.items()}
    return Translator(found.tables, found.codes, roles.owners, Strangers(), zones=zones, broken=found.broken)


def read_everything() -> None:
    """Read all of it now, so that processes forked from this one need not."""
    flows(), landscape(), translator()
    for folder, read in (("flows", flow_in), ("systems", system_in)):
        for path in sorted((include_directory() / folder).glob("*.yaml")):
            read(path)
