"""Says why a line could not be matched in full, and what it waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

from throughline.rules.matching.claims import Claim
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.money import ZERO, cent
from throughline.rules.matching.order_book import OrderLine
from throughline.rules.matching.reasons import Reason, reason
from throughline.rules.matching.stock import Stock


def judge_quantity(desk: Desk, claim: Claim, line: OrderLine) -> list[Reason]:
    """The reasons for what is missing; none when every piece charged was found."""
    missing = claim.quantity - claim.matched
    if missing <= ZERO:
        return []
    version = claim.version
    ordered_unit = version.line.quantity.unit if version else line.unit.name
    factor = line.unit.factor(ordered_unit)
    allowed = line.terms.quantity.allowed(claim.matched, scale=factor)
    if claim.matched > ZERO and missing <= allowed:
        data = {"over": missing, "unit": line.unit.name, "cut": _cut(claim), "currency": claim.document.currency}
        return [_reason("quantity_cut", claim, **data)]
    return list(_shortage(desk, claim, line, missing))


def _cut(claim: Claim) -> Decimal:
    share = claim.gross * claim.matched / claim.quantity
    return claim.gross - share.quantize(cent(claim.document.currency))


def _shortage(desk: Desk, claim: Claim, line: OrderLine, missing: Decimal) -> Iterator[Reason]:
    unit = line.unit.name
    over = min(missing, claim.over_ordered)
    if over > ZERO and claim.version:
        yield _reason("quantity_over_ordered", claim, over=over, unit=unit, ordered=claim.version.ordered)
    lacking = missing - over
    if line.lost is None:
        line.lost = list(_explained(line))
    for code, there in line.lost:
        part = min(lacking, there)
        if part > ZERO:
            lacking -= part
            figures = {"matched": claim.matched, "invoiced": claim.quantity}
            yield _reason(code, claim, missing=part, unit=unit, **figures)
    if lacking <= ZERO:
        return
    if line.complete:
        yield _reason("quantity_over_received", claim, missing=lacking, unit=unit)
        return
    figures = {"invoiced": claim.quantity, "matched": claim.matched, "missing": lacking}
    yield _reason("receipt_awaited", claim, **figures, unit=unit)
    yield from _overdue(desk, claim)


def _explained(line: OrderLine) -> Iterator[tuple[str, Decimal]]:
    """What would have been there: not inspected yet, rejected, sent back, booked wrongly; less what replaced it."""
    if line.terms.way == 4:
        yield "inspection_awaited", sum((stock.uninspected for stock in line.stocks), ZERO)
        yield "goods_rejected", _not_replaced(line, lambda stock: stock.rejected_here)
    yield "goods_returned", _not_replaced(line, lambda stock: stock.returned)
    yield "receipt_reversed", _not_replaced(line, lambda stock: stock.reversed)


def _not_replaced(line: OrderLine, lost: Callable[[Stock], Decimal]) -> Decimal:
    """Goods lost, less what came in after the first loss."""
    total = sum((lost(stock) for stock in line.stocks), ZERO)
    if not total:
        return ZERO
    first = next(at for at, stock in enumerate(line.stocks) if lost(stock))
    return max(ZERO, total - sum((stock.net for stock in line.stocks[first + 1 :]), ZERO))


def _overdue(desk: Desk, claim: Claim) -> Iterator[Reason]:
    invoiced_on = claim.document.invoiced_on
    days = desk.policy.waiting.expire_days
    if invoiced_on + timedelta(days=days) < desk.as_of:
        yield _reason("receipt_overdue", claim, since=invoiced_on.isoformat(), days=days)


def _reason(code: str, claim: Claim, **data: object) -> Reason:
    return reason(code, claim.invoice, claim.line.line, **data)
