"""Where every order line stands: received, accepted, invoiced, open, and what the supplier says differently."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from throughline.canonical import (
    PurchaseOrder,
    PurchaseRequisition,
    SupplierConfirmation,
    SupplierConfirmationLine,
    line_reference,
)
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.line_judgement import gap_reason
from throughline.rules.matching.measures import MissingFactor
from throughline.rules.matching.money import ZERO
from throughline.rules.matching.order_book import OrderBook, OrderLine
from throughline.rules.matching.reasons import Reason, reason
from throughline.rules.matching.terms import Hole
from throughline.rules.matching.verdicts import OrderLineReport


def order_reports(desk: Desk, book: OrderBook) -> dict[str, OrderLineReport]:
    """A report for every line of every sound order."""
    confirmed = _confirmations(desk)
    found = {}
    for ref, order in desk.papers.all(PurchaseOrder):
        for line in order.lines:
            name = line_reference(ref, line.line)
            known = book.line(name)
            if known is not None:
                found[name] = _report(desk, known, confirmed.get(name, []))
    return found


def _report(desk: Desk, line: OrderLine, confirmed: list[SupplierConfirmationLine]) -> OrderLineReport:
    ordered = line.latest.ordered
    received = sum((stock.received - stock.reversed for stock in line.stocks), ZERO)
    net = sum((stock.net for stock in line.stocks), ZERO)
    accepted = sum((min(stock.net, stock.accepted) for stock in line.stocks), ZERO)
    try:
        way = line.terms.way
        reasons = [*_over(line, net, ordered), *_deviations(line, confirmed)]
        there = ordered if way == 2 else sum((stock.usable(way) for stock in line.stocks), ZERO)
        come = line.matched if way == 2 else net
    except (Hole, MissingFactor) as gap:
        reasons, there, come = [gap_reason(gap, line.ref, line.latest.line.line, line.latest.line.item)], ZERO, net
    missing = max(ZERO, ordered - come)
    if line.complete and missing:
        reasons.append(reason("short_closed", line.ref, line.latest.line.line, open=missing, unit=line.unit.name))
    return OrderLineReport(
        order_line=line.ref,
        unit=line.unit.name,
        ordered=ordered,
        received=received,
        returned=sum((stock.returned for stock in line.stocks), ZERO),
        accepted=accepted,
        invoiced=sum((claim.quantity for claim in line.claims if claim.counts), ZERO),
        matched=line.matched,
        open=ZERO if line.complete else missing,
        received_not_invoiced=max(ZERO, min(there, ordered) - line.matched),
        reasons=tuple(desk.settle(one) for one in reasons),
    )


def _over(line: OrderLine, net: Decimal, ordered: Decimal) -> Iterator[Reason]:
    if net <= ordered:
        return
    factor = line.unit.factor(line.latest.line.quantity.unit)
    allowed = line.terms.over_receipt.allowed(ordered, scale=factor)
    code = "over_receipt_within" if net - ordered <= allowed else "over_receipt"
    told = {"received": net, "ordered": ordered, "unit": line.unit.name}
    yield reason(code, line.ref, line.latest.line.line, **told, allowed=allowed if allowed.is_finite() else "∞")


def _confirmations(desk: Desk) -> dict[str, list[SupplierConfirmationLine]]:
    """What the newest confirmation says of each order line."""
    newest: dict[str, tuple[tuple[date, str], list[SupplierConfirmationLine]]] = {}
    for ref, confirmation in desk.papers.all(SupplierConfirmation):
        if confirmation.status == "rejected":
            continue
        rank = (confirmation.confirmed_on or date.min, ref)
        by_line: dict[str, list[SupplierConfirmationLine]] = defaultdict(list)
        for line in confirmation.lines:
            by_line[line.order_line].append(line)
        for name, lines in by_line.items():
            if name not in newest or newest[name][0] < rank:
                newest[name] = (rank, lines)
    return {name: lines for name, (_, lines) in newest.items()}


def _deviations(line: OrderLine, confirmed: list[SupplierConfirmationLine]) -> Iterator[Reason]:
    if not confirmed:
        return
    ordered = line.latest.line
    total = sum((line.unit.of(part.quantity) for part in confirmed), ZERO)
    prices = {part.unit_price for part in confirmed if part.unit_price is not None}
    days = [part.due_on for part in confirmed if part.due_on is not None]
    differences: list[tuple[str, object, object]] = []
    if total != line.latest.ordered:
        differences.append(("quantity", total, line.latest.ordered))
    differences += [
        ("price", price.amount, ordered.unit_price.amount) for price in prices if price != ordered.unit_price
    ]
    if days and ordered.due_on and max(days) != ordered.due_on:
        differences.append(("date", max(days).isoformat(), ordered.due_on.isoformat()))
    for field, said, wanted in differences:
        yield reason("confirmation_differs", line.ref, ordered.line, field=field, confirmed=said, ordered=wanted)


def requisition_findings(desk: Desk) -> Iterator[Reason]:
    """Requisition lines for which more is ordered than was asked for, over all orders."""
    ordered: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for _, order in desk.papers.all(PurchaseOrder):
        if order.status == "cancelled":
            continue
        for line in order.lines:
            for source in line.sources:
                ordered[source.requisition_line][source.quantity.unit] += source.quantity.value
    for ref, requisition in desk.papers.all(PurchaseRequisition):
        for wanted in requisition.lines:
            unit = wanted.quantity.unit
            total = ordered[line_reference(ref, wanted.line)][unit]
            if total > wanted.quantity.value:
                data = {"ordered": total, "requested": wanted.quantity.value, "unit": unit}
                yield reason("requisition_exceeded", ref, wanted.line, **data)
