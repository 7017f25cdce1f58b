"""Opens a folder for every sound invoice and prepayment, with a claim for each of its lines."""

from __future__ import annotations

from decimal import Decimal

from throughline.canonical import (
    PurchaseInvoice,
    PurchaseInvoiceLine,
    PurchaseReceipt,
    header_of,
    line_of,
    line_reference,
)
from throughline.rules.matching.claims import Claim, Rank, day_of_order, gross_shares
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.folder import Folder
from throughline.rules.matching.line_judgement import gap_reason
from throughline.rules.matching.measures import MissingFactor
from throughline.rules.matching.order_book import LineVersion, OrderBook, OrderLine
from throughline.rules.matching.settlements import Settlements

Named = tuple[OrderLine | None, LineVersion | None]


def open_folders(desk: Desk, book: OrderBook, settlements: Settlements) -> dict[str, Folder]:
    """One folder for each invoice, in the order in which they are served: never by arrival."""
    found = []
    for ref, invoice in desk.papers.all(PurchaseInvoice):
        if invoice.nature != "credit_note":
            engaged = bool(settlements.engaged(ref) > 0)
            rank: Rank = (not engaged, invoice.invoiced_on, invoice.supplier_number, ref)
            found.append(Folder(ref, invoice, rank, _claims(desk, book, ref, invoice, rank)))
    return {folder.ref: folder for folder in sorted(found, key=lambda folder: folder.rank)}


def _claims(desk: Desk, book: OrderBook, ref: str, invoice: PurchaseInvoice, rank: Rank) -> list[Claim]:
    day = day_of_order(invoice)
    invoice = _linked_by_receipts(desk, invoice)
    named: list[Named] = []
    for line in invoice.lines:
        order_line = book.line(line.order_line) if line.order_line and invoice.nature == "invoice" else None
        named.append((order_line, order_line.at(day) if order_line else None))
    rates = [rate_of(line.tax_rate, version) for line, (_, version) in zip(invoice.lines, named, strict=True)]
    shares = gross_shares(invoice, rates)
    claims = []
    for line, (order_line, version), gross in zip(invoice.lines, named, shares, strict=True):
        name = line_reference(ref, line.line)
        claim = Claim(ref, invoice, line, name, rank, line.amount.amount, gross, order_line, version)
        _count(desk, claim)
        claims.append(claim)
    return claims


def _linked_by_receipts(desk: Desk, invoice: PurchaseInvoice) -> PurchaseInvoice:
    """Lines that name receipts and no order line are for the order line of those receipts."""
    if all(line.order_line or line.charge or not line.receipts for line in invoice.lines):
        return invoice
    lines = tuple(
        line.model_copy(update={"order_line": _order_line(desk, line)})
        if line.receipts and not (line.order_line or line.charge)
        else line
        for line in invoice.lines
    )
    return invoice.model_copy(update={"lines": lines})


def _order_line(desk: Desk, line: PurchaseInvoiceLine) -> str | None:
    named = set()
    for use in line.receipts:
        receipt = desk.papers.get(header_of(use.receipt_line), PurchaseReceipt)
        for row in receipt.lines if receipt else ():
            if row.line == line_of(use.receipt_line):
                named.add(row.order_line)
    return named.pop() if len(named) == 1 else None


def rate_of(stated: Decimal | None, version: LineVersion | None) -> Decimal | None:
    """The tax rate of a line: its own, else its order's."""
    return stated if stated is not None or version is None else version.line.tax_rate


def _count(desk: Desk, claim: Claim) -> None:
    """Write the claim into its order line's ledger, in that line's unit."""
    if claim.order_line is None or claim.line.quantity is None:
        return
    try:
        claim.quantity = claim.order_line.unit.of(claim.line.quantity)
    except MissingFactor as missing:
        item = claim.line.item or claim.order_line.latest.line.item
        claim.reasons.append(desk.settle(gap_reason(missing, claim.invoice, claim.line.line, item)))
        claim.judged = claim.counts = False
        return
    claim.order_line.claims.append(claim)
