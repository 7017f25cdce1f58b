"""Order lines with all their versions, each with the ledger its receipts and invoices are written into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from throughline.canonical import PurchaseOrder, PurchaseOrderLine, header_of, line_reference
from throughline.rules.matching.claims import Claim
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.measures import LineUnit, MissingFactor, line_unit
from throughline.rules.matching.money import ZERO
from throughline.rules.matching.reasons import Reason, reason
from throughline.rules.matching.stock import Stock
from throughline.rules.matching.terms import Terms


@dataclass(slots=True, eq=False)
class LineVersion:
    """An order line as one version of the order has it; `ordered` in the line's unit."""

    order: PurchaseOrder
    line: PurchaseOrderLine
    holds_from: date
    ordered: Decimal


@dataclass(slots=True, eq=False)
class OrderLine:
    """One order line: its versions, what came for it, and what is charged for it."""

    ref: str
    versions: list[LineVersion]
    unit: LineUnit
    terms: Terms
    stocks: list[Stock] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    problems: list[Reason] = field(default_factory=list)
    unreferenced_returns: Decimal = ZERO
    matched: Decimal = ZERO
    lost: list[tuple[str, Decimal]] | None = None
    """goods that would have been there, by what became of them; reckoned once"""

    @property
    def latest(self) -> LineVersion:
        """The line as it stands now."""
        return self.versions[-1]

    def at(self, day: date) -> LineVersion:
        """The version that holds on a day: the highest of those begun by then, else the first."""
        if len(self.versions) == 1:
            return self.versions[0]
        begun = [version for version in self.versions if version.holds_from <= day]
        return begun[-1] if begun else self.versions[0]

    @property
    def complete(self) -> bool:
        """Whether nothing more will be delivered."""
        return self.latest.line.delivery_complete or self.latest.order.status in ("short_closed", "closed", "cancelled")


class OrderBook:
    """Every order line somebody names, built when it is first asked for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lines: dict[str, OrderLine | None] = {}
        self._orders: dict[str, dict[str, list[LineVersion]]] = {}

    def line(self, ref: str) -> OrderLine | None:
        """The line of this reference, or None when no order has it."""
        if ref not in self._lines:
            self._lines[ref] = self._built(ref)
        return self._lines[ref]

    def known(self) -> Iterator[OrderLine]:
        """Every line asked for so far."""
        return (line for line in self._lines.values() if line is not None)

    def _built(self, ref: str) -> OrderLine | None:
        header = header_of(ref)
        if header not in self._orders:
            self._orders[header] = self._versions(header)
        versions = self._orders[header].get(ref)
        if not versions:
            return None
        latest = versions[-1]
        unit = line_unit(latest.line, self._desk.papers)
        built = OrderLine(ref, versions, unit, self._desk.terms.of(latest.order.supplier, latest.line.category))
        for version in versions:
            try:
                version.ordered = unit.of(version.line.quantity)
            except MissingFactor as missing:
                data = {"unit": missing.unit, "item": version.line.item or "-", "into": missing.into}
                built.problems.append(reason("factor_missing", header, version.line.line, **data))
        return built

    def _versions(self, header: str) -> dict[str, list[LineVersion]]:
        found: dict[str, list[LineVersion]] = {}
        for order in self._desk.papers.versions(header):
            for line in order.lines:
                version = LineVersion(order, line, order.valid_from or order.ordered_on, ZERO)
                found.setdefault(line_reference(header, line.line), []).append(version)
        return found
