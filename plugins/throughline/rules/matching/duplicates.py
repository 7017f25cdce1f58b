"""Finds invoices that were sent twice: other spellings, other supplier numbers of one group, other channels.

Each invoice is compared with those before it (already paid first, then by date and number). Compared are only invoices
of one supplier group that share the number without its decoration, or currency and amount, so the cost grows with the
number of invoices, not with its square.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz import fuzz

from throughline.canonical import PurchaseInvoice, Supplier
from throughline.rules.matching.claims import Rank
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.reasons import Reason, State, reason

_DECORATION = re.compile(r"^(INVOICE|INV|NUMBER|NUM|NO|NR|RECHNUNG|RE|RG|FAPIAO|FP|发票号码|发票号|发票|号码|号|编号)+")
_MISREAD = str.maketrans({"O": "0", "Q": "0", "I": "1", "L": "1", "S": "5", "B": "8", "Z": "2"})
_MOST = 100
"""with how many invoices of the same number or amount in its supplier group, the nearest in date, one is compared"""
_NEXT = 50
"""numbers so close to each other are taken for consecutive ones"""


@dataclass(frozen=True, slots=True)
class Printed:
    """An invoice's number taken apart: `series` are the letters in front, `body` the rest without leading zeros."""

    series: str
    body: str

    def goes_with(self, other: Printed) -> bool:
        """Whether the letters in front do not tell two series apart."""
        return not self.series or not other.series or self.series == other.series


@dataclass(frozen=True, slots=True)
class Candidate:
    """An invoice as it is compared."""

    ref: str
    document: PurchaseInvoice
    group: str
    printed: Printed
    rank: Rank
    lines: tuple[tuple[str, str], ...]
    beyond: bool
    """whether twice its quantities would go beyond what is ordered"""


def printed(number: str) -> Printed:
    """The number without blanks, signs, decoration like INV and leading zeros, and with misread letters put right."""
    text = re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", number).upper())
    stripped = _DECORATION.sub("", text) or text
    found = re.match(r"^([^\W\d_]*?)([OQ]*\d.*)$", stripped)
    if found is None:
        return Printed("", stripped)
    return Printed(found.group(1), found.group(2).translate(_MISREAD).lstrip("0") or "0")


def suspicions(desk: Desk, candidates: list[Candidate]) -> dict[str, Reason]:
    """The invoices that look like an earlier one, each with the earlier one and why; those accepted are notes."""
    found: dict[str, Reason] = {}
    search = _Search(desk)
    for candidate in sorted(candidates, key=lambda one: one.rank):
        for other in search.near(candidate):
            why = search.why(candidate, other)
            if why:
                said = desk.settle(_suspicion(candidate, other, why))
                if candidate.ref not in found or said.state is State.DUPLICATE_SUSPECTED:
                    found[candidate.ref] = said
                if said.state is State.DUPLICATE_SUSPECTED:
                    break
        search.add(candidate)
    return found


def families(desk: Desk) -> dict[str, str]:
    """Suppliers that belong together: one group, or one tax number entered twice. Each with a name for its family."""
    family: dict[str, str] = {}

    def head(name: str) -> str:
        while family.setdefault(name, name) != name:
            name = family[name]
        return name

    for ref, supplier in desk.papers.all(Supplier):
        for kind, shared in (("group", supplier.group), ("tax", supplier.tax_number)):
            if shared:
                one, other = sorted((head(ref), head(f"{kind} {shared.strip().upper()}")))
                family[other] = one
    return {ref: head(ref) for ref in list(family)}


class _Search:
    def __init__(self, desk: Desk) -> None:
        self._search = desk.policy.duplicates
        self._numbers: dict[tuple[str, str, str], list[Candidate]] = defaultdict(list)
        self._amounts: dict[tuple[str, str, str, str], list[Candidate]] = defaultdict(list)

    def add(self, candidate: Candidate) -> None:
        for key in self._keys(candidate):
            self._amounts[key].append(candidate)
        invoice = candidate.document
        self._numbers[candidate.group, invoice.nature, candidate.printed.body].append(candidate)

    def near(self, candidate: Candidate) -> Iterator[Candidate]:
        """The ones worth comparing: the same number, or the same amount."""
        invoice = candidate.document
        yield from self._numbers.get((candidate.group, invoice.nature, candidate.printed.body), [])[-_MOST:]
        for key in self._keys(candidate):
            yield from self._amounts.get(key, [])[-_MOST:]

    def why(self, one: Candidate, other: Candidate) -> str | None:
        """Why two invoices look like one, or None when they do not."""
        days = abs((one.document.invoiced_on - other.document.invoiced_on).days)
        same_amount = one.document.gross == other.document.gross or one.document.net == other.document.net
        if one.printed.body == other.printed.body and days <= self._search.same_number_days:
            return "same number" if same_amount or one.printed.goes_with(other.printed) else None
        if not same_amount:
            return None
        if self._alike(one, other, days):
            return "similar number, same amount"
        if days <= self._search.same_amount_days and one.lines and one.lines == other.lines and one.beyond:
            return "same amount and lines within days, together beyond the order"
        return None

    def _alike(self, one: Candidate, other: Candidate, days: int) -> bool:
        """Whether one number is the other misspelt.

        Plain numbers of one length are often just two numbers: for them the days have to be very near as well.
        """
        mine, theirs = one.printed.body, other.printed.body
        plain = len(mine) == len(theirs) and mine.isdigit() and theirs.isdigit()
        if days > (self._search.same_amount_days if plain else self._search.similar_days):
            return False
        if not one.printed.goes_with(other.printed) or _consecutive(mine, theirs):
            return False
        shorter, longer = sorted((mine, theirs), key=len)
        tail = len(shorter) >= 3 and longer.endswith(shorter)
        swapped = len(shorter) >= 4 and sorted(mine) == sorted(theirs)
        return tail or swapped or fuzz.ratio(mine, theirs) >= self._search.likeness

    def _keys(self, candidate: Candidate) -> Iterator[tuple[str, str, str, str]]:
        invoice = candidate.document
        for name, money in (("gross", invoice.gross), ("net", invoice.net)):
            yield (candidate.group, invoice.nature, invoice.currency, f"{name}{money.amount.normalize()}")


def _consecutive(one: str, other: str) -> bool:
    """Numbers a supplier gives out one after the other; swapped digits are no such numbers."""
    if not (one.isdigit() and other.isdigit()) or abs(len(one) - len(other)) > 1:
        return False
    return 0 < abs(int(one) - int(other)) <= _NEXT and sorted(one) != sorted(other)


def _suspicion(one: Candidate, other: Candidate, why: str) -> Reason:
    earlier = other.document
    return reason(
        "duplicate_suspected",
        one.ref,
        None,
        other=other.ref,
        other_number=earlier.supplier_number,
        other_date=earlier.invoiced_on.isoformat(),
        other_amount=f"{earlier.gross.amount} {earlier.currency}",
        number=one.document.supplier_number,
        amount=one.document.gross.amount,
        why=why,
    )
