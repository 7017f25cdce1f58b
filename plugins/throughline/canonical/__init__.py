"""The company's own words: one frozen model per business document, the same whatever system it came from.

Nothing here knows any product. Amounts are `Decimal` with a currency, quantities carry a unit, moments carry a zone,
local dates stay dates. A document names others by canonical reference (`sales_order:crm:SO-1`, a line
`sales_order:crm:SO-1#10`), never by any system's own id.
"""

from throughline.canonical.documents import (
    DOCUMENTS,
    Address,
    CanonicalDocument,
    Customer,
    Item,
    Notice,
    OrderUpdate,
    OutboundOrder,
    OutboundOrderLine,
    ProductionReport,
    Receipt,
    ReceiptLine,
    ReceiptNotice,
    ReceiptNoticeLine,
    SalesOrder,
    SalesOrderLine,
    Shipment,
    ShipmentLine,
    StockLevel,
    WorkOrder,
)
from throughline.canonical.quantities import Money, Quantity
from throughline.canonical.references import Reference, header_of, line_of, line_reference, reference
from throughline.canonical.statuses import LATTICES, Lattice

__all__ = [
    "DOCUMENTS",
    "LATTICES",
    "Address",
    "CanonicalDocument",
    "Customer",
    "Item",
    "Lattice",
    "Money",
    "Notice",
    "OrderUpdate",
    "OutboundOrder",
    "OutboundOrderLine",
    "ProductionReport",
    "Quantity",
    "Receipt",
    "ReceiptLine",
    "ReceiptNotice",
    "ReceiptNoticeLine",
    "Reference",
    "SalesOrder",
    "SalesOrderLine",
    "Shipment",
    "ShipmentLine",
    "StockLevel",
    "WorkOrder",
    "header_of",
    "line_of",
    "line_reference",
    "reference",
]
