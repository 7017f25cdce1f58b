"""Compares what is due of an invoice with what is asked for and paid: claims, open credits, exchange differences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from throughline.rules.matching.balances import Balances
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.folder import Folder
from throughline.rules.matching.measures import MissingRate
from throughline.rules.matching.money import HUNDRED, ZERO, rounded
from throughline.rules.matching.reasons import Reason, State, reason
from throughline.rules.matching.settlements import Settlements, settled_money


def retain(desk: Desk, folder: Folder) -> date | None:
    """Keep back what the orders agree; the latest of their dates is when it is released."""
    kept, until = ZERO, []
    for claim in folder.claims:
        percent = claim.version.order.retention_percent if claim.version else None
        if claim.version and percent:
            kept += claim.value * percent / HUNDRED
            until.append(claim.version.order.retention_until)
    whole = sum((claim.value for claim in folder.claims), ZERO)
    if not kept or not whole:
        return None
    folder.retained = rounded(kept * folder.due / whole, folder.document.currency)
    known = [day for day in until if day is not None]
    if len(known) < len(until):
        first = next(c for c in folder.claims if c.version and not c.version.order.retention_until)
        order = first.version.order if first.version else None
        data = {"order": order.number if order else "-", "percent": (order and order.retention_percent) or ZERO}
        folder.reasons.append(desk.settle(reason("retention_without_end", folder.ref, None, **data)))
        return None
    end = max(known)
    data_kept = {"amount": folder.retained, "currency": folder.document.currency, "until": end.isoformat()}
    folder.reasons.append(reason("retained", folder.ref, None, **data_kept))
    return end


def excess(folder: Folder, settlements: Settlements, balances: Balances) -> tuple[list[Reason], Decimal, Decimal]:
    """What is paid or asked for beyond what is due: reasons, the amount to claim, and the open credit."""
    paid, engaged = settlements.paid(folder.ref), settlements.engaged(folder.ref)
    due, currency = folder.due + folder.unjudged - folder.prepaid, folder.document.currency
    reasons = []
    too_much = max(ZERO, paid - due)
    covered, credit = balances.cover(folder.ref, too_much)
    claim = too_much - covered
    if credit:
        reasons.append(reason("open_credit", folder.ref, None, amount=credit, currency=currency))
    if claim:
        told = {"paid": paid, "matched": due, "claim": claim, "currency": currency}
        reasons.append(reason("paid_not_matched", folder.ref, None, **told))
    asked = engaged - max(due, paid)
    if asked > ZERO:
        told = {"requested": engaged, "matched": due, "excess": asked, "currency": currency}
        reasons.append(reason("requested_not_matched", folder.ref, None, **told))
    return reasons, claim, credit


def exchange_differences(desk: Desk, folder: Folder, settlements: Settlements) -> Iterator[Reason]:
    """What was paid in another currency, beside the rate of the invoice's day."""
    invoice = folder.document
    for settled in settlements.of(folder.ref).values():
        for _, payment in settled.payments:
            told, paid = settled_money(payment), payment.amount
            if told.currency == paid.currency or told.currency != invoice.currency:
                continue
            try:
                rate = desk.rates.rate(told.currency, paid.currency, invoice.invoiced_on).value
            except MissingRate:
                continue
            expected = rounded(told.amount * rate, paid.currency)
            data = {"settled": told.amount, "currency": told.currency, "paid": paid.amount, "paid_in": paid.currency}
            difference = paid.amount - expected
            yield reason("exchange_difference", folder.ref, None, **data, expected=expected, difference=difference)


def strange_money(folder: Folder, settlements: Settlements) -> Iterator[Reason]:
    """Requests and payments in a currency that says nothing about the invoice."""
    currency = folder.document.currency
    for settled in settlements.of(folder.ref).values():
        for other in sorted(settled.currencies - {currency}):
            data = {"document": folder.ref, "field": "payment", "value": other, "currency": currency}
            yield reason("currency_mixed", folder.ref, None, **data)


def discount(desk: Desk, folder: Folder) -> tuple[list[Reason], bool]:
    """A cash discount that can still be taken, and whether the verdict puts it at risk."""
    invoice, percent = folder.document, folder.document.discount_percent
    if not percent or invoice.discount_until is None or invoice.discount_until < desk.as_of:
        return [], False
    amount: Decimal = rounded(invoice.gross.amount * percent / HUNDRED, invoice.currency)
    near = (invoice.discount_until - desk.as_of).days <= desk.policy.discount_alert_days
    data = {"until": invoice.discount_until.isoformat(), "percent": percent, "amount": amount}
    note = reason("discount_at_risk", folder.ref, None, **data, currency=invoice.currency)
    return [note], near and folder.state is not State.CLEAN
