"""A door that speaks SQL Server's wire protocol (TDS), in front of a real PostgreSQL.

Drivers of SQL Server connect unchanged. It imports nothing of the hub; `README.md` says what is imitated and what
is not.
"""
