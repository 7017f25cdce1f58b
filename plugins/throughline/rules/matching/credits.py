"""Takes credit notes off the invoice lines they are for, whether they came before or after them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from throughline.canonical import PurchaseInvoice, PurchaseInvoiceLine, header_of
from throughline.rules.matching.claims import Claim, gross_shares
from throughline.rules.matching.measures import MissingFactor
from throughline.rules.matching.money import ZERO, rounded
from throughline.rules.matching.reasons import Reason, reason


@dataclass(slots=True, eq=False)
class Credit:
    """A credit note and where it went: `applied` by invoice, the rest is `open`. All with tax."""

    ref: str
    document: PurchaseInvoice
    applied: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))
    open: Decimal = ZERO
    reasons: list[Reason] = field(default_factory=list)


@dataclass
class Claims:
    """The invoices' lines, as credit notes look for them."""

    invoices: dict[str, list[Claim]]
    documents: dict[str, PurchaseInvoice]
    by_ref: dict[str, Claim] = field(init=False)
    by_order_line: dict[str, list[Claim]] = field(init=False)
    headers: dict[str, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))

    def __post_init__(self) -> None:
        self.by_ref, self.by_order_line = {}, defaultdict(list)
        for claims in self.invoices.values():
            for claim in claims:
                self.by_ref[claim.ref] = claim
                if claim.line.order_line:
                    self.by_order_line[claim.line.order_line].append(claim)


def apply_credits(notes: Iterable[tuple[str, PurchaseInvoice]], claims: Claims) -> list[Credit]:
    """Every credit note with where it went; the claims are lowered by it."""
    ordered = sorted(notes, key=lambda note: (note[1].invoiced_on, note[1].supplier_number, note[0]))
    return [_Note(Credit(ref, note), claims).apply() for ref, note in ordered]


@dataclass(slots=True, eq=False)
class Rest:
    """What of a credit note's line is still to be taken off somewhere; `pieces` in the order line's unit."""

    line: PurchaseInvoiceLine
    whole: Decimal
    net: Decimal
    gross: Decimal
    pieces: Decimal | None

    @property
    def with_tax(self) -> Decimal:
        """What one unit of net is with tax."""
        amount = self.line.amount.amount
        return self.whole / amount if amount else ZERO


