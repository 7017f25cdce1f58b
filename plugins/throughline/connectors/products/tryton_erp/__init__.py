"""Tryton 8.2 as the ERP: sales, productions, goods issues, over its JSON-RPC."""
