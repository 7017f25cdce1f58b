"""`faults`: schedules of faults over the real hub, each decided by a seed and judged by an independent checker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from throughline.command_line.machine_readable import json_option, print_json
from throughline.errors import Misconfigured

_CHECKOUT = Path(__file__).parents[3]
MOST = 5000
"""Within so many seeds every planted bug must be caught."""


class Seeds(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic only in newer clicks
    """`1..2000`, or a number alone for all from 1 on."""

    name = "seeds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """The first and the last seed."""
        found = re.fullmatch(r"(?:(\d+)\.\.)?(\d+)", str(value))
        first, last = (int(found[1] or 1), int(found[2])) if found else (1, 0)
        if first > last:
            self.fail(f"{value} is no range of seeds: write 1..2000, or 2000 for the same", param, ctx)
        return first, last


@click.command()
@click.option("--seeds", type=Seeds(), help="Which schedules: 1..2000, or 2000 for all from 1 on.")
@click.option("--seed", type=click.IntRange(0), help="One schedule, exactly as it was.")
@click.option("--history", is_flag=True, help="With --seed: everything that happened, in order.")
@click.option(
    "--planted", is_flag=True, help="Plant bugs into the hub, one at a time: how many seeds until each is caught."
)
@click.option("--exhaustive", is_flag=True, help="Fail every input and output of one order's way, once in each way.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1, 64), help="So many at once.")
@json_option
def faults(
    seeds: tuple[int, int] | None, seed: int | None, history: bool, planted: bool, exhaustive: bool, workers: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Prove the promise by faults: time-outs, crashes, late answers, clock jumps, over the real hub and PostgreSQL.

    Nothing of the platform need run; a PostgreSQL of its own is started and removed. Exit status 1 on any violation.
    """
    if sum((seed is not None, exhaustive, seeds is not None or planted)) != 1:
        raise click.UsageError("say which schedules: --seeds 1..2000, --seed 17, --planted or --exhaustive")
    if seed is not None:
        _replay(seed, history=history, as_json=as_json)
    elif planted:
        _planted((seeds or (1, MOST))[1], workers, as_json=as_json)
    elif exhaustive:
        _many("exhaustive", [], "points of one order's way", workers, as_json=as_json)
    elif seeds is not None:
        first, last = seeds
        _many("seeds", ["--first", str(first), "--last", str(last)], f"seeds {first}..{last}", workers, as_json=as_json)


def _many(task: str, arguments: list[str], which: str, workers: int, *, as_json: bool) -> None:
    answer = _asked(task, *arguments, "--workers", str(workers), quiet=as_json)
    found = {name: answer[name] for name in ("schedules", "seconds", "violations")}
    if as_json:
        print_json(found)
    else:
        rate = found["schedules"] / found["seconds"] if found["seconds"] else 0.0
        click.echo(f"{found['schedules']:,} schedules in {found['seconds']:.0f} s ({rate:.1f} a second), {which}: "
                   f"{_sentence(found['violations'])}")  # fmt: skip
        _list(found["violations"])
    sys.exit(1 if found["violations"] else 0)


def _planted(most: int, workers: int, *, as_json: bool) -> None:
    told = _asked("planted", "--last", str(most), "--workers", str(workers), quiet=as_json)["planted"]
    found = [{name: one[name] for name in ("bug", "caught", "seeds", "invariant")} for one in told]
    if as_json:
        print_json(found)
    else:
        click.echo(f"{sum(one['caught'] for one in found)} of {len(found)} planted bugs caught within {most:,} seeds.")
    sys.exit(0 if all(one["caught"] for one in found) else 1)


def _sentence(violations: list[Any]) -> str:
    if not violations:
        return "the promise held in every one."
    return f"the promise was broken in {len({one['seed'] for one in violations})} of them."


def _list(violations: list[dict[str, Any]]) -> None:
    for one in violations[:50]:
        click.echo(f"  seed {one['seed']}  {one['invariant']}  {one['sentence']}")
    if violations and isinstance(violations[0]["seed"], int):
        click.echo(f"See one: throughline faults --seed {violations[0]['seed']} --history")


def _replay(seed: int, *, history: bool, as_json: bool) -> None:
    answer = _asked("replay", "--first", str(seed), quiet=True)
    violations = answer["violations"]
    if as_json:
        told = {"seed": seed, "violations": violations, "scenario": answer["scenario"]}
        print_json({**told, "history": answer["history"].splitlines()} if history else told)
    else:
        if history:
            click.echo(answer["history"])
        click.echo(answer["scenario"])
        for one in violations:
            click.echo(f"  {one['invariant']}  {one['sentence']}")
        click.echo(f"Seed {seed}: " + ("the promise was broken." if violations else "the promise held."))
    sys.exit(1 if violations else 0)


def _asked(task: str, *arguments: str, quiet: bool) -> dict[str, Any]:
    """The simulator's answer; it lives in the test tree, where the planted bugs are, and nowhere else."""
    if not (_CHECKOUT / "tests" / "faults" / "__main__.py").exists():
        raise Misconfigured(
            "the fault simulator is part of the source checkout (tests/faults), and this is not one: run it there",
            where=str(_CHECKOUT),
        )
    command = [sys.executable, "-m", "tests.faults", task, *arguments]
    with subprocess.Popen(command, cwd=_CHECKOUT, stdout=subprocess.PIPE, text=True) as running:
        answer = None
        for said in _lines(running):
            if said["kind"] == "answer":
                answer = said
            elif not quiet:
                _progress(said)
    if answer is None:
        raise Misconfigured("the fault simulator ended without an answer; what it said stands above")
    return answer


def _lines(running: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    for line in running.stdout or ():
        if line.startswith("{"):
            yield json.loads(line)


def _progress(said: dict[str, Any]) -> None:
    if said["kind"] == "found":
        verdict = f"caught by seed {said['seeds']:>5}  {said['invariant']:<4}" if said["caught"] else "NOT CAUGHT"
        click.echo(f"{said['bug']:<40} {verdict}  {said['sentence'][:100]}")
        return
    rate = said["schedules"] / said["seconds"] if said["seconds"] else 0.0
    click.echo(f"\r{said['schedules']:,} schedules, {rate:.1f} a second, {said['violations']} violations ",
               nl=False, err=True)  # fmt: skip
