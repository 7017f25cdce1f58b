"""The same session header as Tryton's ERP."""

from __future__ import annotations

from throughline.connectors.products.tryton_erp.signer import session_header

__all__ = ["session_header"]
