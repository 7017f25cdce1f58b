"""A declared query must be one SELECT that changes nothing; a parser says so when the profile is loaded.

The database is asked to refuse changes too (a read-only transaction): two doors, because either may have a gap.
"""

from __future__ import annotations

from functools import lru_cache

from throughline.connectors.mechanisms.sql.dialects import Dialect

ANY_COLUMN = "*"


@lru_cache(maxsize=256)
def columns_of(query: str, dialect: Dialect) -> frozenset[str]:
    """The names of the query's columns (with `*` among them when it takes all), or ValueError saying what is wrong."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        statements = [statement for statement in sqlglot.parse(query, read=dialect.value) if statement is not None]
    except SqlglotError as error:
        first = str(error).splitlines()[0]
        raise ValueError(f"this query cannot be read: {first}") from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise ValueError("a declared query is one SELECT, and nothing else")
    forbidden = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Into, exp.Lock, exp.Command, exp.Placeholder)
    for found in statements[0].find_all(*forbidden, exp.Parameter):
        raise ValueError(f"a declared query only reads and takes no parameters: {found.sql(dialect=dialect.value)}")
    names = statements[0].named_selects
    if "" in names:
        raise ValueError("every column of a declared query needs a name (`… as name`)")
    if len(set(names)) != len(names):
        raise ValueError("two columns of this query have the same name")
    return frozenset(names)
