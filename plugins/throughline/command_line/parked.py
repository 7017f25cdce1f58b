"""`parked`: what has stopped until somebody mends something, by cause or one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from throughline.command_line.machine_readable import json_option, print_json

if TYPE_CHECKING:
    from throughline.ledger import Books
    from throughline.ledger.work_entries import ParkedCase, ParkedGroup

EXAMPLES = 100
"""So many single cases come with each group of `--json`; all of a cause with `--signature`."""


@click.command()
@click.option("--signature", help="Only this cause, case by case.")
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1), help="At most so many cases.")
@json_option
def parked(signature: str | None, limit: int, as_json: bool) -> None:
    """List what has stopped, by cause: how many, since when, whose system it concerns, why, and how to let it go on.

    With --signature every case of that cause is listed by itself.
    """
    from throughline.command_line.open_ledger import open_ledger

    most = limit if signature else EXAMPLES
    with open_ledger() as ledger, ledger.transaction() as books:
        found = [group for group in books.parked.by_signature() if signature in {None, group.signature}]
        told = [_group(books, group, most) for group in found]
    if as_json:
        print_json(told)
        return
    for group in told:
        (_draw_cases if signature else _draw_group)(group)
    if not told:
        click.echo("Nothing is parked." if signature is None else "Nothing is parked with this signature.")


def case_entry(case: ParkedCase) -> dict[str, Any]:
    """One parked case as `--json` tells it."""
    names = ("id", "subject", "step", "item", "reason", "details", "parked_at")
    return {name: value for name, value in asdict(case).items() if name in names}


def _group(books: Books, group: ParkedGroup, most: int) -> dict[str, Any]:
    return {
        "signature": group.signature,
        "error_kind": group.error_kind,
        "owner_system": group.role,
        "count": group.count,
        "oldest": group.oldest,
        "newest": group.newest,
        "reason": group.reason,
        "examples": list(dict.fromkeys(group.examples)),
        "replay": f"throughline replay --signature {group.signature} --canary 3",
        "cases": [case_entry(case) for case in books.parked.open(signature=group.signature, limit=most)],
    }


def _draw_group(group: Mapping[str, Any]) -> None:
    from throughline.command_line.drawing import short

    _draw_head(group)
    more = group["count"] - len(group["examples"])
    shown = ", ".join(short(name) for name in group["examples"])
    click.echo(f"    {shown}" + (f" … and {more} more" if more > 0 else ""))
    click.echo(f"    one by one:        throughline parked --signature {group['signature']}")
    click.echo(f"    when it is mended: {group['replay']}\n")


def _draw_cases(group: Mapping[str, Any]) -> None:
    from rich.table import Table

    from throughline.command_line.drawing import console, moment

    _draw_head(group)
    table = Table("Case", "Document", "At", "Since", "Why", box=None, pad_edge=False)
    for case in group["cases"]:
        table.add_row(str(case["id"]), case["subject"], case["step"], moment(case["parked_at"]), case["reason"])
    console().print(table)
    _draw_rest(group, group["cases"])
    click.echo(f"    when it is mended: {group['replay']}\n")


def _draw_rest(group: Mapping[str, Any], shown: Sequence[object]) -> None:
    if group["count"] > len(shown):
        click.echo(f"    … and {group['count'] - len(shown)} more (--limit shows more)")


def _draw_head(group: Mapping[str, Any]) -> None:
    from throughline.command_line.drawing import moment

    owner = group["owner_system"] or "the hub"
    since, until = moment(group["oldest"]), moment(group["newest"])
    when = f"since {since}" if since == until else f"{since} to {until}"
    click.echo(f"{group['count']} × {group['error_kind']} · {owner} · {when}")
    click.echo(f"    {group['reason']}")
