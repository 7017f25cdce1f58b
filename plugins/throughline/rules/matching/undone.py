"""Which bookings were undone again: receipts, returns, and reversals of reversals."""

from __future__ import annotations

from collections import defaultdict

from throughline.canonical import PurchaseReceipt, Quantity, line_reference
from throughline.rules.matching.papers import Papers


class Undone:
    """Looks up what reversals took back. A reversal that was itself reversed counts for nothing."""

    def __init__(self, papers: Papers) -> None:
        self._receipts = dict(papers.all(PurchaseReceipt))
        self._whole: dict[str, list[str]] = defaultdict(list)
        self._parts: dict[str, list[tuple[str, Quantity]]] = defaultdict(list)
        self._known: dict[str, bool] = {}
        for ref, receipt in self._receipts.items():
            if receipt.movement == "reversal":
                self._note(ref, receipt)

    def whole(self, ref: str) -> bool:
        """Whether a whole document counts for nothing any more."""
        if ref not in self._known:
            self._known[ref] = False  # a circle of reversals undoes nothing
            receipt = self._receipts.get(ref)
            gone = receipt is not None and receipt.status == "reversed"
            self._known[ref] = gone or any(not self.whole(by) for by in self._whole.get(ref, ()))
        return self._known[ref]

    def parts(self, line_ref: str) -> list[Quantity]:
        """How much of one line was taken back, by each reversal that still counts."""
        return [quantity for by, quantity in self._parts.get(line_ref, ()) if not self.whole(by)]

    def _note(self, ref: str, receipt: PurchaseReceipt) -> None:
        if receipt.reverses and not receipt.lines:
            self._whole[receipt.reverses].append(ref)
        for line in receipt.lines:
            target = line.returns or (line_reference(receipt.reverses, line.line) if receipt.reverses else None)
            if target:
                self._parts[target].append((ref, line.weighed or line.quantity))
