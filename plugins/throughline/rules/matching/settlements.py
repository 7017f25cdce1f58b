"""What was already asked for and paid: inputs of a match, never asked for twice."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from throughline.canonical import Money, Payment, PaymentRequest
from throughline.rules.matching.money import ZERO
from throughline.rules.matching.papers import Papers

_DEAD_REQUEST = ("rejected", "recalled")
_DEAD_PAYMENT = ("rejected", "returned")


@dataclass(slots=True, eq=False)
class Settled:
    """One instalment: what live requests ask for, what was paid, and what came to nothing."""

    requested: Decimal = ZERO
    paid: Decimal = ZERO
    engaged: Decimal = ZERO
    dead: list[tuple[str, PaymentRequest]] = field(default_factory=list)
    bounced: list[tuple[str, Payment]] = field(default_factory=list)
    payments: list[tuple[str, Payment]] = field(default_factory=list)
    currencies: set[str] = field(default_factory=set)

    @property
    def live(self) -> bool:
        """Whether anything is asked for or paid."""
        return self.engaged > ZERO or self.requested > ZERO


class Settlements:
    """Requests and payments by invoice and instalment, and what requests used up of credit notes."""

    def __init__(self, papers: Papers) -> None:
        self._instalments: dict[str, dict[str, Settled]] = defaultdict(dict)
        self.used: dict[str, Decimal] = defaultdict(lambda: ZERO)
        paid_by_request = self._payments(papers)
        for ref, request in papers.all(PaymentRequest):
            self._request(ref, request, paid_by_request.get(ref, ZERO))

    def of(self, invoice: str) -> dict[str, Settled]:
        """The instalments of an invoice about which anything is known."""
        return self._instalments.get(invoice, {})

    def engaged(self, invoice: str) -> Decimal:
        """What is paid or asked for of an invoice, together."""
        return sum((part.engaged for part in self.of(invoice).values()), ZERO)

    def paid(self, invoice: str) -> Decimal:
        """What is paid of an invoice, less what came back."""
        return sum((part.paid for part in self.of(invoice).values()), ZERO)

    def _settled(self, invoice: str, instalment: str) -> Settled:
        return self._instalments[invoice].setdefault(instalment, Settled())

    def _payments(self, papers: Papers) -> dict[str, Decimal]:
        by_request: dict[str, Decimal] = defaultdict(lambda: ZERO)
        for ref, payment in papers.all(Payment):
            part = self._settled(payment.invoice, payment.instalment)
            if payment.status in _DEAD_PAYMENT:
                part.bounced.append((ref, payment))
                continue
            told = settled_money(payment)
            amount = -told.amount if payment.refund else told.amount
            part.paid += amount
            part.currencies.add(told.currency)
            part.payments.append((ref, payment))
            request = papers.get(payment.request, PaymentRequest) if payment.request else None
            if payment.request and request is not None and request.status not in _DEAD_REQUEST:
                by_request[payment.request] += amount
            else:
                part.engaged += amount
        return by_request

    def _request(self, ref: str, request: PaymentRequest, paid: Decimal) -> None:
        part = self._settled(request.invoice, request.instalment)
        if request.status in _DEAD_REQUEST:
            part.dead.append((ref, request))
            return
        netted = sum((used.amount.amount for used in request.netted), ZERO)
        for used in request.netted:
            self.used[used.credit] += used.amount.amount
        part.requested += request.amount.amount
        part.currencies.add(request.amount.currency)
        settled = paid + netted if paid else ZERO
        part.engaged += max(request.amount.amount, settled)
        if paid > ZERO:
            part.paid += netted


def settled_money(payment: Payment) -> Money:
    """What a payment settles of its invoice."""
    return payment.settles or payment.amount
