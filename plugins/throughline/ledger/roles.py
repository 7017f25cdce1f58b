"""The hub's own user in the database: it may do the hub's work and not one thing more."""

from __future__ import annotations

import psycopg
from psycopg import sql

_ONE_AT_A_TIME = 7_206_003
"""The advisory lock: two starting processes must not both make the user."""
_APPENDED_ONLY = ("audit",)
_READ_ONLY = ("audit_end", "ledger_version")


def admit_hub(owner_dsn: str, user: str, password: str) -> None:
    """Make the hub's user, or give it what newer tables need; harmless to repeat.

    It reads and writes documents and work; it may add to the audit but not change it, and makes and drops no tables.

    Args:
        owner_dsn: the ledger's address as its owner, after `migrate`.
        user: the login the hub uses from now on.
        password: its password.
    """
    name = sql.Identifier(user)
    with psycopg.connect(owner_dsn) as database:
        database.execute("select pg_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
        if not database.execute("select 1 from pg_roles where rolname = %s", [user]).fetchone():
            database.execute(sql.SQL("create role {}").format(name))
        limits = "login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password {}"
        database.execute(sql.SQL("alter role {} " + limits).format(name, sql.Literal(password)))
        for statement in _rights():
            database.execute(sql.SQL(statement).format(hub=name))


def _rights() -> list[str]:
    closed = ", ".join((*_APPENDED_ONLY, *_READ_ONLY))
    return [
        "grant usage on schema public to {hub}",
        "grant select, insert, update, delete on all tables in schema public to {hub}",
        "grant usage on all sequences in schema public to {hub}",
        f"revoke insert, update, delete, truncate, trigger, references on {closed} from {{hub}}",
        f"grant insert on {', '.join(_APPENDED_ONLY)} to {{hub}}",
    ]
