"""What the hub can have done in the warehouse. Every verb looks first, so repeating it continues, never doubles."""

from __future__ import annotations

from throughline.connectors.products.tryton_wms.verbs.outbound_changes import change_order
from throughline.connectors.products.tryton_wms.verbs.outbound_orders import end_order, find_order, order_out
from throughline.connectors.products.tryton_wms.verbs.receipt_notices import announce, find_notice, withdraw

__all__ = ["announce", "change_order", "end_order", "find_notice", "find_order", "order_out", "withdraw"]
