"""`replay`: parked work goes on after the mending: canaries first, then the rest in lane order, spread over time."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from throughline.command_line.machine_readable import json_option, print_json
from throughline.command_line.parked import case_entry

if TYPE_CHECKING:
    from throughline.ledger import Ledger
    from throughline.ledger.replays import Choice, Fate
    from throughline.ledger.work_entries import ParkedCase
    from throughline.process.replaying import Released, Replaying, Tried


@click.command()
@click.argument("ids", nargs=-1, type=int, metavar="[ID…]")
@click.option("--ids", "listed", metavar="ID,ID", help="The same as naming cases one after the other.")
@click.option("--signature", help="Everything with this cause.")
@click.option("--key", "keys", multiple=True, help="Everything of this document or process; may be repeated.")
@click.option("--all", "everything", is_flag=True, help="Everything that is parked.")
@click.option("--canary", type=click.IntRange(1), metavar="N", help="Try so many first; the rest only if all arrive.")
@click.option("--wait", "seconds", default=300.0, show_default=True, type=click.FloatRange(0), help="… within seconds.")
@click.option(
    "--per-minute", type=click.FloatRange(0), help="So many go on a minute; 0: at once. [the system's limits]"
)
@click.option("--here", is_flag=True, help="Carry the canaries in this command, not by Airflow.")
@click.option("--arrived/--send-again", default=None, help="Of a letter or call in doubt: you looked, and know.")
@json_option
def replay(
    ids: tuple[int, ...], listed: str | None, signature: str | None, keys: tuple[str, ...], everything: bool,
    canary: int | None, seconds: float, per_minute: float | None, here: bool, arrived: bool | None, as_json: bool,
) -> None:  # fmt: skip
    """Let parked work go on: chosen by ID, by cause, by document, or all of it. Say so only once it is mended.

    With --canary 3 the oldest three of different documents go first, and this command waits for them. If one parks
    again it stops with exit status 1, and the others stay untouched. Otherwise the rest goes on, in each document's
    order, so many a minute as the system's declared limits allow (half of its rate). That schedule lies in the ledger:
    it needs no command to stay alive, and a second replay doubles nothing. What took effect already is not done again.

    Airflow carries the work; where it does not run, this command carries the canaries itself.

    A letter whose end is unknown is not sent again unless you say --send-again (or --arrived, when it did arrive). Who
    let it go on is written into the audit.
    """
    from throughline.command_line.open_ledger import open_ledger
    from throughline.process.replaying import Replaying

    choice = _choice(ids, listed, signature, keys, everything=everything)
    with open_ledger() as ledger:
        replaying = Replaying(ledger, choice, by=f"{getpass.getuser()} (command line)", arrived=arrived)
        tried = _try(replaying, canary, seconds, here=here, quiet=as_json) if canary else None
        if tried is not None and not tried.passed:
            _stopped(tried, replaying.waiting(), seconds, as_json=as_json)
        pace = _pace(ledger, choice) if per_minute is None else per_minute
        released = replaying.release(per_minute=pace)
    _told(tried, released, as_json=as_json)


def _choice(
    ids: tuple[int, ...], listed: str | None, signature: str | None, keys: tuple[str, ...], *, everything: bool
) -> Choice:
    from throughline.ledger.replays import Choice

    try:
        cases = [*ids, *(int(word) for word in (listed or "").replace(",", " ").split())]
    except ValueError:
        raise click.UsageError(f"--ids wants numbers with commas between them, not '{listed}'") from None
    if sum(map(bool, (cases, signature, keys, everything))) != 1:
        raise click.UsageError("choose one of: IDs, --signature, --key, --all")
    return Choice(cases or None, signature, list(keys) or None, everything)


def _try(replaying: Replaying, canary: int, seconds: float, *, here: bool, quiet: bool) -> Tried:
    from throughline.local_platform.carrying import carrier
    from throughline.process.replaying import Watch

    if not quiet:
        click.echo(f"{replaying.waiting()} parked; trying {canary} first …")

    def tell(cases: Sequence[ParkedCase], fates: Sequence[Fate]) -> None:
        if not quiet:
            _tell_progress(cases, fates)

    return replaying.try_canaries(canary, watch=Watch(carrier(here=here), seconds, tell=tell))


def _tell_progress(cases: Sequence[ParkedCase], fates: Sequence[Fate]) -> None:
    from throughline.command_line.drawing import short

    by_id = {case.id: case for case in cases}
    for fate in fates:
        said = f": {fate.said}" if fate.said else ""
        click.echo(f"  canary {short(by_id[fate.case_id].subject):<24} {fate.state}{said}")


def _stopped(tried: Tried, untouched: int, seconds: float, *, as_json: bool) -> None:
    """Say which canary did not arrive, and end with status 1."""
    from throughline.process.replaying import OPEN, PARKED

    again, late = tried.fared(PARKED), tried.fared(OPEN)
    others = untouched - len(again)
    if as_json:
        print_json(
            {"canaries": _canaries(tried), "passed": False, "released": [], "tried_again": 0, "parked": untouched}
        )
    elif again:
        click.echo(f"Stopped: {len(again)} of {len(tried.cases)} canaries parked again, so the cause is not mended.")
        click.echo(f"The other {others} stay parked, untouched.")
    else:
        click.echo(f"Stopped: {len(late)} of {len(tried.cases)} canaries have not arrived within {seconds:.0f} s.")
        click.echo(
            f"They go on by themselves (`throughline trace` says where they are); the other {others} stay parked."
        )
    raise click.exceptions.Exit(1)


def _pace(ledger: Ledger, choice: Choice) -> float:
    """How many a minute the systems concerned can take beside their day's work: the slowest of them decides."""
    from throughline.connectors.landscape import replays_per_minute
    from throughline.connectors.places import include_directory

    with ledger.transaction() as books:
        roles = books.parked.roles(choice)
    paces = (replays_per_minute(include_directory() / "systems", role) for role in roles)
    return min((pace for pace in paces if pace), default=0.0)


def _told(tried: Tried | None, released: Released, *, as_json: bool) -> None:
    count, arrived = len(released.cases), len(tried.cases) if tried else 0
    if as_json:
        print_json({
            "canaries": _canaries(tried) if tried else [], "passed": True,
            "released": [case_entry(case) for case in released.cases], "tried_again": released.hurried,
            "seconds": released.lasts.total_seconds(),
        })  # fmt: skip
    else:
        if arrived:
            click.echo(f"{'The canary' if arrived == 1 else f'All {arrived} canaries'} arrived.")
        spread = f", spread over {_lasting(released)}" if released.lasts else ""
        click.echo(f"{count} parked {'case goes' if count == 1 else 'cases go'} on{spread}.")
        if released.hurried:
            click.echo(f"{released.hurried} waiting for a mending are tried again now.")
    if not (count or released.hurried or arrived):
        raise click.exceptions.Exit(1)


def _lasting(released: Released) -> str:
    seconds = released.lasts.total_seconds()
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _canaries(tried: Tried) -> list[Mapping[str, Any]]:
    by_id = {fate.case_id: fate for fate in tried.fates}
    return [{**case_entry(case), "state": by_id[case.id].state, "said": by_id[case.id].said} for case in tried.cases]
