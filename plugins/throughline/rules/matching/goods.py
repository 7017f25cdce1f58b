"""What was received for each order line: receipts less returns and reversals, and what inspection accepted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from throughline.canonical import (
    Inspection,
    PurchaseReceipt,
    PurchaseReceiptLine,
    Quantity,
    header_of,
    line_reference,
)
from throughline.rules.matching.desk import Desk
from throughline.rules.matching.measures import MissingFactor
from throughline.rules.matching.money import ZERO
from throughline.rules.matching.order_book import OrderBook, OrderLine
from throughline.rules.matching.reasons import Reason, reason
from throughline.rules.matching.stock import Stock
from throughline.rules.matching.undone import Undone

Entry = tuple[str, PurchaseReceipt, PurchaseReceiptLine]


class Goods:
    """Writes every receipt into the ledger of its order line; what fits nowhere becomes a finding."""

    def __init__(self, desk: Desk, book: OrderBook) -> None:
        self._desk, self._book = desk, book
        self._undone = Undone(desk.papers)
        self._stocks: dict[str, tuple[Stock, OrderLine]] = {}
        self.findings: list[Reason] = []

    def write(self) -> None:
        """Receipts first, then what went back, then what inspection says."""
        returns: list[Entry] = []
        for entry in self._entries():
            if entry[1].movement == "receipt":
                self._receive(*entry)
            elif entry[1].movement == "return":
                returns.append(entry)
        for entry in returns:
            self._send_back(entry[0], entry[2])
        for line in self._book.known():
            line.stocks.sort(key=lambda stock: stock.rank)
            self._spread_returns(line)
        self._inspect()
        self._blame_unsound()

    def _entries(self) -> Iterator[Entry]:
        for ref, receipt in self._desk.papers.all(PurchaseReceipt):
            for line in receipt.lines:
                yield line_reference(ref, line.line), receipt, line

    def _receive(self, ref: str, receipt: PurchaseReceipt, line: PurchaseReceiptLine) -> None:
        order_line = self._order_line(ref, line, line.order_line)
        if order_line is None:
            return
        amounts = self._amounts(order_line, ref, line)
        if amounts is not None:
            stock = Stock(ref, receipt.received_on, receipt.number, line.line, amounts[0], amounts[1])
            order_line.stocks.append(stock)
            self._stocks[ref] = (stock, order_line)

    def _send_back(self, ref: str, line: PurchaseReceiptLine) -> None:
        origin = self._stocks.get(line.returns) if line.returns else None
        order_line = origin[1] if origin else self._order_line(ref, line, line.order_line)
        amounts = self._amounts(order_line, ref, line) if order_line else None
        if order_line is None or amounts is None:
            return
        back = max(ZERO, amounts[0] - amounts[1])
        if origin is None:
            order_line.unreferenced_returns += back
            return
        stock = origin[0]
        stock.returned += back
        self._not_more(ref, line.line, order_line, stock.received - stock.reversed, stock.returned)

    def _not_more(self, ref: str, line: str, order_line: OrderLine, received: Decimal, returned: Decimal) -> None:
        if returned > received:
            figures = {"returned": returned, "received": max(ZERO, received), "unit": order_line.unit.name}
            found = reason("return_exceeds_receipt", ref, line, **figures)
            self.findings.append(found)
            order_line.problems.append(found)

    def _order_line(self, ref: str, line: PurchaseReceiptLine, wanted: str | None) -> OrderLine | None:
        if wanted is None:
            self.findings.append(reason("receipt_not_linked", ref, line.line))
            return None
        found = self._book.line(wanted)
        if found is None:
            if header_of(wanted) not in self._desk.papers.unsound:
                self.findings.append(reason("receipt_without_order", ref, line.line, order_line=wanted))
            return None
        ordered = found.latest.line.item
        if line.item and ordered and line.item != ordered:
            data = {"item": line.item, "order_line": wanted, "ordered_item": ordered}
            self.findings.append(reason("receipt_item_differs", ref, line.line, **data))
            return None
        return found

    def _amounts(self, order_line: OrderLine, ref: str, line: PurchaseReceiptLine) -> tuple[Decimal, Decimal] | None:
        """What the line moved, and how much of that was undone."""
        quantity = line.weighed or line.quantity
        try:
            moved = order_line.unit.of(quantity)
            undone = sum((order_line.unit.of(part) for part in self._undone.parts(ref)), ZERO)
        except MissingFactor as missing:
            item = line.item or order_line.latest.line.item or "-"
            found = reason("factor_missing", ref, line.line, unit=missing.unit, item=item, into=missing.into)
            self.findings.append(found)
            order_line.problems.append(found)
            return None
        return moved, moved if self._undone.whole(header_of(ref)) else min(moved, undone)

    def _spread_returns(self, line: OrderLine) -> None:
        """Returns that name no receipt are taken from the newest goods."""
        left = line.unreferenced_returns
        if not left:
            return
        there = sum((stock.net for stock in line.stocks), ZERO)
        self._not_more(line.ref, line.latest.line.line, line, there, left)
        for stock in reversed(line.stocks):
            taken = min(left, stock.net)
            stock.returned += taken
            left -= taken

    def _inspect(self) -> None:
        for ref, inspection in self._desk.papers.all(Inspection):
            if inspection.status == "cancelled":
                continue
            for line in inspection.lines:
                found = self._stocks.get(line.receipt_line)
                if found is None:
                    self._unknown_receipt(ref, line.line, line.receipt_line)
                else:
                    self._judge(ref, line.line, found, line.accepted, line.rejected)
        for stock, order_line in self._stocks.values():
            inspected, received = stock.accepted + stock.rejected, stock.received - stock.reversed
            if inspected > stock.received:
                figures = {"inspected": inspected, "received": received, "unit": order_line.unit.name}
                found_more = reason("inspection_exceeds_receipt", stock.ref, stock.line, **figures)
                self.findings.append(found_more)
                order_line.problems.append(found_more)

    def _unknown_receipt(self, ref: str, line: str, receipt_line: str) -> None:
        self.findings.append(reason("receipt_unknown", ref, line, receipt_line=receipt_line))

    def _judge(
        self, ref: str, line: str, found: tuple[Stock, OrderLine], accepted: Quantity, rejected: Quantity | None
    ) -> None:
        stock, order_line = found
        try:
            stock.accepted += order_line.unit.of(accepted)
            stock.rejected += order_line.unit.of(rejected) if rejected else ZERO
        except MissingFactor as missing:
            item = order_line.latest.line.item or "-"
            problem = reason("factor_missing", ref, line, unit=missing.unit, item=item, into=missing.into)
            self.findings.append(problem)
            order_line.problems.append(problem)

    def _blame_unsound(self) -> None:
        """An order line whose receipt or inspection cannot be right is not judged by the others."""
        blamed: dict[str, list[Reason]] = defaultdict(list)
        for ref, documents in self._desk.papers.unsound.items():
            for document in documents:
                for named in document.references():
                    blamed[named] += self._desk.papers.problems[ref]
        for named, problems in blamed.items():
            stock = self._stocks.get(named)
            line = stock[1] if stock else self._book.line(named) if named.startswith("purchase_order:") else None
            if line is not None:
                line.problems += [problem for problem in problems if _about_goods(problem)]


def _about_goods(problem: Reason) -> bool:
    return problem.about.split(":")[0] in ("purchase_receipt", "inspection")
