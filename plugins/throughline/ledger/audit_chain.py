"""The audit's chain: how a line is sealed with the one before, and what the first line out of order tells.

Pure: rows in, a finding out. Who knows how can seal a changed chain anew; only a head kept elsewhere shows that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, count
from typing import Any

from throughline.ledger.exact_json import dumps, hash_of

START = "0" * 64
"""What the first line is sealed with."""
_NEIGHBOURS = 10_000
"""How far away a misplaced line is looked for."""
_TELL_EVERY = 50_000


@dataclass(frozen=True)
class SealedLine:
    """A row of the audit exactly as it lies in the database; `details` is its text, digit for digit."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    process_id: int | None
    details: str
    prev_hash: str
    hash: str

    def fits(self, seq: int, before: str) -> bool:
        """Whether this is line `seq`, sealed with `before`, and nothing in it was changed since."""
        return (self.seq, self.prev_hash) == (seq, before) and self.sealed_as(seq, before)

    def sealed_as(self, seq: int, before: str) -> bool:
        """Whether its seal was made for this place of the chain."""
        return self.hash == self._resealed(seq, before)

    def _resealed(self, seq: int, before: str) -> str:
        return seal_of(before, seq, self.at, *self._content)

    @property
    def _content(self) -> tuple[Any, ...]:
        return self.actor, self.action, self.subject, self.process_id, self.details


@dataclass(frozen=True)
class Witness:
    """Somebody who knows how a line was sealed."""

    line: int
    seal: str
    who: str


@dataclass(frozen=True)
class Finding:
    """The first thing that is not as it was written.

    `kind` is one of: changed, dropped, inserted, reordered, cut off, rewritten. `line` is the first line concerned.
    """

    kind: str
    line: int
    sentence: str


@dataclass(frozen=True)
class Inspection:
    """How many lines are as they were written, from the first on, and what is wrong with the next."""

    lines: int
    seal: str
    finding: Finding | None = None

    @property
    def whole(self) -> bool:
        """Whether every line is as it was written."""
        return self.finding is None


def seal_of(before: str, seq: int, at: datetime, *content: Any) -> str:
    """SHA-256 over the seal before, the line's number, its moment in UTC, actor, action, subject, process, details."""
    return hash_of(dumps([before, seq, at.astimezone(UTC).isoformat(), *content]))


def inspect(
    rows: Iterable[SealedLine], witnesses: Sequence[Witness] = (), tell: Callable[[int], None] = lambda _: None
) -> Inspection:
    """Walk the chain from its first line to the first fault; `rows` come by number, and only once.

    Args:
        rows: all lines; they are never held in memory together.
        witnesses: what is known of the chain from elsewhere.
        tell: hears now and then how many lines have been read.
    """
    known: Mapping[int, list[Witness]] = defaultdict(list)
    for witness in witnesses:
        known[witness.line].append(witness)
    seq, seal, held, remaining = 0, START, 0, iter(rows)
    if fault := _contradicted(known, 0, START, 0):
        return Inspection(0, START, fault)
    for row in remaining:
        if not row.fits(seq + 1, seal):
            return Inspection(seq, seal, _fault(row, remaining, seq + 1, seal))
        seq, seal = row.seq, row.hash
        if seq in known:
            if fault := _contradicted(known, seq, seal, held):
                return Inspection(seq - 1, row.prev_hash, fault)
            held = seq
        if seq % _TELL_EVERY == 0:
            tell(seq)
    return Inspection(seq, seal, _at_the_end(seq, witnesses))


def _contradicted(known: Mapping[int, list[Witness]], seq: int, seal: str, held: int) -> Finding | None:
    for witness in known.get(seq, ()):
        if witness.seal != seal:
            place = f"line {seq}" if held + 1 >= seq else f"one of the lines {held + 1} to {seq}"
            return Finding(
                "rewritten", held + 1,
                f"{place} was changed and every line after it sealed anew: "
                f"{witness.who} knows line {seq} with another seal",
            )  # fmt: skip
    return None


def _at_the_end(seq: int, witnesses: Sequence[Witness]) -> Finding | None:
    beyond = [witness for witness in witnesses if witness.line > seq]
    if beyond:
        last = max(beyond, key=lambda witness: witness.line)
        return Finding("cut off", seq + 1, f"{_lines(seq + 1, last.line)} cut off at the end: {last.who} knows them")
    return None


def but_not_behind(found: Inspection, end: int, who: str) -> Inspection:
    """The same, unless there are lines behind `end`, the last of which `who` knows."""
    if found.finding or found.lines <= end:
        return found
    sentence = f"{_lines(end + 1, found.lines)} put in by hand: {who} does not know of it"
    return replace(found, finding=Finding("inserted", end + 1, sentence))


def _fault(row: SealedLine, following: Iterator[SealedLine], due: int, before: str) -> Finding:
    """What happened at the place of line `due`, where `row` was found instead."""
    if row.seq < due:
        return Finding("inserted", row.seq, f"a line numbered {row.seq} stands before the first")
    if row.seq > due:
        if row.prev_hash == before and row.sealed_as(due, before):
            return Finding("changed", due, f"line {due} was changed: its number is now {row.seq}")
        return Finding("dropped", due, f"{_lines(due, row.seq - 1)} dropped")
    return _fault_in_place(row, next(following, None), due, before)


def _fault_in_place(row: SealedLine, after: SealedLine | None, due: int, before: str) -> Finding:
    if row.sealed_as(due, before):
        return Finding("changed", due, f"line {due} was changed: it no longer names the seal of the line before")
    if after and after.prev_hash == before and _came_from(after, due) == due:
        return Finding("inserted", due, f"line {due} was put in by hand, and those after it were numbered anew")
    origin = _came_from(row, due)
    if origin is not None and origin != due:
        return _misplaced(due, origin, after)
    return Finding("changed", due, f"line {due} was changed: its content and its seal do not belong together")


def _misplaced(due: int, origin: int, after: SealedLine | None) -> Finding:
    if origin == due + 1 and (after is None or _came_from(after, due + 2) == due + 2):
        return Finding("dropped", due, f"line {due} was dropped, and those after it were numbered anew")
    return Finding("reordered", due, f"lines were reordered: in the place of line {due} stands what was line {origin}")


def _came_from(row: SealedLine, near: int) -> int | None:
    """The number under which this row was sealed, looked for around `near`."""
    around = chain([near], chain.from_iterable((near + away, near - away) for away in count(1)))
    for candidate in around:
        if abs(candidate - near) > _NEIGHBOURS:
            return None
        if candidate > 0 and row.sealed_as(candidate, row.prev_hash):
            return candidate
    return None


def _lines(first: int, last: int) -> str:
    return f"line {first} was" if first == last else f"the lines {first} to {last} were"
