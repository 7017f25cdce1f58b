"""`processes`: the work that is on its way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from throughline.command_line.machine_readable import json_option, print_json

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
