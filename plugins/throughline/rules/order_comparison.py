"""What differs between the order in force and its new revision: line by line, then in one word."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Literal

from throughline.canonical import SalesOrder, SalesOrderLine
from throughline.rules.dossier import Dossier
from throughline.rules.progress import LineProgress, is_cancelled, line_progress
from throughline.rules.units import ZERO, base_unit, in_base, plain

ChangeKind = Literal["none", "increase", "decrease", "cancel", "lines", "address", "date"]
LineChange = Literal["added", "removed", "item", "increase", "decrease", "price", "date", "kept"]


@dataclass(frozen=True)
class LineDelta:
    """One line before and after, in base units; `floor` is what already exists of it and cannot be taken back."""

    line: str
    item: str
    unit: str
    before: Decimal
    after: Decimal
    floor: Decimal
    change: LineChange

    def as_text(self) -> dict[str, Any]:
        """The delta as conditions and verdicts carry it: numbers as text."""
        told = {name: plain(value) if isinstance(value, Decimal) else value for name, value in asdict(self).items()}
        return {**told, "delta": plain(self.after - self.before)}


def compare_lines(before: SalesOrder, after: SalesOrder, dossier: Dossier) -> list[LineDelta]:
    """Every line of either version, in the old order and then the new ones."""
    progress = {line.line: line for line in line_progress(before, dossier)}
    old = {line.line: line for line in before.lines}
    new = {line.line: line for line in after.lines} if not is_cancelled(after) else {}
    names = [*old, *(name for name in new if name not in old)]
    return [_delta(old.get(name), new.get(name), progress.get(name), dossier) for name in names]


def change_kind(before: SalesOrder, after: SalesOrder, deltas: list[LineDelta]) -> ChangeKind:
    """The heaviest thing that changed."""
    if is_cancelled(after):
        return "cancel"
    changes = {delta.change for delta in deltas} - {"kept", "date"}
    if changes in ({"increase"}, {"decrease"}):
        return "increase" if "increase" in changes else "decrease"
    if changes:
        return "lines"
    if (before.ship_to, before.customer) != (after.ship_to, after.customer):
        return "address"
    if before.requested_on != after.requested_on or any(delta.change == "date" for delta in deltas):
        return "date"
    return "none"


def _delta(
    old: SalesOrderLine | None, new: SalesOrderLine | None, progress: LineProgress | None, dossier: Dossier
) -> LineDelta:
    known = new or old
    if known is None:
        raise ValueError("a line is in one of the two versions")
    before = in_base(old.quantity, old.item, dossier) if old else ZERO
    after = in_base(new.quantity, new.item, dossier) if new else ZERO
    return LineDelta(
        line=known.line,
        item=known.item,
        unit=base_unit(known.item, dossier),
        before=before,
        after=after,
        floor=progress.floor if progress else ZERO,
        change=_line_change(old, new, before, after),
    )


def _line_change(old: SalesOrderLine | None, new: SalesOrderLine | None, before: Decimal, after: Decimal) -> LineChange:
    if old is None:
        return "added"
    if new is None:
        return "removed"
    if old.item != new.item:
        return "item"
    if after != before:
        return "increase" if after > before else "decrease"
    if old.unit_price != new.unit_price:
        return "price"
    return "date" if old.requested_on != new.requested_on else "kept"
