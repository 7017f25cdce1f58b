"""`up`, `down`, `status`: the platform of this machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from throughline.command_line.machine_readable import json_option, print_json

if TYPE_CHECKING:
    from throughline.local_platform.settings import Settings
    from throughline.local_platform.starting import Started
    from throughline.local_platform.status import Condition

C = Callable[..., Any]


def platform_options(command: C) -> C:
    """What `up` and `demo` both let a person choose."""
    speed = click.option(
        "--speed", type=click.FloatRange(min=0.1), help="How fast the plant's people work: 60 is a minute in a second."
    )
    base = click.option(
        "--port-base", type=int, help="First port; the components take those after it. Kept until changed."
    )
    faulty = click.option(
        "--faulty", type=click.IntRange(min=0), metavar="SEED",
        help="Put bad lines between the hub and its systems: time-outs, resets, doubled calls. Kept; 0 ends it.",
    )  # fmt: skip
    return base(speed(faulty(command)))


def bring_up(
    port_base: int | None, speed: float | None, faulty: int | None, *, quiet: bool
) -> tuple[Settings, Started]:
    """Start whatever does not run yet, telling each thing that is done unless `quiet`."""
    import time

    from throughline.local_platform.settings import make_settings
    from throughline.local_platform.starting import refuse_other_lines, start

    begun = time.monotonic()

    def tell(what: str, seconds: float) -> None:
        if not quiet:
            click.echo(f"{time.monotonic() - begun:6.1f} s  {what} ({seconds:.1f} s)")

    refuse_other_lines(faulty)
    settings = make_settings(port_base=port_base, speed=speed, faulty=faulty)
    return settings, start(settings, tell)


def tell_address(settings: Settings) -> None:
    """Where a person looks, and how they log in."""
    click.echo(f"Airflow:  {settings.ui}   user admin, password {settings.secrets['admin_password']}")
    click.echo(f"Mails:    {settings.mail}")
    if settings.faulty:
        click.echo(f"Bad lines: seed {settings.faulty}, steered at http://127.0.0.1:{settings.ports['proxy']}/lines")
    click.echo("Next:     throughline status · throughline processes · throughline trace NUMBER · make down")


@click.command()
@platform_options
@json_option
def up(port_base: int | None, speed: float | None, faulty: int | None, as_json: bool) -> None:
    """Start PostgreSQL, the plant in a box, the hub and Airflow, and return when all of it answers.

    What runs already is left alone; what should run and does not is started again.
    """
    settings, started = bring_up(port_base, speed, faulty, quiet=as_json)
    if as_json:
        print_json({**asdict(started), "ui": settings.ui, "user": "admin", "state": str(settings.state)})
        return
    click.echo(_found(started))
    tell_address(settings)


def _found(started: Started) -> str:
    if not started.already_up:
        return f"Everything is up after {started.seconds:.1f} s."
    if started.mended:
        return f"It was up; started again: {', '.join(started.mended)}."
    return "Everything was up already."


@click.command()
@json_option
def down(as_json: bool) -> None:
    """Stop everything of this instance in good order, then look for anything left over and end that too."""
    from throughline.local_platform.settings import load_settings, state_directory
    from throughline.local_platform.stopping import stop

    settings = load_settings()
    if settings is None:
        message = f"Nothing was ever started here ({state_directory()})."
        print_json({"was_up": False, "swept": []}) if as_json else click.echo(message)
        return
    stopped = stop(settings, lambda what, seconds: None if as_json else click.echo(f"{what} ({seconds:.1f} s)"))
    if as_json:
        print_json(asdict(stopped))
        return
    for left in stopped.swept:
        click.echo(f"Left over, ended: {left.pid} {left.what}")
    was = "Everything is stopped" if stopped.was_up else "Nothing was running"
    click.echo(f"{was}; nothing of this instance is left ({stopped.seconds:.1f} s).")


@click.command()
@json_option
def status(as_json: bool) -> None:
    """Each component: state, process id, since when it runs, how often it was started again, whether it answers.

    And what a person must mend: broken files with their line, documents that wait for one, wrong addresses and secrets.
    Exits 1 unless all of it is healthy.
    """
    from throughline.command_line.mending import what_is_wrong
    from throughline.local_platform.settings import load_settings
    from throughline.local_platform.status import conditions

    settings = load_settings()
    found = list(conditions(settings)) if settings else []
    wrong = what_is_wrong()
    if as_json:
        print_json([*map(asdict, found), *map(asdict, wrong)])
    elif not found:
        click.echo("Nothing was ever started here: `throughline up` does.")
    else:
        _draw(found)
    if wrong and not as_json:
        click.echo("\nTo be mended:" + "".join(f"\n  {one.sentence}" for one in wrong))
    if not found or wrong or not all(one.healthy for one in found):
        raise click.exceptions.Exit(1)


def _draw(found: list[Condition]) -> None:
    from rich.table import Table

    from throughline.command_line.drawing import console

    table = Table("Component", "State", "Answers", "Pid", "Up for", "Restarts", "Port", box=None, pad_edge=False)
    for one in found:
        table.add_row(
            one.title, one.state.lower(), "yes" if one.healthy else "no", str(one.pid or ""),
            _duration(one.seconds) if one.pid else "", str(one.restarts), str(one.port or ""),
        )  # fmt: skip
    console().print(table)


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s" if rest >= 60 else f"{rest} s"
