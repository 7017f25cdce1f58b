"""Units and exact conversion: by the item's own factors, and between measures that always relate the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from throughline.mapping.complaints import Complaint

Factors = tuple[str, Mapping[str, Decimal]]
"""An item's own unit, and how many of it one of another unit holds."""


class UnitEntry(BaseModel):
    """A unit as `units.yaml` declares it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    title: dict[str, str] = {}
    decimals: Annotated[int, Field(ge=0, le=12)] = 0
    of: str | None = None
    holds: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?$")] = "1"
    words: dict[str, list[str]]


@dataclass(frozen=True)
class Unit:
    """One unit: `decimals` 0 means it is counted; `of` and `holds` relate it to another measure for every item."""

    name: str
    decimals: int = 0
    of: str | None = None
    holds: Fraction = Fraction(1)

    @classmethod
    def of_entry(cls, name: str, entry: UnitEntry) -> Unit:
        """The unit a file declares."""
        return cls(name, entry.decimals, entry.of, Fraction(entry.holds))


class Units:
    """All units the company uses."""

    def __init__(self, units: Mapping[str, Unit]) -> None:
        self._units = dict(units)

    def __contains__(self, name: object) -> bool:
        return name in self._units

    def __iter__(self) -> object:
        return iter(self._units)

    def converts_alone(self, unit: str, to: str) -> bool:
        """Whether these two relate the same way for every item (g and kg), so that no item need be asked."""
        return unit == to or self._rooted(unit)[0] == self._rooted(to)[0]

    def convert(self, value: Decimal, unit: str, to: str, item: str, factors: Factors | None) -> Decimal:
        """The same amount in another unit, exactly; what does not come out exactly is refused in a planner's words."""
        if unit == to:
            return value
        ratio = self._ratio(unit, item, factors, other=to) / self._ratio(to, item, factors, other=unit)
        scale = 10 ** self._decimals(to)
        scaled = Fraction(value) * ratio * scale
        if scaled.denominator != 1:
            raise Complaint(self._remainder(value, unit, to, item, ratio), value)
        return _decimal(int(scaled), self._decimals(to))

    def _decimals(self, unit: str) -> int:
        found = self._units.get(unit)
        return found.decimals if found else 0

    def _rooted(self, unit: str) -> tuple[str, Fraction]:
        """The measure a unit goes back to, and how many of it one holds."""
        found, holds = self._units.get(unit), Fraction(1)
        while found and found.of:
            unit, holds = found.of, holds * found.holds
            found = self._units.get(unit)
        return unit, holds

    def _ratio(self, unit: str, item: str, factors: Factors | None, *, other: str) -> Fraction:
        """How many of a measure both units go back to one of `unit` holds."""
        root, holds = self._rooted(unit)
        if root == self._rooted(other)[0]:
            return holds
        base, own = factors if factors else (root, {})
        base_root, base_holds = self._rooted(base)
        if unit in own:
            return Fraction(own[unit]) * base_holds
        if root == base_root:
            return holds
        known = ", ".join([base, *(name for name in own if name != base)])
        raise Complaint(f"is in {unit}, and {_name(item)} has no factor for {unit}: its units are {known}", unit)

    def _remainder(self, value: Decimal, unit: str, to: str, item: str, ratio: Fraction) -> str:
        whole, each = int(Fraction(value) * ratio), 1 / ratio
        left = Fraction(value) - whole * each
        if each.denominator == 1 and left.denominator == 1:
            return (f"{unit} of {_name(item)} do not fill whole {to}: one {to} holds {each} {unit}, "
                    f"so {whole} {to} and {left} {unit} are left over")  # fmt: skip
        return f"{unit} of {_name(item)} do not come out exactly in {to} (one {unit} is {ratio} {to})"


def _name(item: str) -> str:
    return item.split(":", 2)[-1] or "the item"


def _decimal(scaled: int, decimals: int) -> Decimal:
    """`scaled` / 10^decimals without any context that could round it."""
    while decimals and scaled % 10 == 0:
        scaled, decimals = scaled // 10, decimals - 1
    return Decimal((int(scaled < 0), tuple(int(digit) for digit in str(abs(scaled))), -decimals))
