"""Reading a database's tables by declared queries: one SELECT each, read-only, fenced by the database's own log.

`profile` is what may be declared, `queries` checks it, `statements` and `session` speak PostgreSQL, `connector` is what
the hub sees. A database is only ever read here: another system's tables are no place to write to, its interface is.
"""