class _Note:
    def __init__(self, credit: Credit, claims: Claims) -> None:
        self.credit, self.note, self.claims = credit, credit.document, claims

    def apply(self) -> Credit:
        wrong = self._wrong_supplier()
        if wrong is not None:
            self.credit.reasons.append(wrong)
            self.credit.open = self.note.gross.amount
        elif not self.note.lines:
            self._header(self.note.gross.amount)
        else:
            shares = gross_shares(self.note, [line.tax_rate for line in self.note.lines])
            for line, gross in zip(self.note.lines, shares, strict=True):
                self._line(line, gross)
        for invoice, amount in self.credit.applied.items():
            data = {"amount": amount, "currency": self.note.currency, "invoice": invoice}
            self.credit.reasons.append(reason("credit_applied", self.credit.ref, None, **data))
        return self.credit

    def _wrong_supplier(self) -> Reason | None:
        named = {self.note.credits} | {
            line.credits_line and line.credits_line.split("#")[0] for line in self.note.lines
        }
        for ref in sorted(filter(None, named)):
            invoice = self.claims.documents.get(ref)
            if invoice and invoice.supplier != self.note.supplier:
                data = {"supplier": self.note.supplier, "invoiced_by": invoice.supplier}
                return reason("credit_supplier_differs", self.credit.ref, None, **data)
            if invoice and invoice.currency != self.note.currency:
                data = {"document": self.credit.ref, "field": "currency", "value": self.note.currency}
                return reason("currency_mixed", self.credit.ref, None, **data, currency=invoice.currency)
        return None

    def _line(self, line: PurchaseInvoiceLine, gross: Decimal) -> None:
        targets = self._targets(line)
        if targets is None:
            self._header(gross, line)
            return
        rest = Rest(line, gross, line.amount.amount, gross, self._pieces(line, targets))
        for claim in targets:
            money = self._take(claim, rest)
            if money is not None:
                self._note_on(claim, money)
        if rest.gross > ZERO:
            self._leave("credit_exceeds_invoice" if targets else "credit_without_reference", rest.gross, line)

    def _pieces(self, line: PurchaseInvoiceLine, targets: list[Claim]) -> Decimal | None:
        """The pieces credited, in the unit of the order line all its targets belong to."""
        unit = targets[0].order_line.unit if targets and targets[0].order_line else None
        if line.quantity is None or unit is None:
            return None
        try:
            return unit.of(line.quantity)
        except MissingFactor as missing:
            data = {"unit": missing.unit, "item": line.item or "-", "into": missing.into}
            self.credit.reasons.append(reason("factor_missing", self.credit.ref, line.line, **data))
            targets.clear()
            return None

    def _targets(self, line: PurchaseInvoiceLine) -> list[Claim] | None:
        """The lines it may be for, best first; None when it is for an invoice as a whole, or one not known."""
        if line.credits_line:
            claim = self.claims.by_ref.get(line.credits_line)
            return [claim] if claim else None
        if self.note.credits:
            return self._within(line) or None
        same = self.claims.by_order_line.get(line.order_line or "", [])
        mine = [
            claim for claim in same
            if claim.document.supplier == self.note.supplier and claim.document.currency == self.note.currency
        ]  # fmt: skip
        return sorted(mine, key=lambda claim: (*claim.rank[1:], claim.line.line))

    def _within(self, line: PurchaseInvoiceLine) -> list[Claim]:
        claims = self.claims.invoices.get(self.note.credits or "", [])
        if line.order_line:
            return [claim for claim in claims if claim.line.order_line == line.order_line]
        return [claim for claim in claims if line.charge and claim.line.charge == line.charge]

    def _header(self, gross: Decimal, line: PurchaseInvoiceLine | None = None) -> None:
        """A credit on an invoice as a whole; one not known yet is waited for."""
        named = (header_of(line.credits_line) if line and line.credits_line else None) or self.note.credits
        if named is None:
            self._leave("credit_without_reference", gross, line)
        elif named not in self.claims.documents:
            self.credit.open += gross
            self.credit.reasons.append(
                reason("invoice_awaited", self.credit.ref, line.line if line else None, invoice=named)
            )
        else:
            taken = min(gross, max(ZERO, self._bearable(named)))
            self.claims.headers[named] += taken
            self.credit.applied[named] += taken
            if taken < gross:
                self._leave("credit_exceeds_invoice", gross - taken, line)

    def _leave(self, code: str, amount: Decimal, line: PurchaseInvoiceLine | None) -> None:
        self.credit.open += amount
        data = {"amount": amount, "currency": self.note.currency}
        self.credit.reasons.append(reason(code, self.credit.ref, line.line if line else None, **data))

    def _take(self, claim: Claim, rest: Rest) -> Decimal | None:
        """Take off one claim what it can bear: pieces, net, and with tax; None when it bears nothing."""
        pieces, wanted = ZERO, rest.net
        if rest.pieces is not None:
            pieces = min(rest.pieces, claim.quantity)
            if pieces < rest.pieces:
                wanted = rounded(rest.net * pieces / rest.pieces, self.note.currency)
        net = min(wanted, claim.net)
        money = rest.gross if net == rest.net else rounded(rest.with_tax * net, self.note.currency)
        money = max(ZERO, min(money, rest.gross, claim.gross, self._bearable(claim.invoice)))
        if net <= ZERO and money <= ZERO and pieces <= ZERO:
            return None
        claim.net, claim.gross, claim.quantity = claim.net - net, claim.gross - money, claim.quantity - pieces
        claim.credited = True
        rest.net, rest.gross = rest.net - net, rest.gross - money
        rest.pieces = None if rest.pieces is None else rest.pieces - pieces
        return money

    def _bearable(self, invoice: str) -> Decimal:
        """What of an invoice no credit note has taken back yet."""
        there = sum((claim.gross for claim in self.claims.invoices.get(invoice, [])), ZERO)
        return there - self.claims.headers.get(invoice, ZERO)

    def _note_on(self, claim: Claim, amount: Decimal) -> None:
        self.credit.applied[claim.invoice] += amount
        data = {"credit": self.credit.ref, "amount": amount, "currency": self.note.currency}
        claim.reasons.append(reason("credited", claim.invoice, claim.line.line, **data))
