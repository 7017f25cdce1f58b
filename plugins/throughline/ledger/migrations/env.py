"""Alembic's entry: it works on the connection `ledger.migrate` hands over, never on an address of its own."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="ledger_version")
with context.begin_transaction():
    context.run_migrations()
