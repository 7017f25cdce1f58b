"""Exact amounts: rounding as a currency does, and splitting without losing a cent."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import cache

ZERO = Decimal(0)
ONE = Decimal(1)
HUNDRED = Decimal(100)
# ISO 4217: the currencies whose smallest coin is not a hundredth.
_DIGITS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "BHD": 3, "KWD": 3, "OMR": 3, "TND": 3, "JOD": 3}


@cache
def cent(currency: str) -> Decimal:
    """The smallest amount of a currency: 0.01 CNY, 1 JPY."""
    return Decimal(1).scaleb(-_DIGITS.get(currency, 2))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Half up to the currency's smallest coin, as invoices are."""
    return amount.quantize(cent(currency), ROUND_HALF_UP)


def split(total: Decimal, weights: Sequence[Decimal], currency: str) -> list[Decimal]:
    """The total in parts proportional to the weights, to the cent, by largest remainder: the parts add up exactly.

    Equal remainders go to the earlier part. With no weight at all the first part takes everything.
    """
    if not weights:
        return []
    whole = sum(weights, ZERO)
    if not whole:
        return [total, *(ZERO for _ in weights[1:])]
    if len(weights) == 1:
        return [total]
    exact = [total * weight / whole for weight in weights]
    coin = cent(currency)
    parts = [share.quantize(coin, ROUND_DOWN) for share in exact]
    missing = total - sum(parts, ZERO)
    step = coin if missing >= 0 else -coin
    order = sorted(range(len(parts)), key=lambda at: (-abs(exact[at] - parts[at]), at))
    for at in order[: int(abs(missing) / coin)]:
        parts[at] += step
    rest = total - sum(parts, ZERO)
    if rest:
        parts[order[0]] += rest
    return parts
