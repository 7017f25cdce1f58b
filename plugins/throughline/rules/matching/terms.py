"""The table that holds for one supplier and category, laid together from the declared ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from throughline.rules.matching.money import HUNDRED, ONE
from throughline.rules.matching.policy import UNLIMITED, MoneyLimit, Policy, QuantityLimit, Tolerances


class Hole(Exception):
    """The tables do not say what is needed; `place` names the missing entry."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place


@dataclass(frozen=True, slots=True)
class Bound:
    """One limit with the name of its place in the tables."""

    place: str
    percent: Decimal | None
    absolute: Mapping[str, Decimal] | Decimal | None

    def allowed(self, base: Decimal, currency: str = "", scale: Decimal = ONE) -> Decimal:
        """How much a figure may differ from `base`: the smaller of percentage and absolute figure.

        `scale`: how many of the unit `base` is counted in one of the absolute figure's unit is.
        """
        absolute = self.absolute.get(currency) if isinstance(self.absolute, Mapping) else self.absolute
        if self.percent is None:
            raise Hole(f"{self.place}.percent")
        if absolute is None:
            raise Hole(f"{self.place}.absolute.{currency}" if currency else f"{self.place}.absolute")
        share = UNLIMITED if self.percent == UNLIMITED else abs(base) * self.percent / HUNDRED
        return min(share, absolute * scale)


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one supplier and category."""

    place: str
    ways: int | None
    price: Bound
    quantity: Bound
    over_receipt: Bound
    amount: Bound
    tax: Bound
    days: Mapping[str, int | None]

    @property
    def way(self) -> int:
        """2, 3 or 4 documents that have to agree."""
        if self.ways is None:
            raise Hole(f"{self.place}.way")
        return self.ways

    def limit_days(self, name: str) -> int:
        """A date limit in days."""
        found = self.days.get(name)
        if found is None:
            raise Hole(f"{self.place}.date.{name}")
        return found


@dataclass
class TermsBook:
    """Looks up the terms, each pair of supplier and category laid together once."""

    policy: Policy
    known: dict[tuple[str, str | None], Terms] = field(default_factory=dict)
    holes: dict[tuple[str, str | None, str], str | None] = field(default_factory=dict)

    def hole(self, supplier: str, category: str | None, currency: str) -> str | None:
        """The first entry that is missing for a supplier, category and currency, if any is."""
        key = (supplier, category, currency)
        if key not in self.holes:
            self.holes[key] = _hole(self.of(supplier, category), currency)
        return self.holes[key]

    def of(self, supplier: str, category: str | None) -> Terms:
        """The terms of a supplier for a category; without one, of the supplier alone."""
        found = self.known.get((supplier, category))
        if found is None:
            found = self.known[supplier, category] = _terms(_tables(self.policy, supplier, category))
        return found


def _hole(terms: Terms, currency: str) -> str | None:
    """A table with a hole decides nothing, even where the missing figure would not be needed."""
    try:
        terms.way  # noqa: B018 — asked for its refusal
        for bound in (terms.price, terms.amount, terms.tax):
            bound.allowed(HUNDRED, currency)
        for bound in (terms.quantity, terms.over_receipt):
            bound.allowed(HUNDRED)
        for name in ("before_order", "in_future", "early", "late"):
            terms.limit_days(name)
    except Hole as hole:
        return hole.place
    return None


def charge_bound(policy: Policy, code: str) -> Bound | None:
    """The limit of a charge code, or None for a code that is not declared."""
    limit = policy.charges.get(code)
    return Bound(f"charges.{code}", limit.percent, limit.absolute) if limit else None


def _tables(policy: Policy, supplier: str, category: str | None) -> list[tuple[str, Tolerances]]:
    tables = [("default", policy.default)]
    if category in policy.categories:
        tables.append((f"categories.{category}", policy.categories[str(category)]))
    own = policy.suppliers.get(supplier)
    if own:
        tables.append((f"suppliers.{supplier}", own))
        if category in own.categories:
            tables.append((f"suppliers.{supplier}.categories.{category}", own.categories[str(category)]))
    return tables


def _terms(tables: list[tuple[str, Tolerances]]) -> Terms:
    layers = [table for _, table in tables]
    return Terms(
        place=tables[0][0],
        ways=_last(table.way for table in layers),
        price=_money("price", [table.price for table in layers]),
        quantity=_pieces("quantity", [table.quantity for table in layers]),
        over_receipt=_pieces("over_receipt", [table.over_receipt for table in layers]),
        amount=_money("amount", [table.amount for table in layers]),
        tax=_money("tax", [table.tax for table in layers]),
        days=_merged([table.date for table in layers]),
    )


def _money(name: str, limits: list[MoneyLimit]) -> Bound:
    absolute: dict[str, Decimal] = {}
    for limit in limits:
        absolute |= limit.absolute
    return Bound(f"default.{name}", _last(limit.percent for limit in limits), absolute)


def _pieces(name: str, limits: list[QuantityLimit]) -> Bound:
    return Bound(f"default.{name}", _last(limit.percent for limit in limits), _last(limit.absolute for limit in limits))


def _merged(tables: Iterable[BaseModel]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for table in tables:
        found |= {key: value for key, value in table if value is not None}
    return found


def _last(values: Iterable[Any]) -> Any:
    return next((value for value in reversed(list(values)) if value is not None), None)
