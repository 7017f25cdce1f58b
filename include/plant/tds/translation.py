"""T-SQL as PostgreSQL understands it, statement by statement; sqlglot reads and writes, this says what it cannot know.

Names keep the spelling of the statement: unlike SQL Server's, they must be written as the tables declare them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

VERSION = "Microsoft SQL Server 2019 (RTM) - 15.0.2000.5 (the plant's)"
_KEPT_SETTING = re.compile(r"set\s+lock_timeout\s+(-?\d+)$", re.IGNORECASE)
_BEGIN = re.compile(r"begin\s+tran(saction)?$", re.IGNORECASE)
_END = re.compile(r"(if\s+@@trancount\s*>\s*0\s+)?(commit|rollback)(\s+tran(saction)?|\s+work)?$", re.IGNORECASE)
_EXECUTE = re.compile(r"exec(ute)?\s+(sys\.)?sp_executesql\s+(?P<rest>.*)$", re.IGNORECASE | re.DOTALL)
_CALL = re.compile(r"exec(ute)?\s+(\S+)", re.IGNORECASE)
_PASSED_OVER = re.compile(r"(set|use)\s", re.IGNORECASE)


class Refused(Exception):
    """SQL Server would refuse this, with this number."""

    def __init__(self, number: int, text: str, severity: int = 16) -> None:
        super().__init__(text)
        self.number, self.severity = number, severity


@dataclass(frozen=True)
class Statement:
    """One statement for PostgreSQL; `verb` says what it is: read, write, begin, end, setting, nothing."""

    verb: str
    text: str = ""
    careful: bool = False
    """an `end` that was only asked for if there is something to end"""


@dataclass(frozen=True)
class Known:
    """What the session answers for the server: @@TRANCOUNT and the like."""

    transactions: int = 0
    rows: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)


def statements(batch: str, known: Known) -> Iterator[Statement]:
    """Every statement of a batch in turn."""
    for part in _parts(batch):
        yield from _statement(part, known)


def bound(statement: str, declared: str, values: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The parameters of sp_executesql by name, without the @; in order where they are not named."""
    names = re.findall(r"@(\w+)\s+\w", declared or "")
    given = {(name.lstrip("@") or names[place]): value for place, (name, value) in enumerate(values)}
    if missing := set(names) - set(given):
        raise Refused(8178, f"The parameterized query '{statement[:60]}' expects the parameter '@{min(missing)}'.")
    return given


def _parts(batch: str) -> list[str]:
    try:
        tokens = sqlglot.tokenize(batch, read="tsql")
    except SqlglotError as error:
        raise Refused(102, f"Incorrect syntax: {error}", 15) from None
    cuts = [token for token in tokens if token.token_type == TokenType.SEMICOLON]
    starts = [0, *(token.end + 1 for token in cuts)]
    ends = [*(token.start for token in cuts), len(batch)]
    return [part for start, end in zip(starts, ends, strict=True) if (part := batch[start:end].strip())]


def _statement(part: str, known: Known) -> Iterator[Statement]:
    if found := _KEPT_SETTING.match(part):
        yield Statement("setting", f"set lock_timeout = {max(0, int(found[1]))}")
    elif _BEGIN.match(part):
        yield Statement("begin", "begin")
    elif found := _END.match(part):
        yield Statement("end", found[2].lower(), careful=bool(found[1]))
    elif found := _EXECUTE.match(part):
        yield from _executed(found["rest"], known)
    elif found := _CALL.match(part):
        raise Refused(2812, f"Could not find stored procedure '{found[2]}'.")
    elif _PASSED_OVER.match(part):
        yield Statement("nothing")
    else:
        yield translated(part, known)


def _executed(rest: str, known: Known) -> Iterator[Statement]:
    """`EXEC sp_executesql N'…', N'@a int', @a = 1`, with literals for values."""
    values = [_literal(argument) for argument in _arguments(rest)]
    text, declared = values[0][1], values[1][1] if len(values) > 1 else ""
    yield from statements(text, Known(known.transactions, known.rows, bound(text, declared, values[2:])))


def _arguments(rest: str) -> list[list[Token]]:
    arguments: list[list[Token]] = [[]]
    for token in sqlglot.tokenize(rest, read="tsql"):
        if token.token_type == TokenType.COMMA:
            arguments.append([])
        else:
            arguments[-1].append(token)
    return arguments


def _literal(tokens: list[Token]) -> tuple[str, Any]:
    """`@name = value` or only a value."""
    name, words = "", [token for token in tokens if token.token_type != TokenType.PARAMETER]
    if len(words) > 2 and words[1].token_type == TokenType.EQ:
        name, words = words[0].text, words[2:]
    sign = -1 if words[0].token_type == TokenType.DASH else 1
    kind, text = words[-1].token_type, words[-1].text
    if kind in (TokenType.STRING, TokenType.NATIONAL_STRING):
        return name, text
    if kind == TokenType.HEX_STRING:
        return name, bytes.fromhex(text)
    if kind == TokenType.NULL:
        return name, None
    if kind == TokenType.NUMBER:
        return name, sign * (Decimal(text) if "." in text else int(text))
    raise Refused(102, f"Incorrect syntax near '{text}'.", 15)


def translated(text: str, known: Known) -> Statement:
    """One statement of the language itself."""
    try:
        tree = sqlglot.parse_one(text, read="tsql")
        tree = tree.transform(lambda node: _replaced(node, known))
        told = tree.sql(dialect="postgres", identify=True)
    except SqlglotError as error:
        first = str(error).splitlines()[0]
        raise Refused(102, f"Incorrect syntax: {first}", 15) from None
    return Statement("read" if isinstance(tree, exp.Query) else "write", told)


def _replaced(node: exp.Expression, known: Known) -> exp.Expression:
    if isinstance(node, exp.Parameter):
        return _parameter(node, known)
    if isinstance(node, exp.HexString):
        return _value(bytes.fromhex(str(node.this)))
    if isinstance(node, exp.DataType) and node.this in (exp.DataType.Type.BINARY, exp.DataType.Type.VARBINARY):
        return exp.DataType.build("bytea", dialect="postgres")  # its bytes have no declared length
    if isinstance(node, exp.National):
        return exp.Literal.string(str(node.this))
    if isinstance(node, exp.Table) and node.db.lower() == "dbo":
        node.set("db", None)
        node.set("catalog", None)
    return node


def _parameter(node: exp.Parameter, known: Known) -> exp.Expression:
    if isinstance(node.this, exp.Parameter):
        name = node.this.name.lower()
        if name == "dbts":
            return exp.Anonymous(this="DBTS")
        told = {"trancount": known.transactions, "rowcount": known.rows, "version": VERSION, "servername": "PLANT"}
        if name in told:
            return _value(told[name])
    elif node.name in known.parameters:
        return _value(known.parameters[node.name])
    raise Refused(137, f'Must declare the scalar variable "@{node.name}".', 15)


def _value(value: Any) -> exp.Expression:
    if value is None:
        return exp.Null()
    if isinstance(value, bytes):
        return exp.cast(exp.Literal.string("\\x" + value.hex()), "bytea", dialect="postgres")
    if isinstance(value, str):
        return exp.cast(exp.Literal.string(value), "text", dialect="postgres")
    return exp.Literal.number(str(value)) if value >= 0 else exp.Neg(this=exp.Literal.number(str(-value)))
