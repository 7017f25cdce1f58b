"""What the hub can have done in the ERP. Every verb looks before each step: repeating it continues, never doubles."""

from __future__ import annotations

from throughline.connectors.products.tryton_erp.verbs.deliveries import find_issue, issue
from throughline.connectors.products.tryton_erp.verbs.purchase_ends import cancel_purchase, close_purchase
from throughline.connectors.products.tryton_erp.verbs.purchase_receipts import find_purchase_receipt, receive_purchase
from throughline.connectors.products.tryton_erp.verbs.purchases import create_purchase, find_purchase
from throughline.connectors.products.tryton_erp.verbs.receipts import find_receipt, receive
from throughline.connectors.products.tryton_erp.verbs.sale_changes import cancel_sale, change_sale
from throughline.connectors.products.tryton_erp.verbs.sales import create_sale, find_sale

__all__ = [
    "cancel_purchase",
    "cancel_sale",
    "change_sale",
    "close_purchase",
    "create_purchase",
    "create_sale",
    "find_issue",
    "find_purchase",
    "find_purchase_receipt",
    "find_receipt",
    "find_sale",
    "issue",
    "receive",
    "receive_purchase",
]
