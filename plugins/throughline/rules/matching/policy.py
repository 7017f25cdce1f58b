"""The tolerance tables: what may differ, by how much, for which category and supplier (`include/matching`).

A limit has a percentage and an absolute figure; both must hold, so the tighter one wins. What a supplier's own table
does not say is taken from its category's, then from `default`, which says everything. `unlimited` switches one of the
two off.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from throughline.lined_yaml import Location, read_lined

UNLIMITED = Decimal("Infinity")


def _figure(value: Any) -> Any:
    if value == "unlimited":
        return UNLIMITED
    if isinstance(value, bool | float):
        raise ValueError(f"write {value} in quotes, so that it stays exactly that")  # noqa: TRY004
    if isinstance(value, str) and not re.fullmatch(r"\d+(\.\d+)?", value):
        raise ValueError(f"'{value}' is not a figure; write digits, or `unlimited`")
    return value


Figure = Annotated[Decimal, Field(ge=0, allow_inf_nan=True), BeforeValidator(_figure)]
CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Days = Annotated[int, Field(ge=0, le=3660)]
Owner = Literal["buyer", "warehouse", "finance", "supplier_steward"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MoneyLimit(_Table):
    """So many percent, and so much money in each currency."""

    percent: Figure | None = None
    absolute: dict[CurrencyCode, Figure] = {}


class QuantityLimit(_Table):
    """So many percent, and so many of the order line's own unit."""

    percent: Figure | None = None
    absolute: Figure | None = None


class DateLimit(_Table):
    """In days: an invoice older than its order, dated in the future; goods earlier or later than promised."""

    before_order: Days | None = None
    in_future: Days | None = None
    early: Days | None = None
    late: Days | None = None


class Tolerances(_Table):
    """One table. `way`: 2 order and invoice, 3 also receipt, 4 also inspection."""

    way: Annotated[int, Field(ge=2, le=4)] | None = None
    price: MoneyLimit = MoneyLimit()
    quantity: QuantityLimit = QuantityLimit()
    over_receipt: QuantityLimit = QuantityLimit()
    amount: MoneyLimit = MoneyLimit()
    tax: MoneyLimit = MoneyLimit()
    date: DateLimit = DateLimit()


class SupplierTolerances(Tolerances):
    """A supplier's own table, with its own for single categories."""

    categories: dict[str, Tolerances] = {}


class ChargeLimit(MoneyLimit):
    """What may be charged beyond the order under one code; the percentage is of the goods on the same invoice."""

    title: dict[str, str] = {}


class DuplicateSearch(_Table):
    """How invoices are taken for the same: windows in days, likeness of their numbers in percent."""

    same_number_days: Days = 400
    similar_days: Days = 45
    same_amount_days: Days = 7
    likeness: Annotated[int, Field(ge=50, le=100)] = 85


class Waiting(_Table):
    """After how many days of waiting for goods somebody is reminded, and when it becomes an exception."""

    remind_days: Days = 7
    expire_days: Days = 45


class Policy(_Table):
    """Everything a plant declares about matching."""

    title: dict[str, str] = {}
    default: Tolerances
    categories: dict[str, Tolerances] = {}
    suppliers: dict[str, SupplierTolerances] = {}
    charges: dict[str, ChargeLimit] = {}
    duplicates: DuplicateSearch = DuplicateSearch()
    waiting: Waiting = Waiting()
    bank_hold_days: Days = 30
    discount_alert_days: Days = 5
    rate_age_days: Days = 31
    holds: dict[Literal["delivered_early", "delivered_late", "price_favourable"], bool] = {}
    owners: dict[str, list[Owner]] = {}


def load_policy(path: Path) -> Policy:
    """The policy declared in a file, or `Misconfigured` with file and line of every mistake and hole."""
    file = read_lined(path)
    try:
        policy = Policy.model_validate(file.content)
    except ValidationError as error:
        file.refuse([(found["loc"], found["msg"].removeprefix("Value error, ")) for found in error.errors()])
    found = holes(policy)
    if found:
        file.refuse([(place, "is missing: `default` has to say everything") for place in found])
    return policy


def holes(policy: Policy) -> list[Location]:
    """What `default` does not say, though nothing stands behind it."""
    found: list[Location] = []
    for name in Tolerances.model_fields:
        part = getattr(policy.default, name)
        if part is None:
            found.append(("default", name))
        elif isinstance(part, BaseModel):
            found += [("default", name, key) for key, value in part if value is None or value == {}]
    found += [("charges", code, key) for code, limit in policy.charges.items() for key, value in _said(limit)]
    return found


def _said(limit: ChargeLimit) -> list[tuple[str, Any]]:
    return [(key, value) for key, value in limit if key != "title" and value in (None, {})]
