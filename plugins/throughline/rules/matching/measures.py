"""Units and currencies made comparable: by the item's factors, the supplier's, and the agreed or daily rate."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from throughline.canonical import ExchangeRate, Item, PurchaseOrder, PurchaseOrderLine, Quantity
from throughline.rules.matching.papers import Papers

ONE = Decimal(1)


class MissingFactor(Exception):
    """A unit that cannot be converted into the one an order line is counted in."""

    def __init__(self, unit: str, into: str) -> None:
        super().__init__(unit)
        self.unit = unit
        self.into = into


class MissingRate(Exception):
    """No exchange rate that is young enough."""

    def __init__(self, currency: str, into: str, on: date) -> None:
        super().__init__(currency)
        self.currency, self.into, self.on = currency, into, on


@dataclass(frozen=True, slots=True)
class LineUnit:
    """The unit one order line is counted in, and what other units are worth in it.

    It is the item's own unit where the item tells what the order's unit holds, else the order's.
    """

    name: str
    factors: dict[str, Decimal]

    def factor(self, unit: str) -> Decimal:
        """How many of the line's unit one `unit` is."""
        found = self.factors.get(unit)
        if found is None:
            raise MissingFactor(unit, self.name)
        return found

    def of(self, quantity: Quantity) -> Decimal:
        """A quantity in the line's unit."""
        return quantity.value if quantity.unit == self.name else quantity.value * self.factor(quantity.unit)


def line_unit(line: PurchaseOrderLine, papers: Papers) -> LineUnit:
    """The unit an order line is counted in; the supplier's own factors win over the item's."""
    item = papers.get(line.item, Item) if line.item else None
    ordered = line.quantity.unit
    if item is not None:
        factors = {**item.factors, **line.factors, item.unit: ONE}
        if ordered in factors:
            return LineUnit(item.unit, factors)
    return LineUnit(ordered, {**line.factors, ordered: ONE})


@dataclass(frozen=True, slots=True)
class Rate:
    """1 of one currency = `value` of another, and where that comes from."""

    value: Decimal
    source: str


class RateBook:
    """Exchange rates by pair and day. The order's contract rate wins; else the newest rate up to the day."""

    def __init__(self, papers: Papers, age_days: int) -> None:
        self._age_days = age_days
        self._days: dict[tuple[str, str], list[tuple[date, Decimal]]] = defaultdict(list)
        for _, rate in papers.all(ExchangeRate):
            self._days[rate.currency, rate.into].append((rate.valid_on, rate.rate))
            self._days[rate.into, rate.currency].append((rate.valid_on, ONE / rate.rate))
        for days in self._days.values():
            days.sort()

    def rate(self, currency: str, into: str, on: date, order: PurchaseOrder | None = None) -> Rate:
        """The rate between two currencies on a day."""
        if currency == into:
            return Rate(ONE, "-")
        for agreed in order.agreed_rates if order else ():
            if (order.currency if order else "", agreed.currency) == (currency, into):
                return Rate(agreed.rate, "contract")
        days = self._days.get((currency, into), [])
        at = bisect_right(days, (on, Decimal("Infinity")))
        if not at or (on - days[at - 1][0]).days > self._age_days:
            raise MissingRate(currency, into, on)
        return Rate(days[at - 1][1], days[at - 1][0].isoformat())
