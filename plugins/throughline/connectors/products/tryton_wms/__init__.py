"""Tryton's stock modules as the warehouse system: announced receipts, outbound orders, what arrived and what left."""
