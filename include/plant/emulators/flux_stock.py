"""What lies in the warehouse and what is promised, per item."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from include.plant.emulators.calls import Refused
from include.plant.emulators.document_store import DocumentStore, Record

SKU = "sku"


class Stock:
    """Quantities on hand and demanded by open orders, kept up to date with every move."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store

    def add_sku(self, sku: str, name: str, on_hand: Decimal) -> None:
        """Make an item known to the warehouse."""
        self._store.insert(SKU, sku, {"descr": name, "qty": str(on_hand), "demand": "0"}, number=sku)

    def known(self, sku: str) -> Record:
        """The item, or a refusal in the vendor's words."""
        found = self._store.get(SKU, sku)
        if found is None:
            raise Refused("SKU_NOT_FOUND", f"产品档案不存在: {sku}")
        return found

    def move(self, sku: str, on_hand: Decimal, demand: Decimal) -> None:
        """Add to what is there and to what is wanted (negative to take away)."""
        record = self.known(sku)
        quantity = Decimal(record.body["qty"]) + on_hand
        if quantity < 0:
            raise Refused("NO_STOCK", f"库存不足: {sku} 现有 {record.body['qty']}")
        record.body.update(qty=str(quantity), demand=str(Decimal(record.body["demand"]) + demand))
        self._store.save(record)

    def on_hand(self, sku: str) -> Decimal:
        """How many are there."""
        return Decimal(self.known(sku).body["qty"])

    def rows(self, skus: Iterable[str]) -> list[dict[str, str]]:
        """Quantity, allocated and available of some items, or of all."""
        wanted = list(skus)
        records = [self.known(sku) for sku in wanted] if wanted else self._store.select(SKU, order="id")
        return [_row(record) for record in records]


def _row(record: Record) -> dict[str, str]:
    quantity = Decimal(record.body["qty"])
    allocated = min(quantity, Decimal(record.body["demand"]))
    return {
        "sku": record.key, "qty": str(quantity), "qtyAllocated": str(allocated),
        "qtyAvailable": str(quantity - allocated),
    }  # fmt: skip
