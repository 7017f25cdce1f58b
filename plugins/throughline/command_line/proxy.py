"""`proxy`: a bad line in front of a system, to see that nothing is lost or doubled on it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import click

from throughline.command_line.machine_readable import json_option, print_json
from throughline.local_platform.plant import plant_module

_ADDRESS = "HOST:PORT"


@click.command()
@click.option("--listen", "listens", type=int, multiple=True, required=True, help="Our port; 0 takes a free one.")
@click.option("--to", "targets", multiple=True, required=True, metavar=_ADDRESS, help="The system behind it.")
@click.option("--name", "names", multiple=True, help="What the line is called in the log; its target unless given.")
@click.option("--raw", "raws", type=int, multiple=True, metavar="PORT", help="This --listen port is not HTTP: SMTP.")
@click.option("--seed", default=1, show_default=True, help="The same seed makes the same trouble.")
@click.option(
    "--faults",
    multiple=True,
    metavar="[NAME:]RATES",
    default=("all=0.01",),
    show_default=True,
    help="Rates, such as drop_answer=0.02,late=0.01; with a name in front, for that line besides.",
)
@click.option("--path", default="", help="Only requests whose 'METHOD /path body' this pattern finds.")
@click.option("--late", default=5.0, show_default=True, help="Seconds until a late request is passed on.")
@click.option("--hold", default=120.0, show_default=True, help="Seconds a client without an answer is kept.")
@click.option("--drip", default=2.0, show_default=True, help="Seconds a dripping answer takes.")
@click.option("--control", type=int, help="A port to steer it and read its log over HTTP; 0 takes a free one.")
@json_option
def proxy(**told: Any) -> None:
    """Stand between a client and a system and do what bad networks do, until ended.

    --listen and --to come in pairs, one pair per line. `all` means every fault there is:

    \b
    drop_request  drop_answer  late  cut_request  cut_answer  reset  reset_after
    too_many  error_500  error_503  error_502_after  login_page  unauthorized  drip  duplicate

    Steering: GET /lines, PUT /lines/NAME/faults {"rates": {…}, "path": "…"},
    POST /lines/NAME/next {"faults": [… in order …], "path": "…"}, GET /lines/NAME/log?after=0.
    """  # noqa: D301 - click's own mark for lines that stay as they are
    if len(told["listens"]) != len(told["targets"]):
        raise click.UsageError("give one --to for every --listen")
    asyncio.run(_serve(_proxy(told), as_json=told["as_json"]))


def _proxy(told: dict[str, Any]) -> Any:
    faulty = plant_module("fault_proxy")
    lines = []
    for number, (listen, target) in enumerate(zip(told["listens"], told["targets"], strict=True)):
        raw = listen in told["raws"]
        known = faulty.RAW_FAULTS if raw else faulty.HTTP_FAULTS
        try:
            rates = _rates(told["faults"], _name(told, number, target), faulty)
            plan = faulty.FaultPlan(rates, seed=told["seed"] + number, path=told["path"], known=known)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        lines.append(
            faulty.Line(
                _address(target), plan, listen, _name(told, number, target), raw,
                late_seconds=told["late"], hold_seconds=told["hold"], drip_seconds=told["drip"],
            )
        )  # fmt: skip
    return faulty.FaultProxy(lines, control=told["control"])


def _rates(told: Sequence[str], line: str, faulty: Any) -> str:
    """What is for every line first, then what is for this one; a fault of the other kind of line is left out there."""
    ours = [one for one in told if ":" not in one] + [
        one.partition(":")[2] for one in told if one.startswith(f"{line}:")
    ]
    faulty.read_rates(",".join(ours), (*faulty.HTTP_FAULTS, *faulty.RAW_FAULTS))
    return ",".join(ours)


def _name(told: dict[str, Any], number: int, target: str) -> str:
    return str(told["names"][number]) if number < len(told["names"]) else target


def _address(target: str) -> tuple[str, int]:
    host, _, port = target.rpartition(":")
    if not host or not port.isdecimal():
        raise click.UsageError(f"--to is {_ADDRESS}, not '{target}'")
    return host, int(port)


async def _serve(proxy: Any, *, as_json: bool) -> None:
    await proxy.start()
    lines = [{"name": line.name, "listen": line.listen, "to": f"{line.to[0]}:{line.to[1]}"} for line in proxy.lines]
    if as_json:
        print_json({"lines": lines, "control": proxy.control})
    else:
        for line in lines:
            click.echo(f"127.0.0.1:{line['listen']} → {line['to']}")
        if proxy.control is not None:
            click.echo(f"steer it at http://127.0.0.1:{proxy.control}/lines")
    await asyncio.Event().wait()
