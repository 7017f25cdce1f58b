"""Judges one invoice line that charges for an order line, after the goods were shared out."""

from __future__ import annotations

from collections.abc import Iterator

from throughline.canonical import header_of
from throughline.rules.matching.claims import Claim
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.measures import MissingFactor, MissingRate
from throughline.rules.matching.money import ZERO, rounded
from throughline.rules.matching.order_book import LineVersion, OrderLine
from throughline.rules.matching.prices import judge_amount, judge_price
from throughline.rules.matching.quantities_matched import judge_quantity
from throughline.rules.matching.reasons import Reason, State, reason
from throughline.rules.matching.terms import Hole


def judge(desk: Desk, claim: Claim) -> None:
    """Write the line's reasons and how much of its amount is matched."""
    line, version = claim.order_line, claim.version
    if line is None or version is None:
        _without_order(desk, claim)
        return
    found = list(_of_order(claim, line, version))
    hole = desk.terms.hole(line.latest.order.supplier, line.latest.line.category, claim.document.currency)
    if hole is not None:
        claim.judged = False
        claim.reasons += [
            desk.settle(one) for one in (*found, gap_reason(Hole(hole), claim.invoice, claim.line.line, None))
        ]
        return
    found += _dates(claim, line, version)
    try:
        found += judge_quantity(desk, claim, line)
        prices, per_unit = judge_price(desk, claim, line, version)
        found += prices
    except (MissingFactor, MissingRate, Hole) as gap:
        found.append(gap_reason(gap, claim.invoice, claim.line.line, claim.line.item or version.line.item))
        claim.judged = False
    else:
        share = claim.gross / claim.net if claim.net else ZERO
        held = _held(prices)
        if not claim.quantity:
            claim.value = ZERO
        elif claim.matched == claim.quantity and not held:
            claim.value = claim.gross
        else:
            claim.value = min(claim.gross, rounded(per_unit * claim.matched * share, claim.document.currency))
    claim.reasons += [desk.settle(one) for one in found]


def gap_reason(gap: MissingFactor | MissingRate | Hole, about: str, line: str | None, item: str | None) -> Reason:
    """What a person has to add: a factor, a rate, or an entry of the tolerance tables."""
    if isinstance(gap, MissingFactor):
        return reason("factor_missing", about, line, unit=gap.unit, item=item or "-", into=gap.into)
    if isinstance(gap, MissingRate):
        return reason("rate_missing", about, line, currency=gap.currency, into=gap.into, on=gap.on.isoformat())
    return reason("tolerance_missing", about, line, place=gap.place)


def _held(reasons: list[Reason]) -> bool:
    return any(one.state is not State.CLEAN for one in reasons)


def _without_order(desk: Desk, claim: Claim) -> None:
    named = claim.line.order_line
    broken = desk.papers.problems.get(header_of(named)) if named else None
    if named is None:
        found = reason("line_without_order", claim.invoice, claim.line.line)
    elif broken:
        found = relies_on(broken[0], claim.invoice, claim.line.line)
    else:
        found = reason("order_awaited", claim.invoice, claim.line.line, order_line=named)
    claim.judged = False
    claim.reasons.append(desk.settle(found))


def relies_on(problem: Reason, about: str, line: str | None = None) -> Reason:
    """A reason that hands a broken document's own sentence, and its owner, to the invoice."""
    data = {"document": problem.about, "said": problem.sentence("en"), "said_zh": problem.sentence("zh")}
    found = reason("relies_on_unsound", about, line, **data)
    return Reason(found.code, found.about, found.line, found.data, found.state, problem.owners)


def _of_order(claim: Claim, line: OrderLine, version: LineVersion) -> Iterator[Reason]:
    about, name = claim.invoice, claim.line.line
    for problem in line.problems:
        claim.judged = False
        yield relies_on(problem, about, name)
    if line.latest.order.status == "cancelled":
        yield reason("order_cancelled", about, name, order=header_of(line.ref))
    item, ordered = claim.line.item, version.line.item
    if item and ordered and item != ordered:
        yield reason("item_differs", about, name, item=item, ordered_item=ordered)
    if claim.line.quantity is None:
        yield reason("quantity_missing", about, name)
    elif not claim.quantity and claim.net:
        yield reason("amount_without_quantity", about, name, amount=claim.net, currency=claim.document.currency)
    yield from _tax_rate(claim, version)
    differs = judge_amount(claim)
    if differs:
        yield differs


def _tax_rate(claim: Claim, version: LineVersion) -> Iterator[Reason]:
    rate, expected = claim.line.tax_rate, version.line.tax_rate
    untaxed = claim.document.tax_treatment in ("reverse_charge", "exempt")
    if None not in (rate, expected) and rate != expected and not untaxed:
        yield reason("tax_rate_differs", claim.invoice, claim.line.line, rate=rate, expected=expected)


def _dates(claim: Claim, line: OrderLine, version: LineVersion) -> Iterator[Reason]:
    ordered_on, invoiced_on = version.order.ordered_on, claim.document.invoiced_on
    too_early, allowed = (ordered_on - invoiced_on).days, line.terms.limit_days("before_order")
    if too_early > allowed:
        data = {"invoiced_on": invoiced_on.isoformat(), "ordered_on": ordered_on.isoformat(), "days": too_early}
        yield reason("invoice_before_order", claim.invoice, claim.line.line, **data, allowed=allowed)
    if claim.takes and version.line.due_on:
        yield from _delivery(claim, line, version)


def _delivery(claim: Claim, line: OrderLine, version: LineVersion) -> Iterator[Reason]:
    due_on, days = version.line.due_on, [stock.day for stock, _ in claim.takes]
    if due_on is None or not days:
        return
    for code, day, off in (
        ("early", min(days), (due_on - min(days)).days),
        ("late", max(days), (max(days) - due_on).days),
    ):
        allowed = line.terms.limit_days(code)
        if off > allowed:
            data = {"received_on": day.isoformat(), "due_on": due_on.isoformat(), "days": off, "allowed": allowed}
            yield reason(f"delivered_{code}", claim.invoice, claim.line.line, **data)
