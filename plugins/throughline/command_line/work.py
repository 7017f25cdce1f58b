"""`processes`, `parked`, `replay`: the work that is on its way, and the work that has stopped."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from throughline.command_line.machine_readable import json_option, print_json

if TYPE_CHECKING:
    from throughline.ledger import Books
    from throughline.ledger.work_entries import ParkedCase, ParkedGroup

_STATES = ("running", "finished", "cancelled", "parked")


@click.command()
@click.option("--flow", help="Only of this flow.")
@click.option("--state", type=click.Choice(_STATES), help="Only in this state.")
@click.option("--limit", default=200, show_default=True, type=click.IntRange(1), help="At most so many, the newest.")
@json_option
def processes(flow: str | None, state: str | None, limit: int, as_json: bool) -> None:
    """List the documents on their way: which flow, how far, since when, and each step's time with --json."""
    from throughline.command_line.open_ledger import open_ledger
    from throughline.command_line.paths import process_entry

    with open_ledger() as ledger, ledger.transaction() as books:
        found = [process_entry(one) for one in books.processes.list(flow=flow, state=state, limit=limit)]
    print_json(found) if as_json else _draw_processes(found)


def _draw_processes(found: Sequence[Mapping[str, Any]]) -> None:
    from rich.table import Table

    from throughline.command_line.drawing import clock, console, duration

    if not found:
        click.echo("No document is on its way.")
        return
    table = Table("Document", "Flow", "State", "Steps", "Now at", "Started", "Took", box=None, pad_edge=False)
    for one in found:
        done = sum(step["state"] in {"done", "skipped", "withdrawn"} for step in one["steps"])
        late = {step["name"] for step in one["steps"] if step.get("overdue_since")}
        at = dict.fromkeys(step["name"] for step in one["steps"] if step["state"] in OPEN or step["name"] in late)
        now = ", ".join(f"{name} (overdue)" if name in late else name for name in at)
        took = duration(one["started_at"], one["finished_at"]).removeprefix(" in ")
        row = (
            one["key"],
            one["flow"],
            one["state"],
            f"{done}/{len(one['steps'])}",
            now,
            clock(one["started_at"]),
            took,
        )
        table.add_row(*row)
    console().print(table)


OPEN = frozenset({"running", "ready", "retrying", "parked", "waiting_for"})
"""States in which a step holds a document."""


@click.command()
@click.option("--signature", help="Only this cause.")
@json_option
def parked(signature: str | None, as_json: bool) -> None:
    """List what has stopped, by cause: the reason, whose system it concerns, and how to let it go on."""
    from throughline.command_line.open_ledger import open_ledger

    with open_ledger() as ledger, ledger.transaction() as books:
        told = [_group(books, group) for group in books.parked.by_signature() if signature in {None, group.signature}]
    if as_json:
        print_json(told)
        return
    for group in told:
        _draw_group(group)
    if not told:
        click.echo("Nothing is parked.")


def _group(books: Books, group: ParkedGroup) -> dict[str, Any]:
    cases = books.parked.open(signature=group.signature, limit=100)
    return {
        "signature": group.signature,
        "error_kind": group.error_kind,
        "owner_system": group.role,
        "count": group.count,
        "oldest": group.oldest,
        "reason": group.reason,
        "replay": f"throughline replay --signature {group.signature}",
        "cases": [_case(case) for case in cases],
    }


def _case(case: ParkedCase) -> dict[str, Any]:
    names = ("id", "subject", "step", "item", "reason", "details", "parked_at")
    return {name: value for name, value in asdict(case).items() if name in names}


def _draw_group(group: Mapping[str, Any]) -> None:
    from throughline.command_line.drawing import clock

    owner = group["owner_system"] or "the hub"
    click.echo(f"{group['count']} × {group['error_kind']} · {owner} · since {clock(group['oldest'])}")
    click.echo(f"    {group['reason']}")
    for case in group["cases"][:10]:
        at = f" at {case['step']}" if case["step"] else ""
        click.echo(f"    {case['id']:>6}  {case['subject']}{at}")
    if group["count"] > 10:
        click.echo(f"            … and {group['count'] - 10} more")
    click.echo(f"    when it is mended: {group['replay']}\n")


@click.command()
@click.argument("ids", nargs=-1, type=int, metavar="[ID…]")
@click.option("--signature", help="Everything with this cause.")
@click.option("--key", "keys", multiple=True, help="Everything of this document or process; may be repeated.")
@click.option("--all", "everything", is_flag=True, help="Everything that is parked.")
@click.option("--arrived/--send-again", default=None, help="Of a letter or call in doubt: you looked, and know.")
@json_option
def replay(
    ids: tuple[int, ...],
    signature: str | None,
    keys: tuple[str, ...],
    everything: bool,
    arrived: bool | None,
    as_json: bool,
) -> None:
    """Let parked work go on: chosen by ID, by cause, by document, or all of it. Say so only once it is mended.

    A letter whose end is unknown is not sent again unless you say --send-again (or --arrived, when it did arrive).
    Who let it go on is written into the audit.
    """
    from throughline.command_line.open_ledger import open_ledger

    if sum(map(bool, (ids, signature, keys, everything))) != 1:
        raise click.UsageError("choose one of: IDs, --signature, --key, --all")
    with open_ledger() as ledger, ledger.transaction() as books:
        chosen = [case.id for case in _all_open(books)] if everything else list(ids) or None
        mended = 0 if ids else books.steps.retry_now(signature=signature, keys=list(keys) or None)
        if mended:
            books.breakers.try_now()
        cases = books.parked.replay(
            ids=chosen,
            signature=signature,
            keys=list(keys) or None,
            arrived=arrived,
            by=f"{getpass.getuser()} (command line)",
        )
    if as_json:
        print_json([_case(case) for case in cases])
    else:
        click.echo(f"{len(cases)} parked {'case goes' if len(cases) == 1 else 'cases go'} on.")
        if mended:
            click.echo(f"{mended} waiting for a mending are tried again now.")
    if not (cases or mended):
        raise click.exceptions.Exit(1)


def _all_open(books: Books) -> Sequence[ParkedCase]:
    return books.parked.open(limit=1_000_000)
