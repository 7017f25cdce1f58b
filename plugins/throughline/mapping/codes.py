"""Code lists: the company's codes and every product's words for them (`include/codes/*.yaml`).

    title: {en: Currencies, zh: 币种}
    open: false                     # true: a word that is not listed is kept as it is
    words:
      CNY: {any: [CNY, 人民币], kingdee_cloud: [PRE001]}

Reading accepts a product's own words and the words of `any`; writing uses the first of the product's own, else the
first of `any`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from throughline.errors import Misconfigured
from throughline.lined_yaml import LinedFile, Location, read_lined
from throughline.mapping.units import Unit, UnitEntry, Units

ANY = "any"
UNITS = "units"
Words = dict[str, list[str]]
Model = TypeVar("Model", bound=BaseModel)


class _ListFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    title: dict[str, str] = {}
    open: bool = False
    words: dict[str, Words]


class _UnitsFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    title: dict[str, str] = {}
    units: dict[str, UnitEntry]


@dataclass(frozen=True)
class CodeList:
    """One list: our codes and each product's words for them."""

    name: str
    words: Mapping[str, Words]
    open: bool = False
    fingerprint: str = ""

    def reading(self, product: str) -> dict[str, str]:
        """Their word -> our code."""
        found = {word: code for code, words in self.words.items() for word in words.get(ANY, [])}
        found |= {word: code for code, words in self.words.items() for word in words.get(product, [])}
        return found

    def writing(self, product: str) -> dict[str, str]:
        """Our code -> their word."""
        spoken = {code: words.get(product) or words.get(ANY) for code, words in self.words.items()}
        return {code: words[0] for code, words in spoken.items() if words}


@dataclass(frozen=True)
class Codes:
    """Every code list and the units, loaded and checked together."""

    lists: Mapping[str, CodeList] = field(default_factory=dict)
    units: Units = field(default_factory=lambda: Units({}))
    broken: Mapping[str, Misconfigured] = field(default_factory=dict)
    """lists whose file is wrong, each with the mistake: a table that uses one is wrong for the same reason"""

    @classmethod
    def load(cls, directory: Path) -> Codes:
        """All lists of a folder; `units.yaml` also says which units are counted and which are measured."""
        found = cls.load_sound(directory)
        for mistake in found.broken.values():
            raise mistake
        return found

    @classmethod
    def load_sound(cls, directory: Path) -> Codes:
        """The lists of a folder that are in order, and what is wrong with the others."""
        lists: dict[str, CodeList] = {}
        units, broken = Units({}), {}
        for path in sorted(directory.glob("*.yaml")):
            try:
                if path.stem == UNITS:
                    units, lists[UNITS] = _units(read_lined(path))
                else:
                    lists[path.stem] = _codes(read_lined(path), path.stem)
            except Misconfigured as mistake:
                broken[path.stem] = mistake
        return cls(MappingProxyType(lists), units, MappingProxyType(broken))

    def whole(self, name: str) -> None:
        """Raise what is wrong with this list, if anything is."""
        if name in self.broken:
            raise self.broken[name].with_traceback(None)

    def fingerprint(self, names: set[str]) -> str:
        """A hash of these lists' files, part of a mapping's version."""
        found = "|".join(self.lists[name].fingerprint for name in sorted(names) if name in self.lists)
        return hashlib.sha256(found.encode()).hexdigest()


def _units(file: LinedFile) -> tuple[Units, CodeList]:
    parsed = _parsed(file, _UnitsFile)
    parts = {name: entry.of for name, entry in parsed.units.items() if entry.of}
    strangers = [name for name, whole in parts.items() if whole not in parsed.units]
    if strangers:
        file.refuse([(("units", name, "of"), "is not a unit of this file") for name in strangers])
    circles = [name for name in parts if _goes_round(name, parts)]
    if circles:
        file.refuse([(("units", name, "of"), "goes round in a circle") for name in circles])
    found = _list(file, UNITS, {name: entry.words for name, entry in parsed.units.items()}, UNITS)
    return Units({name: Unit.of_entry(name, entry) for name, entry in parsed.units.items()}), found


def _codes(file: LinedFile, name: str) -> CodeList:
    parsed = _parsed(file, _ListFile)
    return _list(file, name, parsed.words, "words", open_=parsed.open)


def _goes_round(unit: str, parts: Mapping[str, str]) -> bool:
    seen = {unit}
    while unit in parts:
        unit = parts[unit]
        if unit in seen:
            return True
        seen.add(unit)
    return False


def _parsed(file: LinedFile, model: type[Model]) -> Model:
    try:
        return model.model_validate(file.content)
    except ValidationError as error:
        file.refuse([(found["loc"], found["msg"].removeprefix("Value error, ")) for found in error.errors()])


def _list(file: LinedFile, name: str, words: Mapping[str, Words], top: str, *, open_: bool = False) -> CodeList:
    problems: list[tuple[Location, str]] = []
    heard: dict[tuple[str, str], str] = {}
    for code, by_product in words.items():
        if not any(by_product.values()):
            problems.append(((top, code), "has no word in any product"))
        for product, spoken in by_product.items():
            for word in spoken:
                other = heard.setdefault((product, word), code)
                if other != code:
                    problems.append(((top, code, product), f"{word} already means {other} there"))
    if problems:
        file.refuse(problems)
    return CodeList(name, words, open_, hashlib.sha256(file.source).hexdigest())
