"""What the hub can have done in the ERP. Every verb looks before each step: repeating it continues, never doubles."""

from __future__ import annotations

from throughline.connectors.products.tryton_erp.deliveries import find_issue, issue
from throughline.connectors.products.tryton_erp.receipts import find_receipt, receive
from throughline.connectors.products.tryton_erp.sale_changes import cancel_sale, change_sale
from throughline.connectors.products.tryton_erp.sales import create_sale, find_sale

__all__ = ["cancel_sale", "change_sale", "create_sale", "find_issue", "find_receipt", "find_sale", "issue", "receive"]
