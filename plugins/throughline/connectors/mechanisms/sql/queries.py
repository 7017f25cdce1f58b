"""A declared query must be one SELECT that changes nothing; a parser says so when the profile is loaded.

The database is asked to refuse changes too (a read-only transaction): two doors, because either may have a gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from throughline.connectors.mechanisms.sql.dialects import Dialect

if TYPE_CHECKING:
    from sqlglot import exp

ANY_COLUMN = "*"
_ELSEWHERE = {"openrowset", "openquery", "opendatasource", "xp_cmdshell"}
"""Functions of SQL Server that carry any statement to another server, or out of the database."""


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
    for wrong in _wrong_for_sql_server(statements[0]) if dialect is Dialect.SQLSERVER else ():
        raise ValueError(wrong)
    names = statements[0].named_selects
    if "" in names:
        raise ValueError("every column of a declared query needs a name (`… as name`)")
    if len(set(names)) != len(names):
        raise ValueError("two columns of this query have the same name")
    return frozenset(names)


def _wrong_for_sql_server(query: exp.Query) -> Iterator[str]:
    """What SQL Server would refuse around our own conditions, what would lose rows, and what does more than read."""
    from sqlglot import exp

    if any(query.args.get(part) for part in ("with_", "options", "for_")):
        yield "a declared query is put into another one: without WITH, OPTION and FOR"
    if query.args.get("order") and not query.args.get("limit"):
        yield "a declared query is put into another one: without ORDER BY"
    for table in query.find_all(exp.Table):
        if table.args.get("hints") or table.args.get("sample"):
            yield f"no hint for {table.name}: NOLOCK and READPAST make rows disappear that are committed"
    if query.find(exp.NextValueFor):
        yield "a declared query only reads: NEXT VALUE FOR changes a sequence"
    for called in query.find_all(exp.Anonymous):
        if called.name.lower() in _ELSEWHERE:
            yield f"a declared query only reads this database: no {called.name}"
