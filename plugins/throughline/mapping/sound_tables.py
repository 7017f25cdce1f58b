"""The field tables and code lists that can be used, and what is wrong with the others: one broken file stops no other.

A document whose table is broken is held until the file is mended; see `Translator`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from throughline.errors import Misconfigured
from throughline.mapping.codes import Codes
from throughline.mapping.table import Table, table_at

Place = tuple[str, str]
"""A product and one of its documents."""


@dataclass(frozen=True)
class SoundTables:
    """Tables that loaded, and for every other (product, document) the mistake with its file and line."""

    codes: Codes
    tables: tuple[Table, ...]
    broken: Mapping[Place, Misconfigured]


def load_sound_tables(products: Sequence[Path], codes: Path, overrides: Path | None = None) -> SoundTables:
    """Every table that is in order, over the code lists that are; for a plant's own broken table there is no other.

    Args:
        products: the folders with `<product>/tables/<document>.yaml`; a product in the first is taken from there.
        codes: the folder with the code lists.
        overrides: the plant's own tables, `<product>/<document>.yaml`.
    """
    lists = Codes.load_sound(codes)
    found: dict[Place, Table] = {}
    broken: dict[Place, Misconfigured] = {}
    for place, path in _files(products, overrides):
        found.pop(place, None)
        broken.pop(place, None)
        try:
            found[place] = table_at(path, place[0], lists)
        except Misconfigured as mistake:
            broken[place] = mistake
    return SoundTables(lists, tuple(found.values()), broken)


def _files(products: Sequence[Path], overrides: Path | None) -> Iterator[tuple[Place, Path]]:
    homes: dict[str, Path] = {}
    for folder in products:
        for home in sorted(folder.glob("*/tables")):
            homes.setdefault(home.parent.name, home)
    for product, home in homes.items():
        yield from (((product, path.stem), path) for path in sorted(home.glob("*.yaml")))
    for path in sorted(overrides.glob("*/*.yaml")) if overrides else ():
        yield (path.parent.name, path.stem), path
