"""Splits what is due of an invoice into its instalments, and says of each what may be requested now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

from throughline.canonical import Money, PurchaseInvoice
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.folder import Folder
from throughline.rules.matching.measures import MissingRate
from throughline.rules.matching.money import HUNDRED, ZERO, rounded, split
from throughline.rules.matching.reasons import Reason, State, reason
from throughline.rules.matching.settlements import Settled, Settlements
from throughline.rules.matching.verdicts import Position

RETENTION = "retention"


class Part(NamedTuple):
    """One instalment of the plan; `held` until its milestone or date."""

    number: str
    amount: Decimal
    due_on: date | None
    held: bool


def check_plan(invoice: PurchaseInvoice, about: str) -> Iterator[Reason]:
    """Percentages have to make 100, amounts the invoice's total; not a mixture."""
    plan = invoice.instalments
    if not plan:
        return
    shares = [part.percent for part in plan if part.percent is not None]
    amounts = [part.amount.amount for part in plan if part.amount is not None]
    numbers = {part.number for part in plan}
    if len(numbers) != len(plan) or RETENTION in numbers or (shares and amounts):
        yield reason("instalments_differ", about, None, sum=", ".join(sorted(numbers)), expected="numbers, once each")
    elif len(shares) == len(plan):
        if sum(shares) != HUNDRED:
            yield reason("instalments_differ", about, None, sum=f"{sum(shares)} %", expected="100 %")
    elif len(amounts) != len(plan) or sum(amounts) != invoice.gross.amount:
        yield reason("instalments_differ", about, None, sum=sum(amounts, ZERO), expected=invoice.gross.amount)


def parts_of(desk: Desk, folder: Folder, until: date | None) -> list[Part]:
    """The plan with its amounts: what is due, less what was prepaid and what is kept back, to the cent."""
    invoice = folder.document
    rest = folder.due - folder.retained - folder.prepaid
    if invoice.instalments:
        weights = [part.percent or (part.amount.amount if part.amount else ZERO) for part in invoice.instalments]
        amounts = split(rest, weights, invoice.currency)
        parts = [
            Part(part.number, amount, part.due_on or invoice.due_on, bool(part.milestone) and not part.reached)
            for part, amount in zip(invoice.instalments, amounts, strict=True)
        ]
    else:
        parts = [Part("1", rest, invoice.due_on, False)]
    if folder.retained:
        parts.append(Part(RETENTION, folder.retained, until, until is None or until > desk.as_of))
    return parts


def dead_requests(folder: Folder, settlements: Settlements) -> Iterator[Reason]:
    """Requests that came to nothing hold their instalment until a person decides; so do payments sent back."""
    for number, settled in sorted(settlements.of(folder.ref).items()):
        for ref, request in settled.dead if not settled.live else ():
            yield reason(f"request_{request.status}", folder.ref, None, request=ref, instalment=number)
        asked = max(settled.requested, settled.engaged)
        for ref, payment in settled.bounced if settled.paid < asked or not settled.live else ():
            data = {"payment": ref, "amount": payment.amount.amount, "currency": payment.amount.currency}
            yield reason("payment_bounced", folder.ref, None, **data)


def positions(desk: Desk, folder: Folder, parts: list[Part], settlements: Settlements) -> list[Position]:
    """Every instalment with what is asked for, paid, and payable now. None is ever payable a second time."""
    settled = settlements.of(folder.ref)
    planned = {part.number: part.amount for part in parts}
    surplus = sum((max(ZERO, one.engaged - planned.get(name, ZERO)) for name, one in settled.items()), ZERO)
    clean = folder.state is State.CLEAN
    found = []
    for part in parts:
        here = settled.get(part.number, Settled())
        free = ZERO if here.live else part.amount
        covered = min(surplus, free)
        surplus -= covered
        found.append(_position(desk, folder, part, here, free - covered, clean))
    return found


def _position(desk: Desk, folder: Folder, part: Part, here: Settled, free: Decimal, clean: bool) -> Position:
    invoice = folder.document
    payable = free if clean and not part.held else ZERO
    pay = _in_pay_currency(desk, folder, payable)
    key = "|".join((invoice.company or "-", folder.ref, part.number))
    word = _word(part, here, free, payable)
    return Position(part.number, key, part.amount, here.requested, here.paid, payable, word, part.due_on, pay)


def _word(
    part: Part, here: Settled, free: Decimal, payable: Decimal
) -> Literal["payable", "held", "requested", "paid", "open", "nothing"]:
    if here.live:
        return "paid" if here.paid >= here.engaged else "requested"
    if not free:
        return "nothing"
    if payable:
        return "payable"
    return "held" if part.held else "open"


def residuals(folder: Folder, parts: list[Part], settlements: Settlements) -> Iterator[Reason]:
    """What became due of an instalment after it was asked for: a person decides, nothing is asked for twice."""
    settled = settlements.of(folder.ref)
    for part in parts:
        here = settled.get(part.number)
        if here is not None and here.live and part.amount > here.engaged:
            data = {"residual": part.amount - here.engaged, "currency": folder.document.currency}
            yield reason("residual_after_request", folder.ref, None, instalment=part.number, **data)


def check_pay_currency(desk: Desk, folder: Folder) -> Iterator[Reason]:
    """Whether the payable amount can be said in the currency the supplier is paid in."""
    invoice = folder.document
    try:
        desk.rates.rate(invoice.currency, invoice.pay_currency or invoice.currency, invoice.invoiced_on)
    except MissingRate as gap:
        data = {"currency": gap.currency, "into": gap.into, "on": gap.on.isoformat()}
        yield reason("rate_missing", folder.ref, None, **data)


def _in_pay_currency(desk: Desk, folder: Folder, amount: Decimal) -> Money | None:
    invoice = folder.document
    into = invoice.pay_currency
    if into is None or into == invoice.currency or not amount:
        return None
    rate = desk.rates.rate(invoice.currency, into, invoice.invoiced_on).value
    return Money(amount=rounded(amount * rate, into), currency=into)
