"""Exact amounts: a quantity never travels without its unit, money never without its currency."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Exact = Annotated[Decimal, Field(allow_inf_nan=False)]


class Quantity(BaseModel):
    """So many of a unit, exactly. The unit is one of the item's own units (`include/codes/units.yaml`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Exact
    unit: str

    def __add__(self, other: Quantity) -> Quantity:
        if other.unit != self.unit:
            raise ValueError(f"cannot add {other.unit} to {self.unit}: convert by the item's factors first")
        return Quantity(value=self.value + other.value, unit=self.unit)


class Money(BaseModel):
    """An amount in a currency (ISO 4217), exactly as the document says it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Exact
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]

    def rounded(self, digits: int = 2) -> Money:
        """The amount rounded half up, as invoices are."""
        return Money(amount=self.amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP), currency=self.currency)
