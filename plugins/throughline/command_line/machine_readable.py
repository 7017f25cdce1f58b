"""What a program reads instead of a person: `--json` on every command."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

import click

C = TypeVar("C", bound=Callable[..., Any])


def json_option(command: C) -> C:
    """The `--json` every command has; the function gets it as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document for programs.")(command)


def print_json(value: Any) -> None:
    """One document, UTF-8."""
    click.echo(as_json_text(value))


def as_json_text(value: Any) -> str:
    """The same as a text, to be shown among other words."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
