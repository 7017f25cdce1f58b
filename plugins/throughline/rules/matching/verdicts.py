"""The answers of a match: frozen values that explain themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from throughline.canonical import Money
from throughline.rules.matching.money import ZERO
from throughline.rules.matching.reasons import Language, Reason, State
from throughline.rules.units import plain

_HEADLINE = {
    "en": {
        State.CLEAN: "clean", State.WAITING: "waiting", State.EXCEPTION: "exception",
        State.DUPLICATE_SUSPECTED: "duplicate suspected", State.BLOCKED: "blocked",
    },
    "zh": {
        State.CLEAN: "匹配", State.WAITING: "等待", State.EXCEPTION: "异常",
        State.DUPLICATE_SUSPECTED: "疑似重复", State.BLOCKED: "冻结",
    },
}  # fmt: skip
_AWAITED = {
    "order_awaited": "purchase_order", "receipt_awaited": "purchase_receipt", "inspection_awaited": "inspection",
    "invoice_awaited": "purchase_invoice",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Take:
    """So much of a receipt line belongs to an invoice line."""

    receipt_line: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class LineVerdict:
    """One invoice line. Quantities in `unit`; `net` after credit notes; `matched_amount` with tax."""

    line: str
    state: State
    order_line: str | None
    unit: str
    invoiced: Decimal
    matched: Decimal
    net: Decimal
    matched_amount: Decimal
    takes: tuple[Take, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """One instalment. `payable` is what may be requested now, zero unless the verdict is clean.

    `key` (company, invoice, instalment) makes a request for it unique. `pay` is the payable amount in the currency the
    supplier is paid in, where that is another.
    """

    number: str
    key: str
    amount: Decimal
    requested: Decimal
    paid: Decimal
    payable: Decimal
    state: Literal["payable", "held", "requested", "paid", "open", "nothing"]
    due_on: date | None
    pay: Money | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an invoice, a credit note or a prepayment has come to.

    All amounts in `currency`, with tax: `gross` = `credited` + `unmatched` + `matched`, and
    `matched` = `prepaid` + the instalments' amounts. `claim` is to be got back; `open_credit` waits for a payment.
    """

    invoice: str
    number: str
    supplier_number: str
    nature: str
    company: str | None
    supplier: str
    currency: str
    state: State
    lines: tuple[LineVerdict, ...]
    own_reasons: tuple[Reason, ...]
    gross: Decimal
    credited: Decimal
    matched: Decimal
    prepaid: Decimal
    retained: Decimal
    requested: Decimal
    paid: Decimal
    claim: Decimal
    open_credit: Decimal
    positions: tuple[Position, ...]
    urgent: bool = False
    remind_on: date | None = None

    @property
    def unmatched(self) -> Decimal:
        """What is charged and neither credited nor matched."""
        return self.gross - self.credited - self.matched

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Every reason, the invoice's own first, then line by line."""
        return (*self.own_reasons, *(reason for line in self.lines for reason in line.reasons))

    @property
    def codes(self) -> tuple[str, ...]:
        """The reasons' codes, each once."""
        return tuple(dict.fromkeys(reason.code for reason in self.reasons))

    @property
    def owners(self) -> tuple[str, ...]:
        """Who should see to what holds the payment."""
        held = (reason for reason in self.reasons if reason.state is not State.CLEAN)
        return tuple(dict.fromkeys(owner for reason in held for owner in reason.owners))

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """The kinds of documents it waits for."""
        return tuple(dict.fromkeys(_AWAITED[code] for code in self.codes if code in _AWAITED))

    @property
    def payable(self) -> Decimal:
        """What may be requested now, all instalments together."""
        return sum((position.payable for position in self.positions), ZERO)

    def explain(self, language: Language = "en") -> str:
        """The verdict for a person: a headline, then every reason, line by line."""
        headline = _HEADLINE[language][self.state]
        rows = [f"{self.supplier_number}: {headline}"]
        rows += [f"  {reason.sentence(language)}" for reason in self.own_reasons]
        for line in self.lines:
            mark = "行" if language == "zh" else "line"
            told = f"{plain(line.matched)}/{plain(line.invoiced)} {line.unit}".rstrip()
            rows.append(f"  {mark} {line.line} ({told}): {_HEADLINE[language][line.state]}")
            rows += [f"    {reason.sentence(language)}" for reason in line.reasons]
        return "\n".join(rows)


@dataclass(frozen=True, slots=True)
class OrderLineReport:
    """Where an order line stands, in `unit`: the goods received and not invoiced are the GR/IR difference."""

    order_line: str
    unit: str
    ordered: Decimal
    received: Decimal
    returned: Decimal
    accepted: Decimal
    invoiced: Decimal
    matched: Decimal
    open: Decimal
    received_not_invoiced: Decimal
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to pay one supplier: clean instalments, less open credits; credits beyond that stay open."""

    company: str | None
    supplier: str
    currency: str
    positions: tuple[tuple[str, str, Decimal], ...]
    credits: tuple[tuple[str, Decimal], ...]
    to_pay: Decimal
    credit_left: Decimal


@dataclass(frozen=True)
class Outcome:
    """Every verdict of one match, by canonical id."""

    invoices: Mapping[str, Verdict]
    orders: Mapping[str, OrderLineReport]
    findings: tuple[Reason, ...]
    proposals: tuple[Proposal, ...]

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self.invoices.values())

    def of(self, name: str) -> Verdict:
        """The verdict of an invoice by its canonical id, our number, or the supplier's number."""
        found = self.invoices.get(name)
        if found is not None:
            return found
        named = [one for one in self if name in (one.number, one.supplier_number)]
        if len(named) != 1:
            raise KeyError(f"{len(named)} invoices are called {name}")
        return named[0]
