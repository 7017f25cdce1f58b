"""A pushed message is kept once, as it came, and read once; reading positions move with what was read."""

from __future__ import annotations

import contextlib
from decimal import Decimal

from throughline.connectors.contract import Captured
from throughline.ledger import Ledger


def test_the_same_message_is_kept_once_and_read_once(ledger: Ledger) -> None:
    body = b"\x00\xff\xe8\xae\xa2"
    with ledger.transaction() as books:
        assert books.inbox.store("wms", "confirmASNData", "m1", {"Sign": "x"}, body)
        assert not books.inbox.store("wms", "confirmASNData", "m1", {"Sign": "y"}, b"other")
        assert books.inbox.has_unread("wms")
        assert not books.inbox.has_unread("mes")
    with ledger.transaction() as books:
        (message,) = books.inbox.unread("wms")
        assert (message.body, message.headers) == (body, {"Sign": "x"})
        with ledger.transaction() as other:
            assert other.inbox.unread() == []
        books.inbox.read([message.message_row], problems={message.message_row: "no such order"})
    with ledger.transaction() as books:
        assert books.inbox.unread() == []


def test_a_watermark_moves_only_with_its_records(ledger: Ledger) -> None:
    with ledger.transaction() as books:
        books.watermarks.set("crm", "sales_order", {"after": Decimal("1.50")})
    with contextlib.suppress(RuntimeError), ledger.transaction() as books:
        books.records.store("crm", [Captured("sales_order", "a", {})])
        books.watermarks.set("crm", "sales_order", {"after": 2})
        raise RuntimeError
    with ledger.transaction() as books:
        assert books.watermarks.get("crm", "sales_order") == {"after": Decimal("1.50")}
        assert not books.records.has_pending()
        assert books.watermarks.get("crm", "customer") is None
