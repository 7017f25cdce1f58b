"""Faithful stand-ins for the CRM, the MES and the warehouse: real HTTP, real signatures, the vendors' own traps.

They share nothing with the hub (no import of `throughline`), so they judge it independently.
"""
