"""What a person must mend now: broken files, what they hold up, and places where an address or a secret is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from throughline.ledger.entries import PutOff, Trouble
    from throughline.process.declarations import BrokenFile


@dataclass(frozen=True)
class Wrong:
    """One thing to mend, in the shape of `status --json`: never healthy, and `said` names what to do."""

    name: str
    title: str
    state: str
    """broken (a file), held (documents that wait for a file) or misconfigured (a place that cannot work)"""
    said: str
    healthy: bool = False

    @property
    def sentence(self) -> str:
        """In one line."""
        return f"{self.title}: {self.said}"


def what_is_wrong(*, ask_ledger: bool = True) -> list[Wrong]:
    """Everything to mend that can be seen from here, files first; a ledger that is away is passed over."""
    files = [_file(one) for one in _broken_files()]
    return [*files, *(_told_by_ledger(known=[one.said for one in files]) if ask_ledger else [])]


def _broken_files() -> Sequence[BrokenFile]:
    from throughline.connectors.places import include_directory, product_folders

    include, products = include_directory(), product_folders()
    files = (file for folder in (include, *products) for file in sorted(folder.rglob("*.yaml")))
    return _looked_through(include, products, tuple((file, file.stat().st_mtime_ns) for file in files))


@lru_cache(maxsize=1)
def _looked_through(
    include: Path,
    products: Sequence[Path],
    stamps: tuple[tuple[Path, int], ...],  # noqa: ARG001 - changed: look again
) -> Sequence[BrokenFile]:
    """Reading all of it takes a second or more: who asks again and again pays only when a file changed."""
    from throughline.process.declarations import broken_files

    return broken_files(include, products)


def _told_by_ledger(known: Sequence[str]) -> list[Wrong]:
    """What the hub's tasks met; a file that was named already is not named again."""
    from throughline.command_line.open_ledger import open_ledger
    from throughline.errors import ThroughlineError

    try:
        with open_ledger() as ledger, ledger.transaction() as books:
            held, troubles = books.records.put_off_now(), books.troubles.lasting()
    except ThroughlineError:
        return []
    told = [_trouble(one) for one in troubles if not any(_same(one.sentence, said) for said in known)]
    return [*(_held(one) for one in held), *told]


def _same(sentence: str, said: str) -> bool:
    return said.partition(" (stops")[0] in sentence


def _file(one: BrokenFile) -> Wrong:
    return Wrong(one.where, f"Broken {one.kind}", "broken", f"{one.where}: {one.sentence} (stops {one.stops})")


def _held(one: PutOff) -> Wrong:
    from throughline.command_line.drawing import clock

    said = f"{one.count} wait since {clock(one.oldest)}, read again at {clock(one.again)}: {one.reason}"
    return Wrong(f"{one.role}/{one.document}", f"Held {one.document} of {one.role}", "held", said)


def _trouble(one: Trouble) -> Wrong:
    from throughline.command_line.drawing import clock

    often = f", {one.times} times" if one.times > 1 else ""
    said = f"{one.sentence} (since {clock(one.since)}{often})"
    return Wrong(one.place, one.place.capitalize(), "misconfigured", said)
