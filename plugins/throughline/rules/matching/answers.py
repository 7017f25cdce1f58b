"""Turns what was found into the frozen answers of a match."""

from __future__ import annotations

from throughline.canonical import PurchaseInvoice
from throughline.rules.matching.balances import Balances
from throughline.rules.matching.claims import Claim
from throughline.rules.matching.credits import Credit
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.money import ZERO
from throughline.rules.matching.parties import judge_supplier
from throughline.rules.matching.reasons import Reason, State, reason
from throughline.rules.matching.settlements import Settlements
from throughline.rules.matching.terms import Hole
from throughline.rules.matching.totals import judge_totals
from throughline.rules.matching.verdicts import LineVerdict, Take, Verdict

_AMOUNTS = ("credited", "matched", "prepaid", "retained", "requested", "paid", "claim", "open_credit")


def line_verdict(claim: Claim) -> LineVerdict:
    """What one invoice line came to."""
    return LineVerdict(
        line=claim.line.line,
        state=max((one.state for one in claim.reasons), default=State.CLEAN),
        order_line=claim.line.order_line,
        unit=claim.order_line.unit.name if claim.order_line else "",
        invoiced=claim.quantity,
        matched=claim.matched,
        net=claim.net,
        matched_amount=claim.value if claim.judged else ZERO,
        takes=tuple(Take(stock.ref, quantity) for stock, quantity in claim.takes),
        reasons=tuple(claim.reasons),
    )


def credit_verdict(desk: Desk, credit: Credit, doubled: Reason | None, balances: Balances) -> Verdict:
    """What a credit note came to: taken off invoices, or open."""
    note = credit.document
    found = [*credit.reasons, *judge_supplier(desk, credit.ref, note)]
    try:
        found += judge_totals(desk, credit.ref, note)
    except Hole as hole:
        found.append(reason("tolerance_missing", credit.ref, None, place=hole.place))
    if note.status == "reversed":
        found.append(reason("invoice_reversed", credit.ref, None))
    reasons = [desk.settle(one) for one in found]
    if doubled is not None:
        reasons.insert(0, doubled)
    applied = sum(credit.applied.values(), ZERO)
    return _bare(
        credit.ref, note, tuple(reasons), matched=applied, open_credit=credit.open + balances.left.get(credit.ref, ZERO)
    )


def unsound_verdict(
    ref: str, invoice: PurchaseInvoice, problems: tuple[Reason, ...], settlements: Settlements
) -> Verdict:
    """An invoice that cannot be right: blocked, nothing matched, nothing payable."""
    return _bare(ref, invoice, problems, paid=settlements.paid(ref))


def _bare(ref: str, invoice: PurchaseInvoice, reasons: tuple[Reason, ...], **amounts: object) -> Verdict:
    figures = dict.fromkeys(
        ("credited", "matched", "prepaid", "retained", "requested", "paid", "claim", "open_credit"), ZERO
    )
    return Verdict(
        invoice=ref,
        number=invoice.number,
        supplier_number=invoice.supplier_number,
        nature=invoice.nature,
        company=invoice.company,
        supplier=invoice.supplier,
        currency=invoice.currency,
        state=max((one.state for one in reasons), default=State.CLEAN),
        lines=(),
        own_reasons=reasons,
        gross=invoice.gross.amount,
        positions=(),
        **{**figures, **amounts},  # type: ignore[arg-type]
    )
