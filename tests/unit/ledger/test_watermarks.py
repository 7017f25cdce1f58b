"""The cursor of a source moves only from where its reader saw it."""

from __future__ import annotations

from throughline.ledger import Ledger


def test_of_two_readers_only_one_moves_the_cursor(ledger: Ledger) -> None:
    with ledger.transaction() as books:
        assert books.watermarks.move("crm", "sales_order", None, {"at": 1})
    with ledger.transaction() as books:
        assert not books.watermarks.move("crm", "sales_order", None, {"at": 2})
        assert books.watermarks.move("crm", "sales_order", {"at": 1}, {"at": 2})
        assert not books.watermarks.move("crm", "sales_order", {"at": 1}, {"at": 3})
        assert books.watermarks.move("crm", "sales_order", {"at": 2}, {"at": 2})
        assert books.watermarks.get("crm", "sales_order") == {"at": 2}
